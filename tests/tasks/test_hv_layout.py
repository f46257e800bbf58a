"""What differs between two packs: drawn inside its level, and brought about with few bodies."""

import dataclasses
import math

import numpy as np
import pytest

from robot.spatial import Pose
from tasks.hv_figures import PackFigures
from tasks.hv_variation import HV_LEVELS, Fault, HvVariation
from tasks.task import Layout
from tasks.variation import LEVELS
from tests.tasks.hv import draw, job
from tests.tasks.spread import Spread, check_chance

UNDERGROUND = -4.0


@pytest.fixture
def task():
    return job()


@pytest.mark.parametrize("level", LEVELS)
def test_draws_stay_inside_their_level(level):
    v, task = HV_LEVELS[level], job(level=level)
    rng = np.random.default_rng(3)
    corner = math.sqrt(3.0)
    for _ in range(40):
        layout = task.sample_layout(rng)
        p, parts, believed = layout.parameters, layout.pose_world_parts, layout.pose_world_believed
        pack = task.station.pack(p)
        moved = believed["pack"].inverse() @ parts[f"pack_{pack.name}"]
        assert np.all(np.abs(moved.position) <= v.pack_offset + 1e-12)
        assert moved.angle_to(Pose.identity()) <= corner * v.pack_tilt + 1e-12
        assert v.friction[0] <= p["friction_plastic"] <= v.friction[1]
        assert p["friction_pads"] >= 0.5
        for slot, assigned in task.assigned(layout).items():
            header = parts[assigned.header]
            assert np.allclose(
                (parts[f"pack_{pack.name}"] @ assigned.port.pose_pack_header).position,
                header.position,
            )
            error = header.inverse() @ believed[f"header_{slot}"]
            assert np.all(np.abs(error.position) <= v.header_offset + 1e-12)
            assert error.angle_to(Pose.identity()) <= corner * v.header_tilt + 1e-12
            off = believed[f"dock_{slot}"].inverse() @ parts[assigned.dock]
            assert np.all(np.abs(off.position) <= v.grasp_offset + 1e-12)
            assert off.angle_to(Pose.identity()) <= corner * v.grasp_tilt + 1e-12
            for name, unit, scale in (
                ("length", "m", 1.0),
                ("diameter", "mm", 1e-3),
                ("mass", "kg_m", 1.0),
                ("bending", "nm2", 1.0),
            ):
                low, high = getattr(v, f"harness_{name}")
                # A signal plug hangs on a cable 0.6 times as thick.
                power = {"diameter": 1, "mass": 2, "bending": 4}.get(name, 0)
                thin = 0.6**power if assigned.kind.voltage == "lv" else 1.0
                drawn = scale * p[f"harness_{name}_{slot}_{unit}"] / thin
                assert low - 1e-12 <= drawn <= high + 1e-12


@pytest.mark.parametrize("level", LEVELS)
def test_draws_fill_the_ranges_of_their_level(level):
    v, task = HV_LEVELS[level], job(level=level)
    rng, spread = np.random.default_rng(4), Spread()
    n, shoves = 400, 0
    ranges = {"mating_scale": "", "harness_length": "_m", "harness_mass": "_kg_m"}
    ranges |= {"harness_diameter": "_mm", "harness_bending": "_nm2"}
    for _ in range(n):
        layout = task.sample_layout(rng)
        p, parts, believed = layout.parameters, layout.pose_world_parts, layout.pose_world_believed
        shoves += math.hypot(p["shove_x_ns"], p["shove_y_ns"]) > 0.0
        off = {"pack": believed["pack"].inverse() @ parts[f"pack_{task.station.pack(p).name}"]}
        spread.add(friction=p["friction_plastic"], grip=p["grip_share_left"])
        for slot, assigned in task.assigned(layout).items():
            off["header"] = parts[assigned.header].inverse() @ believed[f"header_{slot}"]
            off["grasp"] = believed[f"dock_{slot}"].inverse() @ parts[assigned.dock]
            for place, pose in off.items():
                angles = pose.rotation_vector()
                spread.add(**{f"{place}_{a}": pose.position[i] for i, a in enumerate("xyz")})
                spread.add(**{f"{place}_turn_{a}": angles[i] for i, a in enumerate("xyz")})
            if assigned.kind.voltage == "hv":
                spread.add(**{name: p[f"{name}_{slot}{unit}"] for name, unit in ranges.items()})
                spread.add(twist=p[f"harness_twist_{slot}_deg"])
    both = {
        **{f"{place}_{a}": getattr(v, f"{place}_offset") for place in off for a in "xyz"},
        **{f"{place}_turn_{a}": getattr(v, f"{place}_tilt") for place in off for a in "xyz"},
        "twist": math.degrees(v.harness_twist),
    }
    scale = {"harness_diameter": 1e3}
    spread.check(
        {
            **{name: (-bound, bound) for name, bound in both.items()},
            **{k: tuple(scale.get(k, 1.0) * b for b in getattr(v, k)) for k in ranges},
            "friction": v.friction,
            "grip": (1.0 - v.grip_share, 1.0 + v.grip_share),
        }
    )
    check_chance(shoves, n, v.shove_chance)


