"""The law of a push-pull connector along its axis, shared by plan, judgement and physics.

A plug is a shell, which the hand holds, that slides on a contact body, which the cable hangs on.
Depths are along the socket's axis from its mouth:

    x  depth of the nose with the slide at rest, from the shell's pose
    c  slide: how far the shell is ahead of the contact body; 0 at rest, `lock_stroke` when locked,
       `-release_stroke` when it holds the latch open
    s  depth of the contact body, s = x - c

The order of mating is fixed by what blocks what: the contacts go in to `latch_depth`, the latch
clicks, the push is relaxed (the slide jams while the latch is under load), the slide goes in, and
its last part closes the interlock. Unmating is the reverse: the interlock opens first, then the
slide is back, then the latch is held open, then the contacts leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

# Over so much before it clicks the latch is bent open, in m.
LATCH_RAMP = 1.5e-3
# The slide's detent: over so much at the locked end it takes its whole force, in m.
DETENT = 5e-4
# A chain of contact and slide is this stiff, in N/m: what can be pulled without anything slipping.
# Explicit integration at 1 kHz needs k dt^2 / m well below 4, also for a plug of 0.2 kg.
STIFFNESS = 1.5e5


class Engagement(Enum):
    """How far a plug is in at the start of an episode; a docked plug is mated with its dock."""

    FREE = "free"
    HALF = "half"
    MATED = "mated"
    LOCKED = "locked"


@dataclass(frozen=True)
class MatingProfile:
    """Strokes and forces of one kind of plug in one kind of socket.

    Attributes:
        stroke: Depth at which the contact body bottoms out, in m.
        engage_depth: Depth at which the contacts begin to touch, in m.
        peak_depth: Depth of the largest force, in m.
        peak_force: Largest force of mating, in N.
        friction: Force of going on once the peak has faded, just before the latch, in N.
        drag: What seal and grease add per speed of the contact body, in N·s/m.
        unmating_force: Largest force of pulling out a released plug, in N.
        latches: Whether there is a latch at all; a dock has none.
        click_drop: What the force falls by when the latch clicks, in N.
        play: Of the latched contact body, in m; the latch clicks so much before the stroke ends.
        retention: Pull on the contact body that breaks the latch, in N.
        release_stroke: How far the shell is drawn back to hold the latch open, in m.
        release_force: What that takes, in N.
        lock_stroke: How far the slide goes in, in m; 0 if there is none.
        lock_force: What that takes once latched, in N.
        unlock_force: What drawing it back takes, in N.
        blocked_force: Push that forces the slide in although the latch blocks it, in N.
        arm_force: The slide is free once the push was less than this since the click, in N.
        interlock_slide: Slide at which the interlock contact closes, in m.
        power_depth: Depth at which the power contacts part, in m.
        pin_depth: Depth from which pins can be bent, in m.
        pin_tilt: Tilt beyond which a push bends a pin, in rad.
        pin_offset: Offset of the nose from the axis beyond which it does, in m.
        pin_force: Push that does, in N.
        key_depth: Where a plug that does not match the socket stops at the latest, in m.
        key_force: Push on a plug that does not match that counts as forcing it, in N.
        max_force: Push that counts as too much for any plug, in N.
        seal_stiffness: With which seal and contact springs straighten a plug that is home, in
            N·m/rad; less before, none until the contacts touch.
        half_share: How far in a plug is that starts half in, as a share of the stroke.
    """

    stroke: float
    engage_depth: float
    peak_depth: float
    peak_force: float
    friction: float
    drag: float
    unmating_force: float
    latches: bool
    click_drop: float
    play: float
    retention: float
    release_stroke: float
    release_force: float
    lock_stroke: float
    lock_force: float
    unlock_force: float
    blocked_force: float
    arm_force: float
    interlock_slide: float
    power_depth: float
    pin_depth: float
    pin_tilt: float
    pin_offset: float
    pin_force: float
    key_depth: float
    key_force: float
    max_force: float
    seal_stiffness: float = 30.0
    half_share: float = 0.6

    def __post_init__(self) -> None:
        """Refuse strokes, forces or an order that contradict each other; names the field."""
        self._check_mating()
        if self.latches:
            self._check_latch()
            self._check_lock()
        elif self.lock_stroke > 0.0:
            raise ValueError(
                f"lock_stroke: expected 0 without a latch, which frees it, got {self.lock_stroke}"
            )

    @property
    def latch_depth(self) -> float:
        """Depth at which the latch clicks, in m."""
        return self.stroke - self.play

    @property
    def full_depth(self) -> float:
        """Depth of the shell when mated and locked, in m."""
        return self.stroke + self.lock_stroke

    @property
    def power_gap(self) -> float:
        """How far the shell moves from opening the interlock to parting the power contacts, in m.

        The quickest way: the slide back, the latch held open, the contacts out.
        """
        out = self.stroke - self.power_depth
        return self.interlock_slide + self.release_stroke + out if self.latches else out

    def depth(self, engagement: Engagement) -> float:
        """Return the shell's depth at the start of an episode, in m; -0.05 if free."""
        return {
            Engagement.FREE: -0.05,
            Engagement.HALF: self.half_share * self.stroke,
            Engagement.MATED: self.stroke,
            Engagement.LOCKED: self.full_depth,
        }[engagement]

    def _check_mating(self) -> None:
        _between("stroke", self.stroke, 1e-3, 0.05, "m")
        _between("play", self.play, 0.0, 1e-3, "m")
        last = self.latch_depth - LATCH_RAMP - 1e-4
        _between("peak_depth", self.peak_depth, 0.0, last, "m, so that the latch comes after it")
        _between("engage_depth", self.engage_depth, 0.0, self.peak_depth, "m, before the peak")
        _between("peak_force", self.peak_force, 0.1, self.max_force, "N, max_force")
        _between("friction", self.friction, 0.0, self.peak_force, "N, the peak")
        _between("unmating_force", self.unmating_force, 0.0, self.max_force, "N, max_force")
        _between("pin_depth", self.pin_depth, self.engage_depth, self.stroke, "m, the stroke")
        _between("key_depth", self.key_depth, 0.0, self.pin_depth, "m, before the pins")
        _between("key_force", self.key_force, 0.0, self.max_force, "N, max_force")
        _between("half_share", self.half_share, 0.0, 0.95, "of the stroke")
        for name in (
            "drag", "pin_tilt", "pin_offset", "pin_force", "click_drop", "seal_stiffness",
        ):  # fmt: skip
            _at_least(name, getattr(self, name), 0.0)

    def _check_latch(self) -> None:
        _between(
            "click_drop", self.click_drop, 1.0, self.peak_force - self.friction,
            "N, or the latch would need more than the peak",
        )  # fmt: skip
        _at_least("retention", self.retention, max(110.0, self.unmating_force))
        _between("release_stroke", self.release_stroke, 5e-4, 0.01, "m")
        _between(
            "release_force", self.release_force, self.unlock_force, self.retention,
            "N, more than the slide takes and less than the latch holds",
        )  # fmt: skip
        _between(
            "power_depth", self.power_depth, self.engage_depth, self.latch_depth,
            "m: power contacts make after the pins touch and before the latch",
        )  # fmt: skip

    def _check_lock(self) -> None:
        if self.lock_stroke < 2.0 * DETENT:
            raise ValueError(
                f"lock_stroke: expected at least {2.0 * DETENT} m, or no click is felt, "
                f"got {self.lock_stroke}"
            )
        _between(
            "interlock_slide", self.interlock_slide, 1e-4, self.lock_stroke,
            "m of slide: the interlock closes after the latch, with the slide",
        )  # fmt: skip
        _between("lock_force", self.lock_force, 1.0, self.max_force, "N, max_force")
        _between(
            "unlock_force", self.unlock_force, 1.0, self.retention,
            "N: the slide comes back before the latch breaks",
        )  # fmt: skip
        _at_least("blocked_force", self.blocked_force, max(60.0, self.peak_force))
        _at_least("arm_force", self.arm_force, 1.0)


