"""The rod against its energy, beam theory, and what it is asked to refuse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from robot.errors import ConfigError
from robot.sim import harness_rod as rod
from robot.sim.harness_config import HarnessConfig, fill_parameters
from robot.sim.harness_shape import first_guess, require_length, span
from robot.spatial import Pose
from tests.robot.sim.harness import BACK, CLIP, DOWN, GRAVITY, Hanging

LENGTH = 0.6
STEP = 1e-6
WEIGHTLESS = (0.0, 0.0, 0.0)


class Bent:
    """A rod bent at random, its parameters, and the plug's pose."""

    def __init__(self) -> None:
        self.pose = Pose.from_rotation_vector([0.3, 0.5, 0.2], [0.4, 0.1, 0.8])
        self.p = np.zeros(rod.PARAMETERS)
        config = HarnessConfig()
        gravity = np.array([0.0, 0.0, -GRAVITY])
        fill_parameters(self.p, config, CLIP, DOWN, 0.3, (1e-4, 1e-4, 1e-4), gravity)
        self.nodes = np.zeros((config.segments + 2, rod.COLUMNS))
        middle = first_guess(config, CLIP, self.pose @ DOWN, gravity / GRAVITY)
        shake = np.random.default_rng(0).normal(size=middle.shape)
        self.nodes[1:-1, :3] = middle + 3e-3 * shake
        ahead = 0.5 * config.piece * CLIP.rotation[:, 2]
        self.nodes[:2, :3] = CLIP.position - ahead, CLIP.position + ahead
        self.place(self.nodes, self.pose)

    def place(self, nodes: np.ndarray, pose: Pose) -> tuple[float, float, float]:
        outer, inner, _, axis = rod.plug_arms(tuple(pose.quaternion), self.p)
        nodes[-2, :3], nodes[-1, :3] = pose.position + outer, pose.position + inner
        return axis

    def energy(self, nodes: np.ndarray, pose: Pose) -> float:
        nodes, p = nodes.copy(), self.p
        axis = self.place(nodes, pose)
        ways = np.diff(nodes[:, :3], axis=0)
        lengths = np.linalg.norm(ways, axis=1)
        tangents = ways / lengths[:, None]
        angles = np.arccos(np.sum(tangents[1:] * tangents[:-1], axis=1))
        twist = rod.twist_angle(nodes, p, axis) + 0.3
        return (
            0.5 * p[rod.STRETCH] * np.sum((lengths[1:-1] - p[rod.PIECE]) ** 2)
            + 0.125 * p[rod.BEND] * np.sum((2.0 * np.tan(0.5 * angles)) ** 2)
            + 0.5 * p[rod.TWIST] * twist**2
            - p[rod.NODE_MASS] * np.sum(nodes[1:-1, :3] @ p[rod.GRAVITY])
        )

    def moment(self) -> float:
        axis = self.place(self.nodes, self.pose)
        return self.p[rod.TWIST] * (rod.twist_angle(self.nodes, self.p, axis) + 0.3)


