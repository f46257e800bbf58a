"""How hard things touch, from Bullet's contact points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from robot.clock import whole_multiple
from robot.sim.world import World

# Force is averaged over this time, in s: peaks of single steps are an artefact of stiff contact,
# and what is done to a part or a person is the impulse.
_WINDOW = 0.01


def contact_normal_force(world: World, name_a: str, name_b: str) -> float:
    """Return the sum of the normal forces between two bodies in the last step, in N."""
    points = world.client.getContactPoints(world.body(name_a), world.body(name_b))
    return float(sum(point[9] for point in points))


class ContactMonitor:
    """Remembers the largest force with which chosen pairs of bodies pressed on each other.

    Each pair's normal forces are summed and averaged over 10 ms.
    """

    def __init__(self, world: World, pairs: Sequence[tuple[str, str]]) -> None:
        """Watch from the next physics step on.

        Args:
            world: Where.
            pairs: Names of bodies or robots, two at a time. All points of each second body are
                looked at in every step, once for all pairs that share it.
        """
        self._get = world.client.getContactPoints
        self._names = tuple(pairs)
        # Number of the pair by first body, by second body.
        self._pairs: dict[int, dict[int, int]] = {}
        for number, (a, b) in enumerate(pairs):
            self._pairs.setdefault(world.body(b), {})[world.body(a)] = number
        self._length = whole_multiple(_WINDOW, world.physics_dt, ("window", "physics period"))
        self._forces = np.zeros((len(pairs), self._length))
        self._next = 0
        self._quiet = self._length
        self._peaks = np.zeros(len(pairs))
        world.add_sampler(self._sample)

    def reset(self) -> None:
        """Forget the past."""
        self._forces[:] = 0.0
        self._peaks[:] = 0.0
        self._quiet = self._length
        # A mean of the same forces from another place in the buffer differs in its last digits.
        self._next = 0

    def take_peak(self) -> float:
        """Return the largest force of any pair since the last call or reset, in N."""
        peak = float(self._peaks.max(initial=0.0))
        self._peaks[:] = 0.0
        return peak

    def peaks(self) -> dict[tuple[str, str], float]:
        """Return the largest force of each pair since the last `take_peak` or `reset`, in N."""
        return dict(zip(self._names, self._peaks.tolist(), strict=True))

    def _sample(self) -> None:
        self._next = (self._next + 1) % self._length
        forces: dict[int, float] = {}
        for body, numbers in self._pairs.items():
            # Asked about one body, Bullet puts it first.
            for point in self._get(body):
                number = numbers.get(point[2])
                if number is not None:
                    forces[number] = forces.get(number, 0.0) + point[9]
        self._quiet = 0 if any(forces.values()) else self._quiet + 1
        if self._quiet >= self._length:
            # Nothing has touched for a whole window; the buffer needs no looking at.
            if self._quiet == self._length:
                self._forces[:] = 0.0
            return
        self._forces[:, self._next] = 0.0
        for number, force in forces.items():
            self._forces[number, self._next] = force
        np.maximum(self._peaks, self._forces.mean(axis=1), out=self._peaks)
