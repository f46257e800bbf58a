import numpy as np
import pytest

from robot.control.qp import DenseQP, SolverConfig
from robot.control.soles import (
    CONE_ROWS,
    ContactConfig,
    at_the_sole,
    contact_cone,
    right,
    tilt_cone,
    write_cone,
)
from robot.spatial import Pose

TURNED = Pose.from_rotation_vector([0.0, 0.0, np.pi / 2.0]).rotation
HALF = (0.105, 0.065)


@pytest.mark.parametrize(
    ("force", "torque", "allowed"),
    [
        ((0, 0, 450), (0, 0, 0), True),
        ((0, 0, 5), (0, 0, 0), False),
        ((180, 0, 450), (0, 0, 0), True),
        ((0, -200, 450), (0, 0, 0), False),
        ((0, 0, 450), (0, 450 * 0.094, 0), True),
        ((0, 0, 450), (0, 450 * 0.096, 0), False),
        ((0, 0, 450), (450 * -0.056, 0, 0), False),
        ((0, 0, 450), (0, 0, 450 * 0.05), False),
    ],
)
def test_the_cone_holds_what_a_flat_foot_can_bear(force, torque, allowed):
    config = ContactConfig(friction=0.6, sole_margin=0.01, torsion=0.04)
    rows, lower = contact_cone(HALF, config)
    wrench = np.array([*force, *torque]) / config.force_scale
    assert bool(np.all(rows @ wrench >= lower)) is allowed


def tilted_rows(roll, pitch, shoved=False):
    """Return the rows of one foot, turned by small angles about its x and y axes."""
    config = ContactConfig()
    program = DenseQP(6, 0, CONE_ROWS, SolverConfig())
    write_cone(program, 0, 0, 0, HALF, config)
    written = program.rows.copy()
    rotation = np.eye(3)
    rotation[2] = -pitch, roll, 1.0
    tilt_cone(program, 0, 0, 0, HALF, rotation, config, shoved)
    return written, program.rows, program.row_lower


def bears(rows, lower, place, fz=3.0, slide=(0.0, 0.0), torque=0.0):
    """Return whether a force at a place of the sole is allowed, with a torque about that place."""
    x, y = place
    turn = x * slide[1] - y * slide[0] + torque
    wrench = np.array([*slide, fz, y * fz, -x * fz, turn])
    return bool(np.all(rows @ wrench >= lower))


def test_a_foot_that_is_as_good_as_flat_has_the_whole_sole_bit_for_bit():
    written, rows, _ = tilted_rows(0.003, -0.0035)
    assert (rows == written).all()


@pytest.mark.parametrize("roll", [-0.05, 0.05])
def test_a_foot_that_rolls_stands_on_its_lower_edge(roll):
    _, rows, lower = tilted_rows(roll, 0.0)
    # A turn about x lifts the left side.
    edge = -np.sign(roll) * (HALF[1] - 0.001)
    assert bears(rows, lower, (0.05, edge))
    assert not bears(rows, lower, (0.05, 0.0))
    assert not bears(rows, lower, (0.05, -edge))


@pytest.mark.parametrize("pitch", [-0.05, 0.05])
def test_a_foot_that_pitches_stands_on_its_lower_edge(pitch):
    _, rows, lower = tilted_rows(0.0, pitch)
    # A turn about y lowers the toes.
    edge = np.sign(pitch) * (HALF[0] - 0.001)
    assert bears(rows, lower, (edge, 0.02))
    assert not bears(rows, lower, (0.0, 0.02))


def test_a_robot_in_trouble_uses_its_soles_nearly_to_their_edges():
    place = (HALF[0] - 0.005, HALF[1] - 0.005)
    for shoved in (False, True):
        _, rows, lower = tilted_rows(0.0, 0.0, shoved)
        assert bears(rows, lower, place) is shoved


def test_what_slides_at_a_corner_turns_the_foot_about_its_middle():
    _, rows, lower = tilted_rows(-0.05, 0.05)
    corner, slide = (HALF[0] - 0.001, HALF[1] - 0.001), (0.0, 0.9)
    assert bears(rows, lower, corner, slide=slide)
    assert not bears(rows, lower, corner, slide=slide, torque=0.2)


def test_a_sole_is_brought_to_rest_along_its_own_axes():
    rng = np.random.default_rng(0)
    jacobian, drift, velocity = rng.normal(size=(6, 5)), rng.normal(size=6), rng.normal(size=5)
    turn = np.kron(np.eye(2), TURNED.T)
    at_sole, wanted = at_the_sole(TURNED, jacobian, drift, velocity, 20.0)
    assert at_sole == pytest.approx(turn @ jacobian)
    assert wanted == pytest.approx(-20.0 * turn @ jacobian @ velocity - turn @ drift)


@pytest.mark.parametrize("tilt", [(0.03, 0.0), (-0.03, 0.0), (0.0, 0.03), (0.02, -0.04)])
def test_a_tilted_sole_is_turned_flat_about_the_edge_it_stands_on(tilt):
    config = ContactConfig()
    rotation = Pose.from_rotation_vector((*tilt, 0.0)).rotation
    wanted = np.zeros(6)
    right(wanted, rotation, HALF, config)
    assert wanted[3:5] == pytest.approx([-config.righting * t for t in tilt], rel=0.01)
    assert wanted[5] == 0.0
    # The edge, or corner, on which it stands stays where it is.
    edge = np.array([-np.sign(rotation[2, 0]) * 0.105, -np.sign(rotation[2, 1]) * 0.065, 0.0])
    edge *= np.abs(rotation[2]) > 1e-9
    assert (wanted[:3] + np.cross(wanted[3:], edge))[2] == pytest.approx(0.0, abs=1e-9)


def test_a_sole_that_lies_flat_is_left_alone():
    wanted = np.arange(6.0)
    rotation = Pose.from_rotation_vector((0.003, -0.003, 0.5)).rotation
    right(wanted, rotation, HALF, ContactConfig())
    assert wanted.tolist() == list(range(6))
