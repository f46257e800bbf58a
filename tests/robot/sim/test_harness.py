"""The harness on its plug: at rest, in a hand, let go, over a box, and hung elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from robot.errors import ConfigError, EpisodeSetupError, UnknownName
from robot.geometry import Box
from robot.sim import harness_rod as rod
from robot.sim.harness_config import HarnessConfig
from robot.spatial import Pose
from tests.robot.sim.harness import BACK, CLIP, DOWN, GRAVITY, HOME, TAUT, Hanging

STIFF = HarnessConfig(length=0.5, mass_per_length=0.3, bending_stiffness=0.3)
LONG = HarnessConfig(length=1.5, mass_per_length=0.7, bending_stiffness=0.05)


def energy(hanging: Hanging, mass: float) -> float:
    """Return kinetic, elastic and potential energy of rod and plug, in J."""
    harness, p = hanging.harness, hanging.harness._parameters
    harness.nodes()  # Lays it, if it has not been.
    nodes = harness._rod
    ways = np.diff(nodes[:, :3], axis=0)
    lengths = np.linalg.norm(ways, axis=1)
    cosines = np.sum(ways[1:] * ways[:-1], axis=1) / (lengths[1:] * lengths[:-1])
    twist = hanging.world.twist_world_body("plug")
    return float(
        0.5 * p[rod.STRETCH] * np.sum((lengths[1:-1] - p[rod.PIECE]) ** 2)
        + 0.5 * p[rod.BEND] * np.sum((1.0 - cosines) / (1.0 + cosines))
        + 0.5 * p[rod.TWIST] * harness.twist**2
        + p[rod.NODE_MASS] * np.sum(GRAVITY * nodes[1:-1, 2])
        + 0.5 * p[rod.NODE_MASS] * np.sum(nodes[2:-2, rod.V : rod.V + 3] ** 2)
        + 0.5 * mass * (twist[:3] @ twist[:3] + 4e-4 * twist[3:] @ twist[3:])
        + mass * GRAVITY * hanging.position()[2]
    )


def wake(hanging: Hanging) -> None:
    """Let the rod move on by itself."""
    hanging.run(1e-3)
    hanging.harness.set_obstacles([])


def test_reset_lays_it_at_rest_where_a_long_wait_would_have_left_it():
    hanging = Hanging(mass=0.0)
    laid, nodes = hanging.harness.wrench(), hanging.harness.nodes()
    assert hanging.harness.frozen
    wake(hanging)
    hanging.run(0.05)
    assert not hanging.harness.frozen
    hanging.run(1.5)
    assert hanging.harness.frozen
    assert hanging.harness.wrench() == pytest.approx(laid, abs=5e-3)
    assert hanging.harness.nodes() == pytest.approx(nodes, abs=2e-4)


def test_nodes_run_from_clip_to_plug_and_are_as_long_as_the_cable():
    hanging = Hanging()
    nodes = hanging.harness.nodes()
    assert nodes[0] == pytest.approx(CLIP.position)
    assert nodes[-1] == pytest.approx((HOME @ DOWN).position)
    along = np.linalg.norm(np.diff(nodes, axis=0), axis=1).sum()
    assert along == pytest.approx(hanging.harness.config.length, rel=0.01)
    # Clamped: it leaves along the clip's tangent and arrives against the plug's.
    assert nodes[1] - nodes[0] == pytest.approx([0.025, 0.0, 0.0], abs=1e-9)
    assert nodes[-1] - nodes[-2] == pytest.approx([0.0, 0.0, 0.025], abs=1e-9)


@pytest.mark.parametrize("config", [HarnessConfig(), STIFF, LONG])
@pytest.mark.parametrize("mass", [0.2, 0.45, 1.0])
def test_a_free_plug_swings_to_rest_below_the_clip(mass, config):
    hanging = Hanging(config, Pose.translation([0.8 * config.length, 0.0, 1.0]), mass=mass)
    hanging.damp()
    start = energy(hanging, mass)
    wrenches = hanging.run(4.0)
    assert wrenches[-500:, 2].mean() == pytest.approx(mass * GRAVITY, rel=0.02)
    assert np.abs(np.diff(wrenches[-500:, :3], 2, axis=0)).max() < 0.1
    assert energy(hanging, mass) < start


@pytest.mark.parametrize("mass", [0.2, 0.45])
def test_no_energy_is_gained_in_a_swing(mass):
    config = HarnessConfig(damping=0.0)
    hanging = Hanging(config, Pose.translation([0.6, 0.1, 1.1]), mass=mass)
    energies = []
    for _ in range(100):
        hanging.run(0.02)
        energies.append(energy(hanging, mass))
    swing = energies[0] - min(energies)
    # What sets it swinging: the plug falls by several decimetres.
    assert np.diff(energies).max() < 2e-3 * mass * GRAVITY * 0.5
    assert 0.0 < swing < 0.5 * mass * GRAVITY


def test_a_held_plug_feels_a_swinging_cable_die_out_within_a_second():
    hanging = Hanging(mass=0.45)
    hanging.hold(HOME)
    hanging.run(1.0)
    rest = hanging.harness.wrench()
    wake(hanging)
    hanging.harness._rod[2:-2, rod.V + 1] = 1.0
    wrenches = hanging.run(1.0)
    assert np.abs(wrenches[:300] - rest)[:, :3].max() > 0.3
    assert np.abs(wrenches[-100:] - rest)[:, :3].max() < 0.05


@pytest.mark.parametrize(
    ("config", "pose", "cable"),
    [(HarnessConfig(), HOME, DOWN), (STIFF, HOME, DOWN), (HarnessConfig(), TAUT, BACK)],
)
@pytest.mark.parametrize("mass", [0.2, 0.45, 1.0])
def test_in_a_moving_hand_the_force_is_smooth(mass, config, pose, cable):
    # In a stiff hand a plug that is held still in the substeps, or put elsewhere by the rod than
    # by Bullet, makes the force ring from step to step.
    hanging = Hanging(config, pose, cable, mass=mass)
    wrenches = []
    for k in range(1000):
        sway = 4e-3 * np.array([0.3 * math.sin(6e-3 * k), math.sin(5e-3 * k), 0.0])
        hanging.hold(Pose(pose.position + sway, pose.quaternion))
        wrenches.append(hanging.run(1e-3)[0])
    assert np.abs(np.diff(wrenches, 2, axis=0)[500:, :3]).max() < 0.01
    assert np.abs(np.diff(wrenches, 2, axis=0)[500:, 3:]).max() < 1e-3


def test_still_it_is_left_alone_and_wakes_smoothly_when_the_plug_moves():
    hanging = Hanging(mass=0.45)
    hanging.hold(HOME)
    hanging.run(1.5)
    assert hanging.harness.frozen
    before, start = hanging.harness.nodes(), hanging.position()
    woken, wrenches = None, []
    for k in range(60):
        hanging.hold(Pose.translation([0.45, 5e-5 * k, 1.0]))
        wrenches.append(hanging.run(1e-3)[0])
        if woken is None and not hanging.harness.frozen:
            woken = np.linalg.norm(hanging.position() - start)
    assert woken is not None
    assert woken < 1e-3
    assert np.abs(np.diff(wrenches, axis=0)[:, :3]).max() < 0.5
    assert np.abs(hanging.harness.nodes() - before).max() > 1e-3


def test_a_restored_world_runs_on_to_the_bit():
    hanging = Hanging(pose_world_plug=Pose.translation([0.6, 0.1, 1.0]))
    hanging.harness.set_obstacles([(Pose.translation([0.2, 0.0, 0.75]), (0.2, 0.2, 0.05))], 0.0)
    hanging.world.save()
    first = hanging.run(0.3)
    states = [hanging.harness.state()]
    hanging.run(0.1)
    hanging.world.restore()
    assert np.array_equal(hanging.run(0.3), first)
    states.append(hanging.harness.state())
    assert np.array_equal(*states)


def test_a_stored_state_is_continued_to_the_bit():
    hanging = Hanging(mass=0.0)
    wake(hanging)
    hanging.harness._rod[2:-2, rod.V] = 0.5
    hanging.run(0.05)
    state = hanging.harness.state()
    ahead = hanging.run(0.1)
    hanging.harness.restore(state)
    assert np.array_equal(hanging.run(0.1), ahead)


def test_a_plug_put_elsewhere_finds_the_cable_at_rest_there():
    hanging = Hanging(mass=0.0)
    hanging.run(0.02)
    hanging.world.set_pose("plug", Pose.translation([0.5, 0.2, 0.9]))
    moved = hanging.run(1e-3)[0]
    fresh = Hanging(pose_world_plug=Pose.translation([0.5, 0.2, 0.9]), mass=0.0)
    assert moved == pytest.approx(fresh.harness.wrench(), abs=1e-9)


def test_a_cable_lies_on_a_box_and_on_the_floor():
    hanging = Hanging(HarnessConfig(length=1.2), mass=0.0)
    assert hanging.harness.nodes()[:, 2].min() < 0.75
    box = (Pose.from_rotation_vector([0.0, 0.1, 0.3], [0.35, 0.0, 0.75]), (0.2, 0.2, 0.05))
    radius = 0.5 * hanging.harness.config.outer_diameter
    for boxes, floor in (([box], None), ([], 0.8), ([box], 0.8)):
        hanging.harness.set_obstacles(boxes, floor)
        hanging.harness.reset()
        hanging.run(1e-3)
        hanging.harness.set_obstacles(boxes, floor)
        for _ in range(10):
            hanging.run(0.03)
            nodes = hanging.harness.nodes()[1:-1]
            gaps = [nodes[:, 2] - floor] if floor is not None else []
            for pose, half in boxes:
                local = np.array([pose.inverse().transform(node) for node in nodes])
                gaps.append(np.linalg.norm(np.maximum(np.abs(local) - half, 0.0), axis=1))
            assert np.min(gaps) == pytest.approx(radius, abs=1e-3)


def test_friction_keeps_a_cable_where_it_was_drawn_to():
    left = []
    for friction in (0.0, 0.8):
        hanging = Hanging(HarnessConfig(length=1.2, friction=friction), mass=0.0)
        hanging.harness.set_obstacles([], 0.85)
        before = hanging.harness.nodes()
        # There and back.
        for y in np.abs(np.linspace(-0.1, 0.1, 201)) - 0.1:
            hanging.world.set_pose("plug", Pose.translation([0.45, y, 1.0]))
            hanging.run(1e-3)
        hanging.run(1.0)
        left.append(np.abs(hanging.harness.nodes() - before).max())
    assert left[0] < 1e-3
    assert left[1] > 3e-3


@pytest.mark.parametrize("lean", [0.15, -0.15])
def test_it_falls_over_a_box_to_the_side_to_which_it_leans(lean):
    hanging = Hanging(HarnessConfig(length=1.2, lean=lean), mass=0.0)
    # The straight way down is barred.
    hanging.harness.set_obstacles([(Pose.translation([0.25, 0.0, 0.7]), (0.2, 0.05, 0.2))])
    nodes = hanging.harness.nodes()
    assert np.sign(nodes[8, 1]) == np.sign(lean)


def test_taken_out_of_the_world_it_pulls_no_more_and_put_back_it_hangs_at_rest():
    hanging = Hanging(mass=0.0)
    laid = hanging.harness.nodes()
    hanging.run(0.01)
    hanging.harness.set_active(False)
    hanging.world.set_pose("plug", Pose.translation([0.7, 0.0, 0.3]))
    hanging.run(0.01)
    hanging.world.set_pose("plug", HOME)
    hanging.harness.set_active(True)
    hanging.run(0.01)
    assert hanging.harness.nodes() == pytest.approx(laid, abs=1e-9)


def test_it_can_be_hung_on_another_plug_and_be_another_cable():
    hanging = Hanging(mass=0.0)
    other = Pose.translation([0.3, 0.3, 0.8])
    hanging.world.add_body(
        "other", [Box((5e-3, 5e-3, 5e-3))], mass=0.0, pose_world_body=other, friction=0.5
    )
    hanging.harness.attach("other")
    assert hanging.harness.nodes()[-1] == pytest.approx((other @ DOWN).position)
    clip = Pose(CLIP.position + np.array([0.0, 0.1, 0.0]), CLIP.quaternion)
    hanging.harness.configure(HarnessConfig(length=1.0, segments=20, substeps=20), clip)
    assert hanging.harness.nodes().shape == (22, 3)
    assert hanging.harness.nodes()[0] == pytest.approx(clip.position)
    with pytest.raises(UnknownName, match="plug"):
        hanging.harness.attach("plvg")


def test_an_obstacle_without_size_is_refused():
    with pytest.raises(ConfigError, match="half_extents: expected more than 0 m"):
        Hanging().harness.set_obstacles([(Pose.identity(), (0.1, 0.0, 0.1))])


def test_it_can_be_made_before_its_plug_is_in_place():
    hanging = Hanging(pose_world_plug=Pose.translation([5.0, 0.0, 1.0]), mass=0.0)
    hanging.world.set_pose("plug", HOME)
    hanging.run(1e-3)
    assert hanging.harness.nodes()[-1] == pytest.approx((HOME @ DOWN).position)


def test_a_plug_out_of_reach_is_told_of_with_both_lengths():
    hanging = Hanging(mass=0.0)
    hanging.run(0.01)
    hanging.world.set_pose("plug", Pose.translation([2.0, 0.0, 1.0]))
    with pytest.raises(EpisodeSetupError, match=r"'plug'.*2\.00 m from the clip.*0\.80 m long"):
        hanging.run(0.01)


def test_a_rod_that_blows_up_is_told_of():
    hanging = Hanging()
    wake(hanging)
    hanging.harness._rod[5, rod.V] = 1e5
    with pytest.raises(RuntimeError, match=r"harness on 'plug' blew up at 0\.00"):
        hanging.run(0.01)
