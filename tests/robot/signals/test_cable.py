"""How sharply a cable is bent, on pictures of arcs of known radius."""

import math

import numpy as np
import pytest

from robot.sensor import CameraFrame
from robot.signals.cable import is_colored, sharpest_bend
from robot.sim.harness_visual import paint_tube
from robot.spatial import Pose

COLORS = {"orange": (0.93, 0.42, 0.06), "blue": (0.16, 0.32, 0.55)}
# The cable leaves its plug downwards, 0.8 m ahead; its y axis is the picture's left.
EXIT = Pose.from_rotation(
    np.array([[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]]), np.array([0.0, -0.1, 0.8])
)
STRAIGHT = math.inf
FOCAL = 330.0


def frame(radius, color="orange", length=0.22, aside=0.0, noise=1.5e-3, extra=(), seed=0):
    """Return a picture of a cable that begins straight and then bends.

    Args:
        radius: Of the bend, in m.
        color: Of the cable.
        length: Of it all, in m.
        aside: How far the plane of the bend is turned about the cable's first direction, in rad.
        noise: Of the depth, in m.
        extra: Other cables: points, radius and colour.
        seed: Of the noise.
    """
    rgb = np.full((360, 480, 3), 180, np.uint8)
    depth = np.full((360, 480), 2.0, np.float32)
    s = np.linspace(0.0, length, 60)
    angle = np.maximum(0.0, s - 0.03) / radius
    straight = np.minimum(s, 0.03)
    if math.isinf(radius):
        out, along = np.zeros_like(s), s
    else:
        out, along = radius * (1.0 - np.cos(angle)), straight + radius * np.sin(angle)
    points = np.stack([out * math.sin(aside), out * math.cos(aside), along], axis=1)
    tubes = [(points, 0.008 if color == "orange" else 0.0048, color), *extra]
    for line, thickness, name in tubes:
        seen = np.array([EXIT.transform(point) for point in line])
        light = np.array([0.0, -0.6, -0.8])
        paint_tube(seen, thickness, 255.0 * np.array(COLORS[name]), light, FOCAL, rgb, depth)
    rng = np.random.default_rng(seed)
    depth += noise * rng.standard_normal(depth.shape, dtype=np.float32)
    return CameraFrame(0.0, rgb, depth, FOCAL)


@pytest.mark.parametrize("aside_deg", [0.0, 40.0, 180.0, 230.0])
@pytest.mark.parametrize("radius", [0.03, 0.045, 0.06, 0.10])
def test_the_radius_of_a_bend_is_told_in_every_plane(radius, aside_deg):
    length = 0.03 + min(0.19, 2.5 * radius)
    bend = sharpest_bend(frame(radius, "orange", length, math.radians(aside_deg)), EXIT, "orange")
    assert bend.radius == pytest.approx(radius, rel=0.3)


def test_a_bend_seems_no_less_narrow_than_it_is():
    # What counts: a cable at its limit and one that hangs free are told apart.
    free = [sharpest_bend(frame(0.12, seed=i), EXIT, "orange").radius for i in range(5)]
    bent = [
        sharpest_bend(frame(0.055, length=0.16, seed=i), EXIT, "orange").radius for i in range(5)
    ]
    assert max(bent) < 0.075 < min(free)


def test_a_straight_cable_is_hardly_bent_and_seen_far():
    bend = sharpest_bend(frame(STRAIGHT), EXIT, "orange")
    assert bend.radius > 0.15
    assert bend.seen > 0.15


def test_thin_blue_cables_are_seen_as_well():
    assert sharpest_bend(frame(0.03, "blue", 0.12), EXIT, "blue").radius < 0.045
    assert sharpest_bend(frame(STRAIGHT, "blue"), EXIT, "blue").radius > 0.15


def test_a_cable_of_another_colour_is_not_looked_at():
    assert sharpest_bend(frame(0.04), EXIT, "blue") == sharpest_bend(frame(0.04), EXIT, "blue")
    assert sharpest_bend(frame(0.04), EXIT, "blue").seen == 0.0


def test_another_cable_beside_it_changes_nothing():
    other = np.stack([np.zeros(20), np.full(20, 0.07), np.linspace(0.0, 0.2, 20)], axis=1)
    alone = sharpest_bend(frame(0.12), EXIT, "orange")
    both = sharpest_bend(frame(0.12, extra=[(other, 0.008, "orange")]), EXIT, "orange")
    assert both.radius == pytest.approx(alone.radius, rel=0.2)


def test_a_plug_believed_a_little_elsewhere_makes_no_difference():
    off = Pose.from_rotation_vector([0.05, -0.05, 0.05], [5e-3, -5e-3, 5e-3])
    assert sharpest_bend(frame(0.045, length=0.14), EXIT @ off, "orange").radius < 0.065
    assert sharpest_bend(frame(0.12), EXIT @ off, "orange").radius > 0.08


def test_nothing_is_told_without_a_cable_or_without_depth():
    grey, depth = np.full((36, 48, 3), 180, np.uint8), np.ones((36, 48), np.float32)
    empty = CameraFrame(0.0, grey, depth, 33.0)
    assert sharpest_bend(empty, EXIT, "orange").seen == 0.0
    flat = CameraFrame(0.0, frame(0.04).rgb)
    assert sharpest_bend(flat, EXIT, "orange").radius == 0.0


def test_colours_are_told_in_light_and_shade_and_from_grey():
    for name, color in COLORS.items():
        for light in (0.5, 1.0):
            pixel = np.full((1, 1, 3), 255.0 * light * np.array(color)).astype(np.uint8)
            assert is_colored(pixel, name).all()
            assert not is_colored(pixel, "blue" if name == "orange" else "orange").any()
    for grey in (20, 130, 250):
        pixel = np.full((1, 1, 3), grey, np.uint8)
        assert not is_colored(pixel, "orange").any()
        assert not is_colored(pixel, "blue").any()
