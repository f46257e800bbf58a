"""Pads that feel a cylinder perfectly, and a touch network that knows the answer."""

from __future__ import annotations

import numpy as np

from policies.tactile.estimator import InHandEstimate
from policies.tactile.samples import TouchSamples
from robot.sim.pad_image import cylinder_image
from robot.spatial import Pose

RADIUS, LENGTH = 6e-3, 15e-3
NOMINAL = Pose.translation([0.0, 0.0, 5.5e-3])


def pressure_kpa(in_hand, force=30.0):
    """Return what both pads feel of a cylinder off its nominal place."""
    x, z, angle = in_hand
    turn = Pose.from_rotation_vector([0.0, angle, 0.0])
    return (
        cylinder_image(
            NOMINAL.position + np.array([x, 0.0, z]),
            turn.rotation @ np.array([0.0, 0.0, 1.0]),
            RADIUS,
            LENGTH,
            (force, force),
        )
        / 1e3
    ).astype(np.float32)


def samples(count, seed):
    """Return perfect readings of cylinders within 3 mm and 6 degrees."""
    rng = np.random.default_rng(seed)
    in_hand = rng.uniform(-1.0, 1.0, (count, 3)) * np.array([3e-3, 3e-3, 0.1])
    return TouchSamples(
        pressure_kpa=np.stack([pressure_kpa(one, rng.uniform(20.0, 40.0)) for one in in_hand]),
        opening=np.full(count, 2.0 * RADIUS),
        in_hand=in_hand,
        grasp=np.arange(count),
        part=np.zeros(count, np.int64),
        parts=("nut",),
    )


class Knows:
    """Estimates what it is told: its first taxels are the place in mm and in degrees."""

    def __init__(self, bias=(0.0, 0.0, 0.0), sigma=(1e-4, 1e-4, 1e-2)):
        self.bias, self.sigma = np.array(bias), np.array(sigma)

    def estimate(self, pressure_kpa, opening):
        x, z, angle = pressure_kpa[0, 0, :3].astype(np.float64)
        if not pressure_kpa.any():
            return None
        mean = np.array([1e-3 * x, 1e-3 * z, np.radians(angle)]) + self.bias
        return InHandEstimate(mean, self.sigma)


def told(x_mm, z_mm, angle_deg):
    """Return pressures from which `Knows` reads a place."""
    pressure = np.ones((2, 11, 9), np.float32)
    pressure[0, 0, :3] = x_mm, z_mm, angle_deg
    return pressure
