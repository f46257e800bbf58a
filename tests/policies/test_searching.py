"""What a search does with a hand that lags behind it, with one that sinks, and with no contact."""

import numpy as np
import pytest

from policies.contact import Align
from policies.search import Search
from policies.sense import Sense, Status
from robot.spatial import Pose
from tests.policies.plug_rules import DT, GOAL, SpringHand, begin

LIMITS = {
    "force_n": 6.0,
    "pitch_mm": 3.0,
    "radius_mm": 10.0,
    "drop_mm": 1.2,
    "sunk_mm": 4.0,
    "speed_m_s": 0.04,
}
SURFACE = -18e-3


class Searched:
    """A search, and a hand that is wherever the test says, pushing as it should."""

    def __init__(self, kind=Search, limits=LIMITS, push=6.0):
        start = Pose.translation((0.0, 0.0, SURFACE))
        self.motion = begin(kind, limits, SpringHand(start=start))
        self.time, self.push = 0.0, push
        self.target = GOAL @ start

    def step(self, side=None, depth=SURFACE):
        """Return how one step ends, the hand being at a place across the goal's z axis, or where
        its target is."""
        side = self.side if side is None else side
        tool = GOAL @ Pose.translation((*side, depth))
        wrench = np.array([0.0, 0.0, -self.push, 0.0, 0.0, 0.0])
        sense = Sense(self.time, DT, tool, self.target, wrench, 0.0, np.zeros(4), {})
        wish = self.motion.step(sense)
        self.time += DT
        self.target = wish.pose_world_target
        return wish.status, wish.reason

    @property
    def side(self):
        return (GOAL.inverse() @ self.target).position[:2]


def dropped(depth):
    """Return a search whose hand lags by 5 mm, and dropped to a depth; and where that is."""
    search = Searched()
    for _ in range(25):
        assert search.step()[0] is Status.RUNNING
    hand = search.side - np.array([5e-3, 0.0])
    for _ in range(2):
        search.step(hand, depth)
    return search, hand


def test_what_sinks_is_let_sink_where_it_is():
    search, hand = dropped(SURFACE + 2e-3)
    for depth in (2.2e-3, 2.5e-3, 3.0e-3):
        assert search.step(hand, SURFACE + depth)[0] is Status.RUNNING
        np.testing.assert_allclose(search.side, hand, atol=1e-12)
    assert search.step(hand, SURFACE + 4.1e-3)[0] is Status.DONE


def test_what_sank_in_vain_goes_back_to_the_spiral_at_the_speed_of_the_search():
    search, hand = dropped(SURFACE + 2e-3)
    for _ in range(7):
        search.step(hand, SURFACE + 2e-3)
    np.testing.assert_allclose(search.side, hand, atol=1e-12)
    left_off, places = search.motion.angle, [search.side]
    while search.motion.angle < left_off + 1.0:
        assert search.step(depth=SURFACE)[0] is Status.RUNNING
        places.append(search.side)
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    # The last part of the way is two steps at once.
    assert steps.max() < 3.0 * LIMITS["speed_m_s"] * DT
    assert np.linalg.norm(places[-1] - hand) > 4e-3


NUT = {"force_n": 6.0, "radius_mm": 4.0, "speed_m_s": 0.02}
HOLE = 8e-4


def dragged_out(limits, climb=7e-4):
    """Return a search from the middle of a hole, two steps after its tool was dragged out of it."""
    search, outside = Searched(limits=limits), 0
    while outside < 2:
        out = np.linalg.norm(search.side) > HOLE
        outside += int(out)
        assert search.step(depth=SURFACE - climb if out else SURFACE)[0] is Status.RUNNING
    return search


def test_what_is_dragged_out_of_where_it_was_goes_back_in():
    """A part that touched right over the tip had dropped before the search began."""
    search, out = dragged_out(NUT), 0
    while np.linalg.norm(search.side) > HOLE:
        assert search.step(depth=SURFACE - 7e-4)[0] is Status.RUNNING
        out += 1
        assert out * DT < 0.5
    ended = [search.step(depth=SURFACE)[0] for _ in range(3)]
    assert Status.DONE in ended
    assert np.linalg.norm(search.side) < HOLE


@pytest.mark.parametrize(("limits", "climb"), [({"sunk_mm": 4.0}, 7e-4), ({}, 2e-4)])
def test_what_has_not_climbed_by_a_drop_or_may_sink_further_is_searched_on_with(limits, climb):
    search = dragged_out({**NUT, **limits}, climb=climb)
    away = [np.linalg.norm(search.side)]
    for _ in range(40):
        assert search.step(depth=SURFACE - climb)[0] is Status.RUNNING
        away.append(np.linalg.norm(search.side))
    assert np.diff(away).min() > -1e-4
    assert away[-1] > 2e-3


def test_it_goes_back_once():
    """What dips for a step further out, and climbs again, is searched on with."""
    search, away = dragged_out(NUT), []
    while np.linalg.norm(search.side) < 2e-3:
        assert search.step(depth=SURFACE - 7e-4)[0] is Status.RUNNING
    assert search.step(depth=SURFACE)[0] is Status.RUNNING
    for _ in range(400):
        status, reason = search.step(depth=SURFACE - 7e-4)
        away.append(float(np.linalg.norm(search.side)))
        if status is not Status.RUNNING:
            break
    assert (status, reason) == (Status.FAILED, "pin_not_found")
    assert np.diff(away).min() > -1e-4
    assert 3.5e-3 < max(away) < 4.5e-3


@pytest.mark.parametrize("start", [0.0, 6.0])
def test_one_that_begins_anew_goes_back_at_its_speed_and_around_again(start):
    search = Searched(limits={**NUT, "from_rad": start})
    while search.motion.angle < 10.0:
        assert search.step()[0] is Status.RUNNING
    search.motion.begin_anew()
    places, angles = [search.side], []
    while search.motion.angle < 10.0:
        assert search.step()[0] is Status.RUNNING
        places.append(search.side)
        angles.append(search.motion.angle)
    assert angles[0] == start
    assert np.diff(angles).min() >= 0.0
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert steps.max() < 3.0 * NUT["speed_m_s"] * DT
    nearest = min(np.linalg.norm(place) for place in places)
    assert nearest == pytest.approx(1e-3 * start / (2.0 * np.pi), abs=4e-4)


@pytest.mark.parametrize("kind", [Search, Align])
def test_a_hand_that_meets_nothing_to_rest_on_does_not_wait_for_ever(kind):
    motion = Searched(kind, {"force_n": 6.0}, push=0.5)
    ended = [motion.step() for _ in range(int(6.0 / DT))]
    first = next(i for i, (status, _) in enumerate(ended) if status is not Status.RUNNING)
    assert ended[first] == (Status.FAILED, "no_contact")
    assert first * DT == pytest.approx(5.0, abs=2 * DT)
