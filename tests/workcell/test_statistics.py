import numpy as np
import pytest
from scipy.stats import binomtest

from workcell.statistics import (
    Paired,
    bootstrap_interval,
    clopper_pearson,
    difference_interval,
    lower_bound,
    mcnemar,
    trials_needed,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # 20 of 20: the project's own example; 81 of 263: Newcombe, Statistics in Medicine 17 (1998).
    [(20, 20, 0.8389, 1.0), (0, 20, 0.0, 0.1611), (81, 263, 0.2553, 0.3662), (0, 0, 0.0, 1.0)],
)
def test_wilson_matches_published_values(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_is_exact_at_its_ends():
    assert all(wilson(0, n)[0] == 0.0 and wilson(n, n)[1] == 1.0 for n in range(1, 200))


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 2)])
def test_impossible_counts_are_refused(interval, successes, n):
    with pytest.raises(ValueError, match="successes"):
        interval(successes, n)


@pytest.mark.parametrize(("successes", "n"), [(0, 7), (3, 7), (7, 7), (297, 300), (587, 600)])
def test_the_exact_interval_is_the_one_that_scipy_finds_by_search(successes, n):
    found = binomtest(successes, n).proportion_ci(0.95, "exact")
    assert clopper_pearson(successes, n) == pytest.approx((found.low, found.high), abs=1e-9)


def test_without_a_trial_nothing_is_known():
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    assert lower_bound(0, 0) == 0.0


@pytest.mark.parametrize(
    ("claim", "failures", "n"),
    [(0.95, 0, 59), (0.95, 3, 153), (0.99, 0, 299), (0.99, 1, 473), (0.995, 2, 1258)],
)
def test_as_many_trials_are_needed_as_tables_say(claim, failures, n):
    assert trials_needed(claim, failures) == n
    assert lower_bound(n - failures, n) >= claim > lower_bound(n - 1 - failures, n - 1)


@pytest.mark.parametrize("claim", [0.0, 1.0, 1.2, 0.999_999_99])
def test_a_claim_that_nobody_can_show_is_refused(claim):
    with pytest.raises(ValueError, match="claim"):
        trials_needed(claim)


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    # 1 and 7: M. W. Fagerland et al., Statistics in Medicine 33 (2014), airway data.
    [(1, 7, 0.0703), (6, 0, 0.03125), (8, 1, 0.0391), (10, 2, 0.0386), (0, 0, 1.0), (4, 4, 1.0)],
)
def test_mcnemar_is_exact_and_knows_pairs_of_one_success_only(only_a, only_b, p):
    assert mcnemar(Paired(5, only_a, only_b, 3)) == pytest.approx(p, abs=5e-5)
    assert mcnemar(Paired(5, only_a, only_b, 3)) == mcnemar(Paired(500, only_b, only_a, 0))


@pytest.mark.parametrize(
    ("pairs", "low", "high"),
    [
        # Fagerland et al. (2014), airway data, the interval of Newcombe.
        (Paired(1, 1, 7, 12), 0.0256, 0.507),
        # Newcombe (1998), method 10.
        (Paired(36, 12, 2, 0), -0.3404, -0.0569),
    ],
)
def test_the_difference_of_paired_rates_matches_published_intervals(pairs, low, high):
    assert difference_interval(pairs) == pytest.approx((low, high), abs=1e-3)
    swapped = Paired(pairs.both, pairs.only_b, pairs.only_a, pairs.neither)
    assert difference_interval(swapped) == pytest.approx((-high, -low), abs=1e-3)


def test_pairs_that_always_agree_leave_the_narrowest_interval():
    agreeing, unrelated = Paired(50, 0, 0, 50), Paired(25, 25, 25, 25)
    assert difference_interval(agreeing)[1] < 0.6 * difference_interval(unrelated)[1]
    assert difference_interval(Paired(0, 0, 0, 0)) == (-1.0, 1.0)


def test_the_interval_of_a_difference_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        a = rng.random(80) < 0.9
        b = np.where(rng.random(80) < 0.5, a, rng.random(80) < 0.8)
        pairs = Paired(
            int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum())
        )
        low, high = difference_interval(pairs)
        covered += low <= -0.05 <= high
    assert 0.92 < covered / 400 < 0.99


def test_the_bootstrap_finds_the_interval_of_a_mean():
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    low, high = bootstrap_interval(values, np.mean, seed=4)
    reach = 1.96 * values.std() / 20.0
    assert low == pytest.approx(values.mean() - reach, abs=0.03)
    assert high == pytest.approx(values.mean() + reach, abs=0.03)


def test_the_bootstrap_depends_on_its_seed_alone():
    values = np.random.default_rng(0).normal(size=30)
    once = bootstrap_interval(values, np.mean, seed=1)
    assert bootstrap_interval(values, np.mean, seed=1) == once
    assert bootstrap_interval(values, np.mean, seed=2) != once
    assert bootstrap_interval([1.0], np.mean) is None
