"""The inspection in simulation: plugs stay as they were left, and a pack is told right."""

import dataclasses
from collections import Counter

import numpy as np
import pytest

from robot.sensor import CameraFrame
from tasks.hv_inspection_layout import Connection, connection_of
from tasks.hv_judging import fit_of
from workcell.build import build_cycle, build_sim
from workcell.catalog import Choice, resolve_choice
from workcell.robot_cell import CellConfig

CHOICE = Choice("hv_inspection", robot="talos_fixed")


@pytest.fixture(scope="module")
def sim():
    config = resolve_choice(CHOICE, ["level.anomaly_share=0.9"])
    values = config.values
    sim = build_sim("hv_inspection", values["task"], values["level"], values["robot"], CellConfig())
    yield sim
    sim.close()


def left_as(sim, seed):
    """Return layout, true fit of every plug half a second after a reset, and events, by slot."""
    env = sim.env
    _, info = env.reset(seed=seed)
    for _ in range(5):
        env.hold()
    parts, events = env.scene.pose_world_parts(), env.scene.events()
    fits = {
        slot: fit_of(parts[item.header].inverse() @ parts[item.plug], item.plug_kind)
        for slot, item in env.task.assigned(info["layout"]).items()
    }
    return info["layout"], fits, events


def test_plugs_stay_as_they_were_left_and_contacts_and_cables_say_so(sim):
    seen = Counter()
    for seed in range(8):
        layout, fits, events = left_as(sim, seed)
        for slot, item in sim.env.task.assigned(layout).items():
            connection = connection_of(layout.parameters, slot)
            mating, depth = item.kind.mating, fits[slot].depth
            harness = sim.fixture._harnesses[slot]
            seen[connection] += 1
            expected = {
                Connection.LOCKED: mating.full_depth,
                Connection.OVER_BENT: mating.full_depth,
                Connection.NOT_LOCKED: mating.stroke,
                Connection.HALF: layout.parameters[f"half_share_{slot}"] * mating.stroke,
                Connection.WRONG_PORT: 2.8e-3,
            }
            if connection is Connection.MISSING:
                assert depth < 0.0
            else:
                assert depth == pytest.approx(expected[connection], abs=5e-4), connection
                assert fits[slot].lateral < 3e-3
            locked = connection in (Connection.LOCKED, Connection.OVER_BENT)
            assert bool(events[f"lock_in_{slot}"]) is locked
            latched = locked or connection is Connection.NOT_LOCKED
            assert bool(events[f"latched_{slot}"]) is latched
            if connection is not Connection.MISSING:
                narrow = harness.bend_radius < harness.config.bend_limit
                assert narrow is (connection is Connection.OVER_BENT)
            own_harms = ("over_pushed", "bent_pin", "latch_broken", "forced_wrong_key")
            assert not any(events[f"{harm}_{slot}"] for harm in own_harms), connection
    assert set(seen) == set(Connection), seen


def test_the_head_camera_is_on_and_measures_how_far_the_pack_is(sim):
    observation, info = sim.env.reset(seed=0)
    assert observation["head_rgb"].shape == (360, 480, 3)
    reading = sim.env._last.cell.readings["camera_head"]
    assert isinstance(reading, CameraFrame)
    pose_world_camera = sim.env._last.pose_world_cameras["camera_head"]
    for slot, item in sim.env.task.assigned(info["layout"]).items():
        header = info["layout"].pose_world_parts[item.header]
        x, y, z = pose_world_camera.inverse().transform(header.position)
        row = round(180 + reading.focal * y / z)
        column = round(240 + reading.focal * x / z)
        patch = reading.depth[row - 8 : row + 9, column - 8 : column + 9]
        assert np.abs(patch - z).min() < 0.03, slot


def test_a_pack_is_inspected_and_its_findings_are_recorded():
    # A truck: a plug that is missing, a cable that is over-bent, a wrong port, one as it should be.
    runner = build_cycle(resolve_choice(CHOICE))
    record = runner.run(1)
    runner.close()
    truth = {name: op.kind for name, op in record.operations.items() if name.startswith("inspect")}
    assert len(set(truth.values())) == 4
    assert record.success, record.operations
    assert record.guard_stops == 0
    for slot, finding in record.findings.items():
        assert truth[f"inspect {slot}"] == f"inspect {finding['verdict']}"
        assert finding["place"].startswith("truck/")
    assert dataclasses.asdict(record)["findings"] == record.findings
    assert type(record).from_json(record.as_json()).findings == record.findings
