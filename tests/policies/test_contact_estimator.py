import dataclasses

import numpy as np
import pytest

from policies.contact import Insert
from policies.contact_estimator import ContactEstimator, contact_estimators
from policies.contact_state import ContactState
from policies.sense import Sense, Status
from robot.spatial import Pose
from tasks.nut_insertion import NutInsertion, NutInsertionConfig
from tasks.nut_variation import NUT_LEVELS
from tasks.phases import Motion, Phase

HOME = Pose.from_rotation_vector([0.2, 2.0, -0.1], [0.5, 0.2, 1.0])
WAY, WIDTH = 8e-3, 12e-3
FREE, TOUCHING, ON_TEETH, MESHED, WEDGED, SEATED = ContactState


def play(*steps, believed=HOME):
    """Return the states after steps of depth in mm, push in N and, if given, slip in mm."""
    estimator = ContactEstimator(believed, WAY, WIDTH)
    return [estimator.update(sense(i, *step)) for i, step in enumerate(steps)]


def sense(i, depth_mm, push, slip_mm=0.0, opening=WIDTH, side=0.0):
    tool = HOME @ Pose.translation([0.0, 0.0, 1e-3 * depth_mm])
    return Sense(
        time=0.04 * i,
        dt=0.04,
        pose_world_tool=tool,
        pose_world_target=tool,
        wrench_tool=np.array([side, 0.0, -push, 0.0, 0.0, 0.0]),
        opening=opening,
        in_hand=np.array([1.0, 0.0, 1e-3 * slip_mm, 0.0]),
        signals={},
    )


def test_a_part_goes_through_all_that_is_on_its_way_home():
    states = play((-9, 0), (-8, 3), (-8, 3), (-7.4, 3), (-6, 4), (-3, 6), (-0.1, 12), (0, 12))
    assert states == [FREE, TOUCHING, TOUCHING, ON_TEETH, MESHED, MESHED, SEATED, SEATED]


@pytest.mark.parametrize("wrong", [-2e-3, 2e-3])
def test_where_home_is_believed_to_be_does_not_matter(wrong):
    believed = HOME @ Pose.translation([1e-3, -2e-3, wrong])
    steps = [(-9, 0), (-8, 3), (-7.4, 3), (-5, 4), (-0.2, 12)]
    assert play(*steps, believed=believed) == [FREE, TOUCHING, ON_TEETH, MESHED, SEATED]


def test_a_part_that_is_pushed_and_does_not_go_on_is_wedged_until_it_does():
    stuck = [(-4, 10)] * 6
    states = play((-8, 3), (-5, 4), *stuck, (-3.5, 10))
    assert states[1:4] == [MESHED, MESHED, MESHED]
    assert states[7] is WEDGED
    assert states[8] is MESHED


def test_a_part_that_rests_without_being_pushed_is_not_wedged():
    assert set(play((-8, 3), *[(-4, 2)] * 20)[1:]) == {MESHED}


def test_a_hand_that_slips_along_the_part_does_not_carry_it_in():
    # The tool goes on by 8 mm, the part stays where it was on the pads' way.
    states = play((-8, 3), (-4, 14, -4.0), (0, 14, -8.0))
    assert states == [TOUCHING, TOUCHING, TOUCHING]


def test_drawn_back_it_begins_anew():
    states = play((-8, 3), (-7.4, 3), (-12, 0), (-9, 0), (-7.8, 3), (-7.2, 3))
    assert states == [TOUCHING, ON_TEETH, FREE, FREE, TOUCHING, ON_TEETH]


def test_what_is_held_sideways_harder_than_by_friction_has_the_tip_in_its_mouth():
    estimator = ContactEstimator(HOME, WAY, WIDTH)
    sides = [(0, -8, 3.0, 0.0), (1, -8, 3.0, 4.0), (2, -8, 3.0, 8.0), (3, -8, 3.0, 0.0)]
    states = [estimator.update(sense(i, z, push, side=side)) for i, z, push, side in sides]
    assert states == [TOUCHING, TOUCHING, ON_TEETH, ON_TEETH]
    # It was on its teeth from the beginning: home is nearer by a chamfer, and so is the mesh.
    assert estimator.update(sense(4, -6.7, 3.0)) is MESHED
    assert estimator.update(sense(5, -1.3, 8.0)) is SEATED


def test_a_part_that_was_drawn_in_without_a_touch_touches_its_seat():
    assert play((-9, 0), (-4, -12), (1.5, 5), (1.5, 8)) == [FREE, FREE, SEATED, SEATED]


def test_a_push_that_falters_is_no_end_of_touch_and_one_that_ends_is():
    states = play((-8, 3), (-8, 0.2), (-8, 3), *[(-8, 0.2)] * 5)
    assert states[:4] == [TOUCHING] * 4
    assert states[-1] is FREE


def test_an_empty_or_open_hand_touches_with_nothing():
    estimator = ContactEstimator(HOME, WAY, WIDTH)
    for i, opening in enumerate((0.0, 0.026)):
        estimator.update(sense(2 * i, -8, 3))
        assert estimator.update(sense(2 * i + 1, -4, 10, opening=opening)) is FREE


def test_every_piece_of_work_of_a_plan_has_an_estimator_of_its_own():
    task = NutInsertion(NutInsertionConfig(), NUT_LEVELS["nominal"])
    plan = task.phases(task.sample_layout(np.random.default_rng(0)))
    left = [p for p in plan if p.arm == "left"]
    again = [dataclasses.replace(p, operation="another") for p in left]
    found = contact_estimators([*left, *again])
    assert set(found) == {left[0].operation, "another"}
    assert contact_estimators([p for p in left if p.motion is not Motion.INSERT]) == {}


def inserting(contact, steps):
    """Return at which step an insertion ends whose part rests from the first one on, or None."""
    phase = Phase("left", "insert", Motion.INSERT, HOME, 0.012, limits={"force_n": 14.0})
    motion = Insert(phase, HOME, sense(0, 0.0, 12.0))
    for i in range(1, steps):
        wish = motion.step(dataclasses.replace(sense(i, 0.0, 12.0), contact=contact))
        if wish.status is Status.DONE:
            return i
    return None


def test_a_part_that_is_felt_to_be_seated_is_home_as_soon_as_it_rests():
    assert inserting(SEATED, 10) <= 4
    # One that may still be stuck is wriggled first.
    assert 17 <= inserting(MESHED, 40) <= 20
    assert inserting(None, 40) == inserting(MESHED, 40)