@dataclass(frozen=True, eq=False)
class Socket:
    """A header or a dock that a plug may come into, as it is in this episode.

    Attributes:
        name: Of the world's body whose frame is the socket frame: origin at the middle of the
            mouth, +z inwards.
        profile: Of this plug in it.
        opening: Half of the mouth along x and y, in m.
        matches: Whether kind and key are the plug's; otherwise it stops before the pins.
        clicks: Whether the latch works.
        stop: Depth at which something in it stops the plug, in m; None if it is clean.
        scale: Of the forces of mating and unmating.
    """

    name: str
    profile: MatingProfile
    opening: tuple[float, float]
    matches: bool = True
    clicks: bool = True
    stop: float | None = None
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what would be no socket."""
        if min(self.opening) <= 0.0:
            raise ValueError(f"opening: expected two positive lengths in m, got {self.opening}")
        if self.scale <= 0.0:
            raise ValueError(f"scale: expected a positive factor, got {self.scale}")
        if self.stop is not None and not 0.0 < self.stop <= self.profile.stroke:
            raise ValueError(
                f"stop: expected more than 0 and at most the stroke {self.profile.stroke} m, "
                f"got {self.stop}"
            )


@dataclass(frozen=True)
class MatingTruth:
    """What is true of a plug, for judges and displays.

    Attributes:
        socket: Name of the socket its nose is in; None if in none.
        matches: Whether that is one of its own.
        depth: Of the nose behind the mouth, in m.
        contact_depth: Of the contact body, in m; equal to the profile's stroke when home.
        slide: Of the shell on the contact body, in m.
        offset: Of the nose from the socket's axis, in m.
        tilt: Of the plug's axis against the socket's, in rad.
        force: Axial force on the plug along its way out, in N; negative when it is pulled.
        latched: Whether the latch holds the contact body.
        locked: Whether the slide is all the way in.
        interlock: Whether the interlock contact is closed.
        power: Whether the power contacts touch.
        peak_force: Largest push on an open latch since the reset, walls not counted, in N.
        latch_broken: Whether the contact body was torn off its latch.
        pin_bent: Whether a pin was bent.
        over_force: Whether the push was more than any connector stands.
        key_forced: Whether a wrong socket was pushed at too hard.
        lock_forced: Whether the slide was forced in while it was blocked.
    """

    socket: str | None
    matches: bool
    depth: float
    contact_depth: float
    slide: float
    offset: float
    tilt: float
    force: float
    latched: bool
    locked: bool
    interlock: bool
    power: bool
    peak_force: float
    latch_broken: bool
    pin_bent: bool
    over_force: bool
    key_forced: bool
    lock_forced: bool


@dataclass(frozen=True)
class MatingEvent:
    """Something of a plug that changed.

    Attributes:
        time: World's clock, in s.
        what: Name of the field of `MatingTruth`, e.g. `latched`.
        value: What it has become.
        socket: Where; None if the plug has left.
        depth: Of the nose then, in m.
        force: Then, in N.
    """

    time: float
    what: str
    value: bool
    socket: str | None
    depth: float
    force: float


def _between(name: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: expected {low:.6g} to {high:.6g} {unit}, got {value}")


def _at_least(name: str, value: float, low: float) -> None:
    if not value >= low:
        raise ValueError(f"{name}: expected at least {low:.6g}, got {value}")
