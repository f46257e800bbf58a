"""The connector family as configured: sizes that fit, keys that differ, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import yaml

from robot.errors import ConfigError
from robot.geometry import ConvexHull
from robot.mating import Engagement
from robot.sim.world import World
from robot.spatial import Pose
from tasks.parts.hv_connector import (
    COLLAR_RIM,
    COLLAR_THICKNESS,
    KEY_CODES,
    NECK,
    ConnectorType,
    key_offset,
    with_key,
)
from tasks.parts.hv_shapes import dock_part, header_part, plug_part
from tests.tasks.parts.hv_bench import TYPES, config_path
from workcell.config import load

EACH_TYPE = pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)


def test_four_types_to_train_with_and_two_held_out():
    held_out = {name for name, kind in TYPES.items() if kind.held_out}
    assert held_out == {"hv_e", "hv_f"}
    assert len(TYPES) - len(held_out) >= 4
    assert [name for name, kind in TYPES.items() if kind.voltage == "lv"] == ["lv_d"]
    assert all(kind.name == name for name, kind in TYPES.items())


def test_no_plug_goes_into_the_header_of_another_type():
    for a in TYPES.values():
        assert [b.name for b in TYPES.values() if a.mates_with(b)] == [a.name]
    assert len({kind.key for kind in TYPES.values()}) == len(TYPES)


@EACH_TYPE
def test_keys_are_told_apart_by_more_than_the_nose_can_be_off(kind):
    places = [key_offset(kind, code) for code in KEY_CODES]
    assert np.diff(places).min() > 3e-3
    assert kind.key_offset in places
    assert not kind.mates_with(with_key(kind, next(c for c in KEY_CODES if c != kind.key)))


@EACH_TYPE
def test_depth_is_that_of_the_tip(kind):
    for engagement in (Engagement.HALF, Engagement.MATED, Engagement.LOCKED):
        depth = kind.depth_of(kind.pose_header_plug(engagement))
        assert depth == pytest.approx(kind.mating.depth(engagement))
    assert kind.depth_of(Pose.translation([0.0, 0.0, -kind.tip])) == pytest.approx(0.0)
    assert kind.depth_of(kind.pose_dock_plug) == pytest.approx(kind.dock.stroke)
    tips = [s for s in plug_part("plug", kind).shapes if isinstance(s, ConvexHull)]
    front = max(point[2] for hull in tips for point in hull.points)
    assert kind.tip - front == pytest.approx(1e-4)


@EACH_TYPE
def test_the_cable_leaves_downwards_behind_the_pads(kind):
    pose = kind.pose_plug_cable
    assert pose.rotation[:, 2] == pytest.approx([1.0, 0.0, 0.0], abs=1e-12)
    assert pose.position[0] == pytest.approx(NECK[0] + COLLAR_RIM)
    assert -NECK[2] - COLLAR_THICKNESS < pose.position[2] < -NECK[2]


@EACH_TYPE
def test_a_locked_plug_clears_its_header_and_touches_nothing(kind):
    world = World(dt=1e-3)
    for part, pose in (
        (header_part("header", kind), Pose.identity()),
        (plug_part("plug", kind), kind.pose_header_plug()),
        (dock_part("dock", kind), Pose.translation([0.3, 0.0, 0.0])),
        (plug_part("docked", kind), Pose.translation([0.3, 0.0, 0.0]) @ kind.pose_dock_plug),
    ):
        world.add_body(
            part.name,
            part.shapes,
            mass=part.mass,
            inertia=part.inertia,
            pose_world_body=pose,
            friction=part.friction,
        )
    near = world.client.getClosestPoints
    gap = min(p[8] for p in near(world.body("plug"), world.body("header"), 0.01))
    assert gap == pytest.approx(kind.nose.clearance, abs=2e-5)
    gap = min(p[8] for p in near(world.body("docked"), world.body("dock"), 0.01))
    assert gap > 2e-5


def test_power_parts_long_after_the_interlock_opened():
    # At 50 mm/s this leaves more than a tenth of a second even to someone who does not wait.
    for kind in TYPES.values():
        assert kind.mating.power_gap > 6e-3


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("mating.stroke", 0.03, "stroke"),
        ("mating.peak_force", 110.0, "peak_force"),
        ("mating.unmating_force", 10.0, "unmating_force"),
        ("mating.retention", 90.0, "retention"),
        ("mating.interlock_slide", -0.001, "interlock"),
        ("mating.engage_depth", 0.007, "engage_depth"),
        ("mating.power_depth", 0.0199, "power"),
        ("mating.lock_stroke", 0.0, "lock_stroke"),
        ("mating.unlock_force", 50.0, "release_force"),
        ("mating.key_depth", 0.003, "key_depth"),
        ("nose.length", 0.017, "length"),
        ("nose.width", 0.016, "width"),
        ("nose.taper", 0.008, "taper"),
        ("mass", 1.5, "mass"),
        ("key", "G", "key"),
        ("poles", 0, "poles"),
        ("nose.colour", 3, "unknown key"),
    ],
)
def test_a_contradiction_is_refused_with_file_key_and_reason(tmp_path, key, value, reason):
    data = yaml.safe_load(config_path("hv_a").read_text())
    *parents, last = key.split(".")
    target = data
    for parent in parents:
        target = target[parent]
    target[last] = value
    folder = tmp_path / "connector"
    folder.mkdir()
    (folder / "bad.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(ConfigError) as caught:
        load(folder / "bad.yaml", ConnectorType)
    assert "bad.yaml" in str(caught.value)
    assert reason in str(caught.value)
    assert parents == [] or parents[0] in str(caught.value)


def test_a_profile_without_a_latch_is_no_connector():
    kind = TYPES["hv_a"]
    with pytest.raises(ValueError, match="latch and a lock"):
        replace(kind, mating=kind.dock)
