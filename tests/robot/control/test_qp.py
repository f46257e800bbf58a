import numpy as np
import pytest

from robot.control.objectives import LeastSquares, Posture, PostureConfig
from robot.control.qp import DenseQP, SolverConfig


def program():
    """Return: the point of x + y = 1 with x in [-1, 0.2] nearest to the origin."""
    qp = DenseQP(2, 1, 1, SolverConfig(tolerance=1e-8))
    qp.equality[:] = 1.0
    qp.equal[:] = 1.0
    qp.rows[:] = [[1.0, 0.0]]
    qp.row_lower[:] = -1.0
    qp.row_upper[:] = 0.2
    return qp


def test_equalities_rows_and_box_are_obeyed():
    qp = program()
    assert qp.solve() == pytest.approx([0.2, 0.8], abs=1e-6)
    qp.upper[0] = 0.1
    assert qp.solve() == pytest.approx([0.1, 0.9], abs=1e-6)


def test_a_contradiction_is_no_solution_and_is_forgotten():
    qp = program()
    qp.solve()
    qp.lower[:] = 5.0
    assert qp.solve() is None
    qp.lower[:] = -np.inf
    assert qp.solve() == pytest.approx([0.2, 0.8], abs=1e-6)


def test_stacked_objectives_give_the_weighted_least_squares_solution():
    rng = np.random.default_rng(1)
    jacobian, wanted = rng.normal(size=(6, 4)), rng.normal(size=6)
    weights = np.array([1.0, 2.0, 3.0, 4.0, 4.0, 4.0])
    stack = LeastSquares(6, 4)
    stack.set(0, jacobian[:3], wanted[:3], weights[:3])
    stack.set(3, jacobian[3:], wanted[3:], 4.0)
    hessian, gradient = np.empty((4, 4)), np.empty(4)
    stack.write(hessian, gradient)
    root = np.sqrt(weights)
    expected = np.linalg.lstsq(root[:, None] * jacobian, root * wanted, rcond=None)[0]
    assert np.linalg.solve(hessian, -gradient) == pytest.approx(expected)


def test_a_held_arm_is_drawn_back_harder_than_a_free_one():
    posture = Posture(np.array([True, False, False]), PostureConfig())
    posture.hold(np.array([False, True, False]), np.array([9.0, 0.5, 9.0]))
    diagonal, gradient = np.zeros(3), np.zeros(3)
    posture.add(diagonal, gradient, np.array([0.0, 0.4, 0.0]), np.zeros(3))
    config = PostureConfig()
    assert diagonal.tolist() == [config.trunk_weight, config.held_weight, config.weight]
    assert gradient == pytest.approx([0.0, -config.held_weight * config.stiffness * 0.1, 0.0])
    posture.release(np.array([False, True, False]))
    diagonal[:] = 0.0
    posture.add(diagonal, gradient, np.zeros(3), np.zeros(3))
    assert diagonal[1] == config.weight


def test_a_trunk_that_is_to_lean_turns_its_own_joints_and_no_others():
    config = PostureConfig()
    posture = Posture(np.array([True, False]), config)

    def added():
        diagonal, gradient = np.zeros(2), np.zeros(2)
        posture.add(diagonal, gradient, np.zeros(2), np.zeros(2))
        return diagonal.tolist(), gradient.tolist()

    upright = added()
    posture.lean(np.array([0.5, 0.5]))
    diagonal, gradient = added()
    assert diagonal == [config.lean_weight, config.weight]
    turn = config.lean_share * 0.5
    assert gradient == pytest.approx([-config.lean_weight * config.stiffness * turn, 0.0])
    posture.lean(None)
    assert added() == upright
