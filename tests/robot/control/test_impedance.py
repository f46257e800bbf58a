import numpy as np
import pytest

from robot.control.impedance import ImpedanceConfig, ToolImpedance
from robot.control.reference import ReferenceConfig, ToolReference
from robot.spatial import Pose

STIFFNESS = np.array([800.0, 1500.0, 3000.0, 20.0, 40.0, 60.0])
TURNED = Pose.from_rotation_vector([0.4, -0.9, 0.2])


def arm(seed=3):
    """Return a Jacobian along the tool axes and an inertia of seven joints."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(7, 7))
    return rng.normal(size=(6, 7)), root @ root.T + np.eye(7)


def designed(push=0.0, **options):
    impedance = ToolImpedance(ImpedanceConfig(**options))
    jacobian, inertia = arm()
    impedance.design(jacobian, inertia, STIFFNESS, np.array([0.0, 0.0, push]))
    mobility = jacobian @ np.linalg.solve(inertia, jacobian.T)
    return impedance, mobility + np.diag([1e-3] * 3 + [1e-2] * 3)


def acceleration(impedance, *, goal=TURNED, pose=TURNED, twist=None, command=None, felt=None):
    reference = ToolReference(ReferenceConfig())
    reference.reset(goal)
    zero = np.zeros(6)
    return impedance.acceleration(
        reference,
        pose.position,
        pose.rotation,
        zero if twist is None else twist,
        STIFFNESS,
        zero if command is None else command,
        zero if felt is None else felt,
    ).copy()


def test_a_tool_at_its_target_rests():
    impedance, _ = designed()
    assert np.allclose(acceleration(impedance), 0.0, atol=1e-12)


def test_the_spring_accelerates_the_inertia_of_the_arm():
    impedance, mobility = designed()
    offset = np.array([0.001, -0.002, 0.003])
    goal = Pose(TURNED.position + TURNED.rotation @ offset, TURNED.quaternion)
    along_tool = mobility @ np.concatenate([STIFFNESS[:3] * offset, np.zeros(3)])
    expected = np.concatenate([TURNED.rotation @ along_tool[:3], TURNED.rotation @ along_tool[3:]])
    assert np.allclose(acceleration(impedance, goal=goal), expected)


def test_a_command_that_the_part_answers_moves_nothing():
    impedance, _ = designed()
    felt = np.array([1.0, -2.0, -10.0, 0.1, 0.2, -0.3])
    command = -np.concatenate([TURNED.rotation @ felt[:3], TURNED.rotation @ felt[3:]])
    assert np.allclose(acceleration(impedance, command=command, felt=felt), 0.0, atol=1e-9)


def test_every_mode_is_critically_damped():
    impedance, mobility = designed(damping_ratio=1.0)
    identity = Pose.identity()
    damping = np.column_stack(
        [-acceleration(impedance, goal=identity, pose=identity, twist=e) for e in np.eye(6)]
    )
    system = np.block([[np.zeros((6, 6)), np.eye(6)], [-mobility * STIFFNESS, -damping]])
    poles = np.linalg.eigvals(system)
    assert np.all(poles.real < 0.0)
    # Double poles are found to the square root of the rounding error only.
    assert np.abs(poles.imag).max() < 1e-3 * np.abs(poles).max()


def test_the_spring_never_exceeds_its_force_limit():
    impedance, mobility = designed(force_limit=50.0)
    far = Pose(np.array([0.0, 0.0, 10.0]), Pose.identity().quaternion)
    found = acceleration(impedance, goal=far, pose=Pose.identity())
    assert found == pytest.approx(mobility @ [0.0, 0.0, 50.0, 0.0, 0.0, 0.0])


def test_a_commanded_wrench_is_cut_to_what_a_job_may_ask_for():
    impedance, mobility = designed(push=1e4, command_limit=(150.0, 20.0))
    wild = np.concatenate([TURNED.rotation @ [0.0, 0.0, 1e4], TURNED.rotation @ [-1e3, 0.0, 5.0]])
    along_tool = mobility @ [0.0, 0.0, 150.0, -20.0, 0.0, 5.0]
    expected = np.concatenate([TURNED.rotation @ along_tool[:3], TURNED.rotation @ along_tool[3:]])
    assert acceleration(impedance, command=wild) == pytest.approx(expected)
    assert braking(1e4) == braking(ImpedanceConfig().command_limit[0])


def test_the_hardest_push_of_a_job_is_not_cut():
    impedance, mobility = designed(push=115.0)
    command = np.array([0.0, 0.0, 115.0, 0.0, 0.0, 0.0])
    identity = Pose.identity()
    found = acceleration(impedance, goal=identity, pose=identity, command=command)
    assert found == pytest.approx(mobility @ command)


def test_an_axis_without_stiffness_is_still_damped():
    impedance = ToolImpedance(ImpedanceConfig())
    jacobian, inertia = arm()
    impedance.design(jacobian, inertia, np.zeros(6), np.zeros(3))
    moving = acceleration(impedance, goal=Pose.identity(), pose=Pose.identity(), twist=np.eye(6)[2])
    assert moving[2] < -1.0


def braking(push):
    """Return how a tool brakes that springs ahead while it pushes, along the push, in m/s^2."""
    impedance, _ = designed(push)
    ahead = acceleration(impedance, goal=Pose.identity(), pose=Pose.identity(), twist=np.eye(6)[2])
    return -ahead[2]


def test_a_hard_push_is_damped_more_and_a_light_one_as_ever():
    assert braking(20.0) == braking(-15.0) == braking(0.0)
    assert braking(-100.0) == pytest.approx(braking(100.0))
    # As if it were 3000 + 80 * 50 N/m stiff.
    assert 1.2 * braking(0.0) < braking(100.0) < 1.6 * braking(0.0)
