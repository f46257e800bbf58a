"""A claim about a success rate, and what a number of cycles says about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from robot.errors import ConfigError
from workcell.rates import at_least, at_most
from workcell.statistics import clopper_pearson, lower_bound, trials_needed

# With which one-sided confidence a claim is shown or refuted.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class ClaimCheck:
    """What some cycles say about a claim.

    Attributes:
        claim: The success rate that is claimed.
        confidence: Of both one-sided bounds.
        n: How many cycles have ended.
        cycles: How many were asked for; there is no verdict before all of them have ended.
        failures: How many of them failed.
        lower_bound: What the rate is at least, by Clopper and Pearson.
        upper_bound: What the rate is at most, likewise.
        needed: How many cycles show the claim with as many failures, or None for more than
            anybody can run.
        verdict: `shown` if the rate is at least the claim, `refuted` if it is below, else `open`,
            which it also is as long as a cycle is left.
    """

    claim: float
    confidence: float
    n: int
    cycles: int
    failures: int
    lower_bound: float
    upper_bound: float
    needed: int | None
    verdict: str

    @property
    def shown(self) -> bool:
        """Whether the cycles show the claim."""
        return self.verdict == "shown"

    def as_json(self) -> dict[str, Any]:
        """Return the check as plain values."""
        return asdict(self)

    def sentence(self) -> str:
        """Return the check in words."""
        claim, sure = _percent(self.claim), _percent(self.confidence)
        if self.shown:
            return (
                f"shown: at least {at_least(self.lower_bound, 2)} % with {sure} confidence, "
                f"{claim} claimed"
            )
        if self.verdict == "refuted":
            return (
                f"refuted: at most {at_most(self.upper_bound, 2)} % with {sure} confidence, "
                f"{claim} claimed"
            )
        if self.n < self.cycles:
            return f"open: not complete, {self.n} of {self.cycles} cycles ended, {claim} claimed"
        failures = f"{self.failures} failure{'s' if self.failures != 1 else ''}"
        needed = "millions of" if self.needed is None else str(self.needed)
        return (
            f"open: at least {at_least(self.lower_bound, 2)} % with {sure} confidence, "
            f"{claim} claimed; with {failures} it takes {needed} cycles"
        )


def check_claim(claim: float, successes: int, n: int, cycles: int | None = None) -> ClaimCheck:
    """Return what some cycles say about a claim.

    Both bounds hold if the number of cycles was fixed before the first of them; whoever looks and
    goes on until a claim is shown, or stops once it is, shows it too often. So nothing is shown or
    refuted by a part of them.

    Args:
        claim: A success rate between 0 and 1.
        successes: How many cycles succeeded.
        n: How many have ended.
        cycles: How many were asked for; as many as have ended if omitted.
    """
    cycles = n if cycles is None else cycles
    low = lower_bound(successes, n, CONFIDENCE)
    high = clopper_pearson(successes, n, 2.0 * CONFIDENCE - 1.0)[1]
    needed = cycles_needed(claim, n - successes)
    # The same condition as `low >= claim`, without its rounding.
    shown = needed is not None and n >= needed
    verdict = "shown" if shown else "refuted" if high < claim else "open"
    if n < cycles:
        verdict = "open"
    return ClaimCheck(claim, CONFIDENCE, n, cycles, n - successes, low, high, needed, verdict)


def least_cycles(claim: float) -> int:
    """Return how many cycles without a failure show a claim.

    Raises:
        ConfigError: If no number of cycles can show it.
    """
    if not 0.0 < claim < 1.0:
        raise ConfigError(
            f"--claim: expected a success rate between 0 and 1, such as 0.99, got {claim:g}"
        )
    needed = cycles_needed(claim, 0)
    if needed is None:
        raise ConfigError(f"--claim: {claim:g} takes millions of cycles to show")
    return needed


def cycles_needed(claim: float, failures: int) -> int | None:
    """Return how many cycles with so many failures show a claim; None if nobody could run them."""
    try:
        return trials_needed(claim, failures, CONFIDENCE)
    except ValueError:
        return None


def _percent(rate: float) -> str:
    """Return a rate with as many digits as a rate close to 1 needs."""
    return f"{100.0 * rate:.4g} %"