def test_the_level_that_is_measured_at_varies_as_much_as_is_published():
    v = HV_LEVELS["factory"]
    assert (v.pack_offset, v.header_offset, v.grasp_offset) == (5e-3, 5e-3, 2e-3)
    assert np.degrees([v.pack_tilt, v.header_tilt, v.grasp_tilt]) == pytest.approx([2.0, 3.0, 4.0])
    assert (v.mating_scale, v.friction) == ((0.8, 1.0), (0.10, 0.40))
    assert (v.harness_length, v.harness_diameter) == ((0.85, 0.95), (14e-3, 18e-3))
    assert (v.harness_mass, v.harness_bending) == ((0.3, 0.7), (0.08, 0.30))
    assert (v.grip_share, v.shove_chance, v.shove_impulse, v.noise) == (0.10, 0.2, 10.0, "B")
    assert set(v.fault_chances.values()) == {0.01}
    assert (np.degrees(v.harness_twist), v.bad_pack_chance) == (pytest.approx(30.0), 0.02)


def test_the_levels_are_the_ones_of_every_task_and_nominal_has_nothing_wrong():
    assert tuple(HV_LEVELS) == LEVELS
    layouts = [job(level="nominal").sample_layout(np.random.default_rng(i)) for i in range(5)]
    for layout in layouts:
        assert not any(v for k, v in layout.parameters.items() if k.startswith("fault_"))


def test_one_seed_is_one_layout_and_survives_a_record(task):
    first = task.sample_layout(np.random.default_rng(7))
    again = task.sample_layout(np.random.default_rng(7))
    assert first.as_json() == again.as_json()
    assert Layout.from_json(first.as_json()).as_json() == first.as_json()
    assert task.sample_layout(np.random.default_rng(8)).as_json() != first.as_json()


@pytest.mark.parametrize("pack", ["city", "sedan", "suv", "truck"])
def test_one_pack_stands_there_and_every_plug_is_in_its_dock(task, pack):
    layout = draw(task, pack=pack)
    parts = layout.pose_world_parts
    assert set(parts) == {part.name for part in task.parts}
    assigned = task.assigned(layout).values()
    used = {name for a in assigned for name in (a.header, a.dock, a.plug)}
    there = {name for name, pose in parts.items() if pose.position[2] > UNDERGROUND}
    assert there == used | {f"pack_{pack}", "bench", "bars"}
    assert len(used) == 3 * len(assigned)
    for a in assigned:
        home = parts[a.dock] @ a.kind.pose_dock_plug
        assert np.allclose(parts[a.plug].position, home.position, atol=1e-12)


def test_what_is_not_used_is_not_in_one_heap(task):
    parked = [
        tuple(pose.position)
        for pose in draw(task).pose_world_parts.values()
        if pose.position[2] < UNDERGROUND
    ]
    assert len(set(parked)) == len(parked)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.NONE])
def test_a_fault_is_brought_about_at_one_port(fault):
    chances = {f"{name.lower()}_chance": float(name == fault.name) for name in Fault.__members__}
    del chances["none_chance"]
    task = job()
    task = type(task)(task.config, dataclasses.replace(HV_LEVELS["factory"], **chances))
    layout = task.sample_layout(np.random.default_rng(1))
    faulty = [a for a in task.assigned(layout).values() if a.fault is not Fault.NONE]
    assert [a.fault for a in faulty] == [fault]
    (one,) = faulty
    assert one.plug_kind.mates_with(one.header_kind) == (fault in (Fault.DEBRIS, Fault.DEAD_LATCH))
    for name in (one.plug, one.dock, one.header):
        assert layout.pose_world_parts[name].position[2] > 0.5
    # The robot does not know.
    assert [p.name for p in task.phases(layout)].count("mate") == len(task.assigned(layout))


def test_bodies_of_another_key_are_there_only_if_they_may_be_needed():
    assert not [p.name for p in job(level="nominal").parts if "other" in p.name]
    assert [p.name for p in job(level="factory").parts if "other" in p.name]


def test_the_tester_finds_a_pack_of_its_model_s_voltage(task):
    layout = draw(task, pack="truck")
    figures = PackFigures.from_parameters(layout.parameters)
    assert 0.91 * 800.0 <= figures.voltage <= 1.01 * 800.0
    assert figures.bms_voltage == pytest.approx(figures.voltage, rel=0.01)


def test_variations_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="chances of a fault"):
        HvVariation(debris_chance=0.6, wrong_plug_chance=0.6)
    with pytest.raises(ValueError, match="harness_length"):
        HvVariation(harness_length=(0.9, 0.8))
