"""After a failure: how often something is tried again, and where a plan is taken up again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from policies.sense import Sense
from tasks.phases import Motion, Phase

# Names of the phases with which a part begins to be carried back.
_CARRYING = ("around", "carry")
# A part thinner than this share of its width is no part: the hand is empty.
_LOST_SHARE = 0.85


@dataclass(frozen=True)
class ScriptedConfig:
    """How stubborn the script is.

    Attributes:
        regrasps: How often it tries again to take a part from its place.
        retries: How often it tries again to insert the part it holds.
        relocks: How often it tries again after a lock did not go in: a latch that did not click
            seldom clicks the next time.
        reseats: How often it tries again to push a part past what stops it in its mouth; that may
            be another key.
        fetches: How often it fetches another part after losing or giving up one.
        use_touch: Whether it corrects for how the pads feel the part.
        use_contact: Whether it follows how the part meets its counterpart, and acts on it.
        back_off_m: How far it draws back before trying again, in m.
        askew_m: A part that is felt to be held further off than this is put down where it was and
            taken again, where it was felt to be, as often as `regrasps`, in m; where the plan names
            the place it was taken from. What is not felt for sure is left as it is.
        askew_rad: Likewise one that is held at more than this angle, in rad.
    """

    regrasps: int = 3
    retries: int = 4
    relocks: int = 1
    reseats: int = 2
    fetches: int = 2
    use_touch: bool = True
    use_contact: bool = True
    back_off_m: float = 0.015
    askew_m: float = 0.005
    askew_rad: float = 0.175

    def __post_init__(self) -> None:
        """Refuse limits below which no grasp lies."""
        for name in ("back_off_m", "askew_m", "askew_rad"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected more than 0, got {getattr(self, name)}")

    @property
    def bounds(self) -> dict[str, int]:
        """How often something is tried again, by kind."""
        return {
            "regrasp": self.regrasps,
            "retry": self.retries,
            "relock": self.relocks,
            "reseat": self.reseats,
            "fetch": self.fetches,
        }

    def askew(self, sense: Sense) -> bool:
        """Return whether a part is felt to be held so far off that it is worth taking again."""
        felt, shift_x, shift_z, angle = sense.in_hand
        off = math.hypot(shift_x, shift_z) > self.askew_m
        return self.use_touch and felt > 0.5 and (off or abs(angle) > self.askew_rad)


def is_empty(phases: Sequence[Phase], sense: Sense) -> bool:
    """Return whether the fingers are closer together than on the part that a plan takes."""
    width = next(p.limits["width_mm"] for p in phases if p.motion is Motion.GRASP)
    return sense.opening < _LOST_SHARE * 1e-3 * width


def named(phases: Sequence[Phase], name: str, operation: str) -> int | None:
    """Return the phase of a name in a piece of work, or None."""
    return next(
        (
            i
            for i, phase in enumerate(phases)
            if phase.name == name and phase.operation == operation
        ),
        None,
    )


def following(phases: Sequence[Phase], operation: str) -> int:
    """Return the first phase after a piece of work; the end if it has no name."""
    if not operation:
        return len(phases)
    return 1 + max(i for i, phase in enumerate(phases) if phase.operation == operation)


def put_back(phases: Sequence[Phase], operation: str) -> int | None:
    """Return the phase with which the part of a piece of work is carried back, or None.

    It belongs to the work that undoes this one: after it was given up, all but this is idle.
    """
    return next(
        (
            i
            for i, phase in enumerate(phases)
            if operation and phase.requires == operation and phase.name in _CARRYING
        ),
        None,
    )
