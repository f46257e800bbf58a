"""One dense quadratic program that is solved again and again with a little different numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robot.arrays import Array
from robot.control.proxqp import proxqp


@dataclass(frozen=True)
class SolverConfig:
    """When the solver is content, and when it gives up.

    Attributes:
        tolerance: Largest violation of a constraint or of the optimality condition, in scaled
            units.
        proximal: Weight of the distance to the last iterate that the solver adds. What it adds it
            must take back: with its default of 1e-6, twice the iterations.
        iterations: Most outer iterations.
        inner_iterations: Most inner iterations of each; without this cap a program without a
            solution was seen to take 229 ms.
        failures: Consecutive failures after which the controller raises.
    """

    tolerance: float = 1e-6
    proximal: float = 1e-9
    iterations: int = 20
    inner_iterations: int = 60
    failures: int = 10


class DenseQP:
    """Minimizes x'Hx/2 + g'x subject to A x = b, l <= C x <= u and lower <= x <= upper.

    The arrays are allocated once and written in place by whoever knows their meaning; `solve`
    hands them to ProxQP, warm-started from the last solution.

    Attributes:
        hessian: H. Shape (n, n).
        gradient: g. Shape (n,).
        equality: A. Shape (n_equal, n).
        equal: b. Shape (n_equal,).
        rows: C. Shape (n_rows, n).
        row_lower: l. Shape (n_rows,).
        row_upper: u. Shape (n_rows,).
        lower: Shape (n,).
        upper: Shape (n,).
    """

    def __init__(self, n: int, n_equal: int, n_rows: int, config: SolverConfig) -> None:
        """Allocate a program without constraints.

        Args:
            n: Number of unknowns.
            n_equal: Number of equalities.
            n_rows: Number of two-sided inequalities.
            config: Tolerance and caps.
        """
        self.hessian = np.eye(n)
        self.gradient = np.zeros(n)
        self.equality = np.zeros((n_equal, n))
        self.equal = np.zeros(n_equal)
        self.rows = np.zeros((n_rows, n))
        self.row_lower = np.full(n_rows, -np.inf)
        self.row_upper = np.full(n_rows, np.inf)
        self.lower = np.full(n, -np.inf)
        self.upper = np.full(n, np.inf)
        self._qp = proxqp.dense.QP(n, n_equal, n_rows, True)
        settings = self._qp.settings
        settings.eps_abs = config.tolerance
        settings.eps_rel = 0.0
        settings.default_rho = config.proximal
        settings.max_iter = config.iterations
        settings.max_iter_in = config.inner_iterations
        settings.initial_guess = proxqp.InitialGuess.WARM_START_WITH_PREVIOUS_RESULT
        settings.check_duality_gap = False
        self._started = False

    def forget(self) -> None:
        """Start the next solve cold."""
        self._started = False

    def solve(self) -> Array | None:
        """Return the minimizer, or None if none was found within the caps. Shape (n,)."""
        matrices = (
            self.hessian,
            self.gradient,
            self.equality,
            self.equal,
            self.rows,
            self.row_lower,
            self.row_upper,
            self.lower,
            self.upper,
        )
        if self._started:
            self._qp.update(*matrices)
        else:
            self._qp.settings.initial_guess = proxqp.InitialGuess.EQUALITY_CONSTRAINED_INITIAL_GUESS
            self._qp.init(*matrices)
        self._qp.solve()
        self._qp.settings.initial_guess = proxqp.InitialGuess.WARM_START_WITH_PREVIOUS_RESULT
        solved = self._qp.results.info.status == proxqp.QPSolverOutput.PROXQP_SOLVED
        # After a failure the stored multipliers are worth nothing.
        self._started = solved
        return np.array(self._qp.results.x) if solved else None
