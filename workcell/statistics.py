"""What a number of trials says about a rate, and how two rates and two times differ.

Everything here is a pure function of counts or values; where chance is used it is seeded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, betaincinv

from robot.arrays import Array

# Two-sided 95 % quantile of the standard normal distribution.
_Z95 = 1.959963984540054
# More than this many trials are not asked of anybody.
_MOST_TRIALS = 10_000_000
# Numbers that are drawn at once by the bootstrap, to bound its memory.
_DRAWN_AT_ONCE = 2_000_000


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a success rate.

    Unlike the normal approximation it stays inside 0 to 1 and is not empty at 0 or n successes:

        (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)

    Source: E. B. Wilson, Probable Inference, JASA 22 (1927). Without a trial it is 0 to 1.

    Args:
        successes: How many succeeded.
        n: How many were tried.

    Raises:
        ValueError: If there are more successes than trials, or fewer than none.
    """
    _check(successes, n)
    if n == 0:
        return 0.0, 1.0
    p, z2 = successes / n, _Z95 * _Z95
    middle = p + z2 / (2 * n)
    reach = _Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    scale = 1 + z2 / n
    # Rounding must not turn the exact bounds at none and at all into -1e-17 or 1 - 1e-16.
    low = 0.0 if successes == 0 else (middle - reach) / scale
    high = 1.0 if successes == n else (middle + reach) / scale
    return low, high


def clopper_pearson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a success rate: it covers the truth at least this often.

    The bounds are the rates at which so many successes or more, or so many or fewer, are seen
    with probability (1 - confidence) / 2; both are quantiles of beta distributions.

    Source: C. J. Clopper, E. S. Pearson, Biometrika 26 (1934).

    Args:
        successes: How many succeeded.
        n: How many were tried.
        confidence: Of the two-sided interval.

    Raises:
        ValueError: If there are more successes than trials, or fewer than none.
    """
    _check(successes, n)
    tail = 0.5 * (1.0 - confidence)
    low = betaincinv(successes, n - successes + 1, tail) if successes else 0.0
    high = betaincinv(successes + 1, n - successes, 1.0 - tail) if successes < n else 1.0
    return float(low), float(high)


def lower_bound(successes: int, n: int, confidence: float = 0.95) -> float:
    """Return what a success rate is at least: the one-sided bound of Clopper and Pearson.

    Args:
        successes: How many succeeded.
        n: How many were tried.
        confidence: Of the one-sided bound.
    """
    return clopper_pearson(successes, n, 2.0 * confidence - 1.0)[0]


def trials_needed(claim: float, failures: int = 0, confidence: float = 0.95) -> int:
    """Return how many trials with so many failures show that a rate is at least `claim`.

    The smallest n with P(at most `failures` failures of n | rate = claim) ≤ 1 - confidence, which
    is when `lower_bound` reaches the claim.

    Args:
        claim: The rate, between 0 and 1.
        failures: How many failures are to be allowed for.
        confidence: Of the one-sided bound.

    Raises:
        ValueError: If the claim is not between 0 and 1, or needs more than ten million trials.
    """
    if not 0.0 < claim < 1.0:
        raise ValueError(f"claim: expected a rate between 0 and 1, got {claim}")

    def shown(n: int) -> bool:
        return float(bdtr(failures, n, 1.0 - claim)) <= 1.0 - confidence

    few, enough = failures, failures + 1
    while not shown(enough):
        few, enough = enough, 2 * enough
        if enough > _MOST_TRIALS:
            raise ValueError(f"claim: {claim} needs more than {_MOST_TRIALS} trials")
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if shown(middle) else (middle, enough)
    return enough


@dataclass(frozen=True)
class Paired:
    """How often each of two succeeded on the same trials.

    Attributes:
        both: Both succeeded.
        only_a: The first alone succeeded.
        only_b: The second alone succeeded.
        neither: None did.
    """

    both: int
    only_a: int
    only_b: int
    neither: int

    @property
    def n(self) -> int:
        """How many pairs there are."""
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def difference(self) -> float:
        """Rate of the second less rate of the first; 0 without a pair."""
        return (self.only_b - self.only_a) / self.n if self.n else 0.0


def mcnemar(pairs: Paired) -> float:
    """Return how likely pairs as uneven as these are if neither is better: exact, two-sided.

    Only pairs of which one succeeded say anything; without a difference each is a toss of a coin.

    Source: Q. McNemar, Psychometrika 12 (1947), with the binomial distribution in place of its
    approximation.
    """
    discordant = pairs.only_a + pairs.only_b
    if discordant == 0:
        return 1.0
    return min(1.0, 2.0 * float(bdtr(min(pairs.only_a, pairs.only_b), discordant, 0.5)))


def difference_interval(pairs: Paired) -> tuple[float, float]:
    """Return the 95 % interval of the second's rate less the first's, paired.

    Both Wilson intervals, squared and added with the correlation φ of the pairs; φ is corrected
    for continuity where it is positive.

    Source: R. G. Newcombe, Improved confidence intervals for the difference between binomial
    proportions based on paired data, Statistics in Medicine 17 (1998), method 10. Without a pair it
    is -1 to 1.
    """
    n = pairs.n
    if n == 0:
        return -1.0, 1.0
    a, b = pairs.both + pairs.only_a, pairs.both + pairs.only_b
    (low_a, high_a), (low_b, high_b) = wilson(a, n), wilson(b, n)
    rate_a, rate_b = a / n, b / n
    product = float(pairs.both * pairs.neither - pairs.only_a * pairs.only_b)
    if product > 0.0:
        product = max(product - n / 2, 0.0)
    scale = math.sqrt(a * (n - a)) * math.sqrt(b * (n - b))
    phi = product / scale if scale else 0.0

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(0.0, one * one - 2.0 * phi * one * other + other * other))

    middle = rate_b - rate_a
    return (
        middle - reach(rate_b - low_b, high_a - rate_a),
        middle + reach(high_b - rate_b, rate_a - low_a),
    )


def bootstrap_interval(
    values: Sequence[float] | Array,
    statistic: Callable[..., Array],
    seed: int = 0,
    resamples: int = 10_000,
) -> tuple[float, float] | None:
    """Return the 95 % interval of a statistic by resampling; None for fewer than two values.

    Source: B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13, the
    percentile interval.

    Args:
        values: What is resampled. Shape (n,).
        statistic: Such as `numpy.median`: takes an array and the keyword `axis`.
        seed: Of the resampling; the same seed gives the same interval.
        resamples: How often.
    """
    data = np.asarray(values, dtype=np.float64)
    n = len(data)
    if n < 2:
        return None
    rng = np.random.default_rng(seed)
    at_once = max(1, _DRAWN_AT_ONCE // n)
    found = []
    for done in range(0, resamples, at_once):
        drawn = rng.integers(0, n, (min(at_once, resamples - done), n))
        found.append(statistic(data[drawn], axis=1))
    low, high = np.quantile(np.concatenate(found), (0.025, 0.975))
    return float(low), float(high)


def _check(successes: int, n: int) -> None:
    if not 0 <= successes <= n:
        raise ValueError(f"successes: expected 0 to {n}, got {successes}")