def test_forces_on_the_nodes_are_minus_the_gradient_of_the_energy():
    bent = Bent()
    rod.elastic_forces(bent.nodes, bent.p, bent.moment())
    for i in range(2, len(bent.nodes) - 2):
        for c in range(3):
            energies = []
            for sign in (1.0, -1.0):
                moved = bent.nodes.copy()
                moved[i, c] += sign * STEP
                energies.append(bent.energy(moved, bent.pose))
            numeric = -(energies[0] - energies[1]) / (2.0 * STEP)
            assert bent.nodes[i, rod.F + c] == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_wrench_on_the_plug_is_minus_the_gradient_of_the_energy():
    bent = Bent()
    moment = bent.moment()
    rod.elastic_forces(bent.nodes, bent.p, moment)
    tangent = rod.plug_arms(tuple(bent.pose.quaternion), bent.p)[2]
    wrench = rod.plug_wrench(bent.nodes, tuple(bent.pose.position), tangent, moment)
    at_origin = Pose(np.zeros(3), bent.pose.quaternion)
    numeric = []
    for axis in STEP * np.eye(3):
        ahead = Pose(bent.pose.position + axis, bent.pose.quaternion)
        behind = Pose(bent.pose.position - axis, bent.pose.quaternion)
        numeric.append(bent.energy(bent.nodes, behind) - bent.energy(bent.nodes, ahead))
    for axis in STEP * np.eye(3):
        energies = []
        for sign in (1.0, -1.0):
            turned = Pose.from_rotation_vector(sign * axis) @ at_origin
            pose = Pose(bent.pose.position, turned.quaternion)
            energies.append(bent.energy(bent.nodes, pose))
        numeric.append(energies[1] - energies[0])
    assert np.array(wrench) == pytest.approx(np.array(numeric) / (2.0 * STEP), rel=1e-4, abs=1e-4)


def elastica(stiffness: float, weight: float, load: float) -> tuple[float, float]:
    """Return sag of the tip and moment at the root of a horizontal cantilever.

    Euler's elastica: EI theta'' = -(q (L - s) + P) cos theta, theta(0) = 0, theta'(L) = 0.
    """

    def slope(s: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.array([y[1], -(weight * (LENGTH - s) + load) * np.cos(y[0]) / stiffness])

    s = np.linspace(0.0, LENGTH, 50)
    ends = solve_bvp(slope, lambda a, b: np.array([a[0], b[1]]), s, np.zeros((2, 50)), tol=1e-6)
    s = np.linspace(0.0, LENGTH, 2001)
    return float(np.trapezoid(np.sin(ends.sol(s)[0]), s)), stiffness * float(ends.sol(0.0)[1])


@pytest.mark.parametrize(("stiffness", "mass"), [(0.1, 0.05), (0.15, 0.1), (0.3, 0.2)])
def test_a_cantilever_with_a_weight_sags_as_the_elastica(stiffness, mass):
    config = HarnessConfig(length=LENGTH, bending_stiffness=stiffness)
    hanging = Hanging(config, Pose.translation([0.5, 0.0, 0.8]), BACK, mass=mass)
    hanging.damp()
    hanging.run(4.0)
    sag, moment = elastica(stiffness, config.mass_per_length * GRAVITY, mass * GRAVITY)
    assert sag > 0.6 * LENGTH  # Far from the small angles of beam theory.
    assert 1.0 - hanging.position()[2] == pytest.approx(sag, rel=0.01)
    assert hanging.harness.clip_wrench()[4] == pytest.approx(moment, rel=0.01)


def test_a_compressed_rod_buckles_at_eulers_load():
    # Clamped at both ends: 4 pi^2 EI / L^2; the load grows by about 1 % while it bows out.
    config = HarnessConfig(axial_stiffness=2e4, substeps=32)
    end = Pose.translation([0.99 * config.length, 0.0, 1.0])
    hanging = Hanging(config, end, BACK, mass=0.0, gravity=(0.0, 0.02, 0.0))
    load = 4.0 * np.pi**2 * config.bending_stiffness / config.length**2
    assert hanging.harness.wrench()[0] == pytest.approx(load, rel=0.02)
    assert hanging.harness.nodes()[:, 1].max() > 0.03


def test_force_and_moment_of_both_ends_balance_the_weight():
    hanging = Hanging(mass=0.0)
    config, nodes = hanging.harness.config, hanging.harness.nodes()
    clip, plug = hanging.harness.clip_wrench(), hanging.harness.wrench()
    piece = config.mass_per_length * config.piece * np.array([0.0, 0.0, -GRAVITY])
    # What node n + 1 and 0 stand for is in clip and plug: their pieces' middles are n and 1.
    middles = nodes[1:-1]
    assert clip[:3] + plug[:3] == pytest.approx(config.segments * piece, abs=5e-3)
    about_clip = plug[3:] + np.cross(hanging.position() - CLIP.position, plug[:3]) + clip[3:]
    weight = np.cross(middles - CLIP.position, piece).sum(axis=0)
    assert about_clip == pytest.approx(weight, abs=5e-3)


@pytest.mark.parametrize("turns", [-1.5, 0.2, 1.5])
def test_torsion_is_stiffness_times_angle_over_length_over_more_than_a_turn(turns):
    config = HarnessConfig()
    pose = Pose.translation([1.005 * config.length, 0.0, 1.0])
    hanging = Hanging(config, pose, BACK, mass=0.0, gravity=WEIGHTLESS)
    for angle in np.linspace(0.0, 2.0 * np.pi * turns, 60):
        turn = Pose.from_rotation_vector([angle, 0.0, 0.0])
        hanging.world.set_pose("plug", Pose(pose.position, turn.quaternion))
        hanging.run(2e-3)
    hanging.run(0.05)
    torque = config.torsion_stiffness * 2.0 * np.pi * turns / config.length
    assert hanging.harness.twist == pytest.approx(2.0 * np.pi * turns, rel=1e-9)
    assert hanging.harness.wrench()[3] == pytest.approx(-torque, rel=1e-6)
    assert hanging.harness.clip_wrench()[3] == pytest.approx(torque, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": 0.0}, "harness.length: expected more than 0, got 0.0"),
        ({"bending_stiffness": -0.1}, "bending_stiffness"),
        ({"damping": -1.0}, "damping"),
        ({"twist": float("nan")}, "twist: expected a finite number"),
        ({"segments": 4}, "segments: expected a whole number of at least 6, got 4"),
        ({"substeps": 0}, "substeps"),
        ({"bend_radius_min": 5e-3}, "bend_radius_min.*own radius 0.008"),
    ],
)
def test_what_makes_no_cable_is_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        HarnessConfig(**change)


