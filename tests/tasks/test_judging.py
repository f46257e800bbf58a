"""The judgement, on poses typed by hand: home, and every near miss by name."""

import math

import pytest

from robot.spatial import Pose
from tasks.judging import SeatRule, is_meshed, is_seated, seat_of
from tasks.parts.nut import NUT_SIZES

SIZE = NUT_SIZES["m8"]
SPLINE = SIZE.spline
CLEARANCE = 0.15e-3


def judged(x=0.0, y=0.0, gap=0.0, tilt_deg=0.0, yaw_deg=0.0, upside_down=False):
    """Return whether a nut at a typed pose is seated."""
    turn = Pose.from_rotation_vector((0.0, 0.0, math.radians(yaw_deg)))
    lean = Pose.from_rotation_vector((0.0, math.radians(tilt_deg), 0.0))
    flip = Pose.from_rotation_vector((math.pi if upside_down else 0.0, 0.0, 0.0))
    place = Pose.translation((x, y, 0.5 * SPLINE.nut_length + gap))
    seat = seat_of(place @ lean @ turn @ flip, SPLINE.nut_length, SPLINE.teeth)
    meshed = is_meshed(seat, CLEARANCE, SPLINE.root_radius, SPLINE.pin_height)
    return is_seated(seat, meshed, SeatRule())


def test_a_nut_at_home_is_seated():
    assert judged()


@pytest.mark.parametrize("tooth", range(6))
def test_every_tooth_is_as_good_as_another(tooth):
    assert judged(yaw_deg=60.0 * tooth)


def test_a_nut_may_be_put_on_end_for_end():
    assert judged(upside_down=True)
    assert judged(upside_down=True, yaw_deg=120.0)


def test_a_gap_inside_the_rule_is_seated():
    assert judged(gap=0.29e-3)


@pytest.mark.parametrize(
    ("name", "pose"),
    [
        ("shallow", {"gap": 0.31e-3}),
        ("resting on the teeth", {"gap": 8e-3, "yaw_deg": 30.0}),
        ("wrongly phased yet deep", {"yaw_deg": 30.0}),
        ("half a tooth off", {"yaw_deg": 12.0}),
        ("tilted", {"tilt_deg": 1.2}),
        ("beside the pin", {"x": 5e-3}),
        ("beside the pin, across", {"y": 1e-3}),
        ("pressed through the plate", {"gap": -0.5e-3}),
        ("on its side", {"tilt_deg": 90.0}),
    ],
)
def test_a_near_miss_is_not_seated(name, pose):
    assert not judged(**pose), name


def test_a_seat_is_measured_in_the_pins_frame_wherever_the_pin_points():
    pose_world_pin = Pose.from_rotation_vector((0.3, -1.1, 0.4), (0.5, 0.2, 1.0))
    pose_world_nut = pose_world_pin @ Pose.translation((0.0, 0.0, 0.5 * SPLINE.nut_length + 2e-3))
    seat = seat_of(pose_world_pin.inverse() @ pose_world_nut, SPLINE.nut_length, SPLINE.teeth)
    assert seat.gap == pytest.approx(2e-3, abs=1e-9)
    assert seat.tilt == pytest.approx(0.0, abs=1e-7)
