"""How well contact is told from what hands sense: every policy step against the simulator's truth.

The truth is looked at for scoring only; nothing that acts sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.contact_estimator import ContactRule, contact_estimators
from policies.contact_state import ContactState
from policies.policy import Brief, Observation
from policies.sense import sense_of
from robot.errors import ConfigError
from robot.robot_config import RobotConfig
from robot.sim.fit_truth import FitTruth
from tasks.judging import SeatRule
from tasks.nut_fixture import NutFixture
from tasks.variation import Variation
from workcell.briefing import brief_of, policy_of
from workcell.build import build_sim
from workcell.config import RunConfig
from workcell.robot_cell import CellConfig

STATES = tuple(ContactState)
# Scored while a part is so close before or on its way in, and so close to the axis, in m.
_NEAR, _BESIDE = -6e-3, 8e-3
# Longer than any insertion takes that still succeeds at its last retry, in s.
_LONGEST = 40.0
# A contact softer than this is none that a wrist could tell from noise, in N.
_SOFTEST = 0.5


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often each state was taken for each.

    Attributes:
        counts: Policy steps: row the truth, column what was told, in the order of `STATES`.
            Shape (6, 6).
        insertions: Parts that were followed.
    """

    counts: NDArray[np.int64]
    insertions: int

    @property
    def n(self) -> int:
        """How many policy steps were judged."""
        return int(self.counts.sum())

    @property
    def right(self) -> int:
        """How many of them were told right."""
        return int(np.trace(self.counts))

    def recall(self, state: ContactState) -> tuple[int, int]:
        """Return how often a state was told when it was so, and how often it was so."""
        row = STATES.index(state)
        return int(self.counts[row, row]), int(self.counts[row].sum())

    def precision(self, state: ContactState) -> tuple[int, int]:
        """Return how often a state was so when it was told, and how often it was told."""
        column = STATES.index(state)
        return int(self.counts[column, column]), int(self.counts[:, column].sum())


class TrueContact:
    """Names the true state of one part, whose past it must know: what is wedged does not move.

    A nut whose face is on the seat is seated here though the hand holds it askew within its play:
    whether it sits well is judged once it was let go.
    """

    def __init__(self, rule: ContactRule, dt: float) -> None:
        """Begin.

        Args:
            rule: What counts as pushed, and as still.
            dt: Between two looks, in s.
        """
        self._rule = rule
        self._dt = dt
        self._still = 0.0
        self._gap: float | None = None

    def state(self, truth: FitTruth) -> ContactState:
        """Return the state of a part, once every policy step."""
        rule = self._rule
        pushed = truth.force > rule.wedged_n
        stays = self._gap is not None and abs(truth.gap - self._gap) < rule.still_m
        self._still = self._still + self._dt if pushed and stays else 0.0
        self._gap = truth.gap
        if truth.meshed:
            if truth.gap <= SeatRule().gap:
                return ContactState.SEATED
            stalled = self._still >= rule.stalled_s
            return ContactState.WEDGED if stalled else ContactState.MESHED
        if not truth.touching or truth.force < _SOFTEST:
            return ContactState.FREE
        return ContactState.ON_TEETH if truth.depth > rule.drop_m else ContactState.TOUCHING


def measure_contact(
    config: RunConfig,
    episodes: int,
    seed: int,
    rule: ContactRule | None = None,
    progress: Callable[[str], None] | None = None,
) -> Confusion:
    """Return how well the state of contact is told while a policy works.

    Args:
        config: With the sections `task`, `level`, `robot`, `cell` and `policy`.
        episodes: How many.
        seed: Of the first; each further one has the next.
        rule: What tells one state from another.
        progress: Called with a line for people.

    Raises:
        ConfigError: If the simulator does not know the truth for this task.
    """
    sim = build_sim(
        config.names["task"],
        config.values["task"],
        config.get("level", Variation),
        config.get("robot", RobotConfig),
        config.get("cell", CellConfig),
    )
    try:
        if not isinstance(sim.fixture, NutFixture):
            raise ConfigError(
                f"task: {config.names['task']}: contact is scored for nut_insertion only"
            )
        policy, told, insertions = policy_of(config, sim.env), Counts(), 0
        for episode in range(episodes):
            observation, _ = sim.env.reset(seed=seed + episode)
            brief, fixture = brief_of(sim.env, seed + episode), sim.fixture
            policy.reset(brief)
            watches = [
                _Watch(arm, brief, fixture, observation, rule or ContactRule())
                for arm in brief.arms
            ]
            ended = False
            while not ended and sim.env.elapsed < _LONGEST:
                observation, _, terminated, truncated, _ = sim.env.step(policy.act(observation))
                for watch in watches:
                    watch.look(observation, sim.env.elapsed, told)
                report = policy.report()
                ended = terminated or truncated or all(arm["finished"] for arm in report.values())
            insertions += sum(watch.seen for watch in watches)
            if progress is not None:
                progress(f"{episode + 1} of {episodes} episodes")
    finally:
        sim.close()
    return Confusion(told.counts, insertions)


class Counts:
    """A table that is being filled, as `Confusion.counts`."""

    def __init__(self) -> None:
        self.counts = np.zeros((len(STATES), len(STATES)), dtype=np.int64)

    def add(self, true: ContactState, told: ContactState) -> None:
        """Count one policy step."""
        self.counts[STATES.index(true), STATES.index(told)] += 1


class _Watch:
    """Follows one arm's part through an episode."""

    def __init__(
        self, arm: str, brief: Brief, fixture: NutFixture, first: Observation, rule: ContactRule
    ) -> None:
        self._arm, self._brief, self._fixture = arm, brief, fixture
        plan = [phase for phase in brief.phases if phase.arm == arm]
        (self._estimator,) = contact_estimators(plan, rule).values()
        self._truth = TrueContact(rule, brief.dt)
        # The first step of an episode is in free air: what the wrist feels there is its offset.
        self._free = sense_of(arm, first, brief, 0.0, np.zeros(6)).wrench_tool
        self.seen = False

    def look(self, observation: Observation, time: float, told: Counts) -> None:
        """Take one policy step into account, and count it while the held part is near its pin."""
        sense = sense_of(self._arm, observation, self._brief, time, self._free)
        state, truth = self._estimator.update(sense), self._fixture.truth(self._arm)
        true = self._truth.state(truth)
        if truth.held and truth.depth > _NEAR and truth.offset < _BESIDE:
            told.add(true, state)
            self.seen = True