def test_a_cable_too_stiff_for_its_substeps_is_refused_with_their_number():
    config = HarnessConfig(length=0.4, axial_stiffness=5e4, substeps=8)
    with pytest.raises(ConfigError, match=r"substeps: expected at least (\d+)") as caught:
        Hanging(config)
    needed = int(str(caught.value).split("at least ")[1].split()[0])
    HarnessConfig(length=0.4, axial_stiffness=5e4, substeps=needed).require_stable(1e-3)


def test_the_bend_limit_is_the_larger_of_60_mm_and_four_diameters():
    assert HarnessConfig(outer_diameter=14e-3).bend_limit == 60e-3
    assert HarnessConfig(outer_diameter=18e-3).bend_limit == pytest.approx(72e-3)
    assert HarnessConfig(bend_radius_min=0.1).bend_limit == 0.1


def test_the_way_to_span_is_arcs_and_a_straight_piece():
    ahead = Pose.translation([0.5, 0.0, 1.0]) @ BACK
    assert span(CLIP, ahead, 0.06) == pytest.approx(0.5)
    # An eighth of a turn at each end, and the diagonal between.
    up = Pose.translation([0.5, 0.0, 0.5])
    expected = np.sqrt(2.0) * (0.5 - 0.1) + 0.5 * np.pi * 0.1
    assert span(CLIP, up, 0.1) == pytest.approx(expected, rel=1e-6)
    behind = Pose.translation([-0.3, 0.0, 1.0]) @ BACK
    assert span(CLIP, behind, 0.06) > 0.3 + 0.06


def test_a_harness_shorter_than_its_way_is_refused_with_both_lengths():
    end = Pose.translation([0.7, 0.0, 1.0]) @ BACK
    require_length(HarnessConfig(length=0.71), CLIP, end)
    with pytest.raises(ConfigError, match=r"port A: length 0\.650 m is less than the 0\.700 m"):
        require_length(HarnessConfig(length=0.65), CLIP, end, "port A")
