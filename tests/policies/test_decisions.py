"""Decisions: what comes between two of them is paid to the first, and what is idle says nothing."""

import numpy as np
import pytest

from policies.decisions import Decisions, advantages
from policies.rollout import Chunk

DISCOUNT, TRACE = 0.9, 0.8
RNG = np.random.default_rng(0)


def drawn(steps, lanes):
    return RNG.normal(size=(2, steps, lanes)).astype(np.float32)


def flags(*lanes):
    return np.array(lanes, np.bool_).T


def estimated(rewards, values, corrected, ended):
    return advantages(rewards, values, corrected, ended, DISCOUNT, TRACE)


def test_of_decisions_in_every_step_it_is_the_estimate_that_is_well_known():
    rewards, values = drawn(5, 1)
    ended = flags([0, 0, 0, 0, 1])
    found, known = estimated(rewards, values, np.ones_like(ended), ended)
    assert known.all()
    after = np.append(values[1:, 0], 0.0)
    errors = rewards[:, 0] + DISCOUNT * after - values[:, 0]
    wanted = [sum((DISCOUNT * TRACE) ** (i - t) * errors[i] for i in range(t, 5)) for t in range(5)]
    np.testing.assert_allclose(found[:, 0], wanted, rtol=1e-5)


def test_an_idle_time_is_paid_to_the_decision_before_it():
    rewards = np.array([[1.0], [2.0], [3.0], [4.0]], np.float32)
    values = np.array([[5.0], [777.0], [-777.0], [6.0]], np.float32)
    found, known = estimated(rewards, values, flags([1, 0, 0, 1]), flags([0, 0, 0, 1]))
    last = 4.0 - 6.0
    first = 1.0 + 0.9 * 2.0 + 0.81 * 3.0 + 0.729 * 6.0 - 5.0 + TRACE * 0.729 * last
    assert known[:, 0].tolist() == [True, False, False, True]
    np.testing.assert_allclose(found[:, 0], [first, 0.0, 0.0, last], rtol=1e-6)


def test_what_an_idle_lane_is_thought_to_be_worth_changes_nothing():
    rewards, values = drawn(30, 3)
    corrected, ended = RNG.random((2, 30, 3)) < np.array([0.5, 0.1])[:, None, None]
    other = np.where(corrected, values, 1e6).astype(np.float32)
    for one, two in zip(
        estimated(rewards, values, corrected, ended),
        estimated(rewards, other, corrected, ended),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


def test_the_last_decision_of_an_episode_that_goes_on_stands_in_for_its_end():
    rewards, values = drawn(4, 1)
    found, known = estimated(rewards, values, flags([1, 1, 1, 0]), flags([0, 0, 0, 0]))
    assert known[:, 0].tolist() == [True, True, False, False]
    error = rewards[1, 0] + DISCOUNT * values[2, 0] - values[1, 0]
    np.testing.assert_allclose(found[1, 0], error, rtol=1e-5)


def test_an_episode_takes_nothing_from_the_next():
    rewards, values = drawn(4, 1)
    found, known = estimated(rewards, values, flags([1, 0, 1, 1]), flags([0, 1, 0, 0]))
    assert known[:, 0].tolist() == [True, False, True, False]
    wanted = rewards[0, 0] + DISCOUNT * rewards[1, 0] - values[0, 0]
    np.testing.assert_allclose(found[0, 0], wanted, rtol=1e-5)


def chunk(corrected, terminated=(), truncated=(), first=0):
    """Return one of one arm that sees the number of the step and is paid it."""
    steps = len(corrected)
    numbers = np.arange(first, first + steps, dtype=np.float32)[:, None]
    ends = [np.isin(np.arange(steps), np.array(at)) for at in (terminated, truncated)]
    return Chunk(
        seen={"policy": numbers[:, :, None]},
        after={"policy": numbers[:, :, None] + 0.5},
        actions=10.0 * numbers[:, :, None],
        rewards=numbers,
        corrected=np.array(corrected, np.bool_)[:, None],
        terminated=ends[0],
        truncated=ends[1],
        episodes=(),
    )


def told(transitions):
    return [
        (
            float(one.seen["policy"][0]),
            float(one.after["policy"][0]),
            float(one.action[0]),
            pytest.approx(one.reward),
            pytest.approx(one.discount),
            one.ended,
            one.truncated,
        )
        for one in transitions
    ]


def test_a_transition_leads_from_a_decision_to_the_next_also_across_chunks():
    made = Decisions(DISCOUNT)
    assert told(made.of(0, chunk([1, 1, 0]))) == [(0.0, 1.0, 0.0, 0.0, 0.9, False, False)]
    # Another environment's have nothing to do with it.
    assert told(made.of(1, chunk([1]))) == []
    assert told(made.of(0, chunk([0, 1], first=3))) == [
        (1.0, 4.0, 10.0, 1.0 + 0.9 * 2.0 + 0.81 * 3.0, 0.9**3, False, False)
    ]


@pytest.mark.parametrize("truncated", [False, True])
def test_an_end_is_where_a_decision_leads_to_also_while_idle(truncated):
    ends = {"truncated" if truncated else "terminated": [1]}
    found = told(Decisions(DISCOUNT).of(0, chunk([1, 0, 0, 1], **ends)))
    assert found == [(0.0, 1.5, 0.0, 0.9, 0.81, True, truncated)]


def test_what_is_forgotten_leads_nowhere():
    made = Decisions(DISCOUNT)
    assert told(made.of(0, chunk([1]))) == []
    made.forget()
    assert told(made.of(0, chunk([1], first=1))) == []
