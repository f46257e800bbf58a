"""The steps in which an arm is corrected, and what came of each until the next.

A step of the environment is one in which some arm is corrected; meanwhile others may be idle. What
is asked of an idle arm has no effect, and no critic learns what its states are worth. They are
therefore not learned from, and nothing is estimated from them either: what comes between two
decisions of an arm is paid to the first, discounted, and the second is where it leads to (options,
Sutton, Precup and Singh, "Between MDPs and semi-MDPs", Artificial Intelligence 112, 1999).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.rollout import Chunk, Float32, Seen

Flags = NDArray[np.bool_]


def advantages(
    rewards: Float32,
    values: Float32,
    corrected: Flags,
    ended: Flags,
    discount: float,
    trace: float,
) -> tuple[Float32, Flags]:
    """Return how much better than expected the decisions of each lane turned out.

    Generalized advantage estimation (Schulman et al., 2016, arXiv 1506.02438) from one decision of
    a lane to its next. The last decision of a lane whose episode goes on is where the one before
    it leads to, and gets none itself: what comes of it is not known yet.

    Args:
        rewards: Of each step; in one that is cut off with what would have come. Shape (T, lanes).
        values: What the critic expects before each step; of idle lanes ignored. Shape (T, lanes).
        corrected: Which steps are decisions. Shape (T, lanes).
        ended: After which steps an episode is over. Shape (T, lanes).
        discount: Per step, decision or not.
        trace: Lambda, per decision.

    Returns:
        Advantages, zero where there is none, and where there is one. Shapes (T, lanes).
    """
    found, known_at = np.zeros_like(rewards), np.zeros_like(corrected)
    lanes = rewards.shape[1]
    # What the next decision is worth seen from here, its advantage, and whether it is there.
    worth, carried = np.zeros(lanes, np.float32), np.zeros(lanes, np.float32)
    known = np.zeros(lanes, np.bool_)
    for t in reversed(range(len(rewards))):
        going_on = ~ended[t]
        worth, carried, known = worth * going_on, carried * going_on, known | ended[t]
        decided = corrected[t]
        paid = rewards[t] + discount * worth
        advantage = paid - values[t] + discount * trace * carried
        known_at[t] = decided & known
        found[t] = np.where(known_at[t], advantage, 0.0)
        worth = np.where(decided, values[t], paid)
        carried = np.where(decided, found[t], discount * carried)
        known = known | decided
    return found, known_at


@dataclass(frozen=True)
class Transition:
    """A decision, and what came of it.

    Attributes:
        seen: Before it, by key. Shapes (size,).
        after: At the next decision, or at the end of the episode. Shapes (size,).
        action: Shape (size,).
        reward: Until then, discounted.
        discount: Of what comes then.
        ended: Whether the episode was over then.
        truncated: Whether it was cut off, so that it would have gone on.
    """

    seen: Seen
    after: Seen
    action: Float32
    reward: float
    discount: float
    ended: bool
    truncated: bool


class Decisions:
    """Makes transitions of what comes chunk by chunk."""

    def __init__(self, discount: float) -> None:
        """Begin.

        Args:
            discount: Per step.
        """
        self._discount = discount
        self._open: dict[tuple[int, int], _Open] = {}

    def forget(self) -> None:
        """Drop the decisions of which nothing has come yet."""
        self._open.clear()

    def of(self, environment: int, chunk: Chunk) -> Iterator[Transition]:
        """Yield the transitions that a chunk completes, in the order in which it does.

        Args:
            environment: Whose chunk it is; its chunks come in order.
            chunk: What was collected.
        """
        for t, arm in np.ndindex(chunk.rewards.shape):
            lane = (environment, arm)
            if chunk.corrected[t, arm]:
                seen = {key: value[t, arm] for key, value in chunk.seen.items()}
                before = self._open.get(lane)
                if before is not None:
                    yield before.leads_to(seen, False, False)
                self._open[lane] = _Open(seen, chunk.actions[t, arm])
            current = self._open.get(lane)
            if current is None:
                continue
            current.pay(float(chunk.rewards[t, arm]), self._discount)
            truncated = bool(chunk.truncated[t])
            if truncated or chunk.terminated[t]:
                after = {key: value[t, arm] for key, value in chunk.after.items()}
                yield self._open.pop(lane).leads_to(after, True, truncated)


class _Open:
    """A decision of which not all has come yet."""

    def __init__(self, seen: Seen, action: Float32) -> None:
        self._seen, self._action = seen, action
        self._reward, self._discount = 0.0, 1.0

    def pay(self, reward: float, discount: float) -> None:
        self._reward += self._discount * reward
        self._discount *= discount

    def leads_to(self, after: Seen, ended: bool, truncated: bool) -> Transition:
        return Transition(
            self._seen, after, self._action, self._reward, self._discount, ended, truncated
        )
