"""What of a script a learned correction may change, and what it sees."""

from __future__ import annotations

from dataclasses import dataclass, field

from policies.contract import Entry
from policies.correction import Authority
from policies.learned import PolicySource
from policies.residual_view import TOUCH, chosen, entries
from policies.scripted import ScriptedConfig


@dataclass(frozen=True)
class ResidualConfig:
    """What may be corrected, and what is seen of it.

    Attributes:
        authority: The largest correction.
        history: How many policy periods of force and touch the network sees.
        sees: Which entries of `policies.residual_view.entries` it sees; all if empty. A correction
            that is learned from a thousand episodes cannot depend on a hundred numbers: whatever
            it need not see only adds noise to what is learned. The critic sees them all.
        force_limit_n: Wrist force that should not be exceeded; the network is told, in N.
        shared: One network sees one arm and corrects it, and does so for each; otherwise one sees
            all arms and corrects all.
        attempts: How many attempts at a piece of work a trained policy corrects; whatever is tried
            again, except a grasp, is the next attempt. A hand that was led wrongly once would
            mostly be again: the others are the script's alone. While it is trained all are
            corrected, so that there is more to learn from.
        search_s: For how long a trained policy corrects a search, in s. A hand that is led along a
            spiral may go around outside of what it looks for, and what is not found soon is then
            not found further out either: the search begins anew, and is the script's alone. Not
            while it is trained.
        scripted: What is corrected.
        source: Which file the network was read from.
    """

    authority: Authority = field(default_factory=Authority)
    history: int = 6
    sees: tuple[str, ...] = ()
    force_limit_n: float = 30.0
    shared: bool = True
    attempts: int = 1
    search_s: float = 0.8
    scripted: ScriptedConfig = field(default_factory=ScriptedConfig)
    source: PolicySource = field(default_factory=PolicySource)

    def __post_init__(self) -> None:
        """Refuse no history, no attempt, no time and no force."""
        for name in ("history", "attempts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected 1 or more, got {getattr(self, name)}")
        for name in ("force_limit_n", "search_s"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected more than 0, got {getattr(self, name)}")
        chosen(self.described, self.sees)

    @property
    def feels_pads(self) -> bool:
        """Whether the network is shown what the pads feel."""
        return not self.sees or TOUCH in self.sees

    @property
    def described(self) -> tuple[Entry, ...]:
        """All that there is to see of one arm, in order."""
        return entries(self.authority.motions, self.history)

    def observed(self, arms: tuple[str, ...]) -> tuple[Entry, ...]:
        """Return what a network sees, in order, if it corrects these arms."""
        return self._of_arms(chosen(self.described, self.sees), arms)

    def corrected(self, arms: tuple[str, ...]) -> tuple[Entry, ...]:
        """Return what a network returns, in order, if it corrects these arms."""
        bounds = self.authority
        of = "of the tool target"
        if bounds.along_motion:
            of += ", ahead, left and along z as it goes"
        moved = (
            Entry("translation", (3,), f"{of}, 1 is {list(bounds.translation_m)} m"),
            Entry("rotation", (3,), f"{of}, 1 is {list(bounds.rotation_rad)} rad"),
            Entry("stiffness", (1,), f"added to the script's, 1 is {bounds.stiffness}"),
        )
        return self._of_arms(moved, arms)

    def _of_arms(self, of_one: tuple[Entry, ...], arms: tuple[str, ...]) -> tuple[Entry, ...]:
        if self.shared:
            return of_one
        return tuple(Entry(f"{arm}_{e.name}", e.shape, e.meaning) for arm in arms for e in of_one)
