"""What contact truly is, on states typed by hand, and how what is told is counted."""

import dataclasses

import numpy as np
import pytest

from policies.contact_estimator import ContactRule, contact_estimators
from policies.contact_state import ContactState
from robot.sim.fit_truth import FitTruth
from tasks.nut_insertion import NutInsertion, NutInsertionConfig
from tasks.nut_variation import NUT_LEVELS
from workcell.contact_figures import STATES, Confusion, Counts, TrueContact

DT = 0.04
RULE = ContactRule()
AWAY = FitTruth(
    gap=16e-3,
    depth=-2e-3,
    offset=1e-3,
    tilt=0.0,
    meshed=False,
    touching=False,
    force=0.0,
    penetration=0.0,
    held=True,
)
TIP = dataclasses.replace(AWAY, depth=0.1e-3, touching=True, force=4.0)
TEETH = dataclasses.replace(TIP, gap=14e-3, depth=0.5e-3)
MESHED = dataclasses.replace(TIP, gap=8e-3, depth=6e-3, meshed=True, force=3.0)
HOME = dataclasses.replace(MESHED, gap=0.2e-3, depth=14e-3, force=10.0)


@pytest.mark.parametrize(
    ("truth", "state"),
    [
        (AWAY, ContactState.FREE),
        (dataclasses.replace(TIP, force=0.4), ContactState.FREE),
        (TIP, ContactState.TOUCHING),
        (TEETH, ContactState.ON_TEETH),
        (MESHED, ContactState.MESHED),
        (HOME, ContactState.SEATED),
        # Askew within its play, but its face is on the seat.
        (dataclasses.replace(HOME, tilt=0.03), ContactState.SEATED),
        (dataclasses.replace(HOME, gap=0.4e-3), ContactState.MESHED),
    ],
)
def test_a_state_has_a_name(truth, state):
    assert TrueContact(RULE, DT).state(truth) is state


def test_what_is_pushed_and_does_not_get_on_is_wedged_after_a_while():
    contact = TrueContact(RULE, DT)
    stuck = dataclasses.replace(MESHED, force=9.0)
    told = [contact.state(stuck) for _ in range(8)]
    wedged = told.index(ContactState.WEDGED)
    assert told[:wedged] == [ContactState.MESHED] * wedged
    # The first look cannot know whether it moves.
    assert wedged * DT == pytest.approx(RULE.stalled_s, abs=1e-9)
    on = dataclasses.replace(stuck, gap=stuck.gap - 0.2e-3)
    assert contact.state(on) is ContactState.MESHED
    softly = [contact.state(dataclasses.replace(on, force=5.0)) for _ in range(8)]
    assert set(softly) == {ContactState.MESHED}


def test_truth_and_what_is_told_follow_the_same_rule():
    task = NutInsertion(NutInsertionConfig(), NUT_LEVELS["nominal"])
    plan = task.phases(task.sample_layout(np.random.default_rng(0)))
    left = [phase for phase in plan if phase.arm == "left"]
    rule = dataclasses.replace(RULE, touch_n=9.0)
    (own,), (default,) = (contact_estimators(left, r).values() for r in (rule, None))
    assert (own._rule, default._rule) == (rule, RULE)


def test_every_look_is_counted_where_it_belongs():
    counts = Counts()
    for true, told, times in (
        (ContactState.FREE, ContactState.FREE, 5),
        (ContactState.WEDGED, ContactState.SEATED, 2),
        (ContactState.SEATED, ContactState.SEATED, 3),
    ):
        for _ in range(times):
            counts.add(true, told)
    found = Confusion(counts.counts, 4)
    assert counts.counts.sum() == 10
    assert len(STATES) == len(ContactState)
    assert found.recall(ContactState.WEDGED) == (0, 2)
    assert found.recall(ContactState.SEATED) == (3, 3)
    assert found.precision(ContactState.SEATED) == (3, 5)
