"""The pull of a magnetised pin on steel nuts: two poles, and soft steel in their field.

With poles of strength +1 and -1 at p_1 and p_2 on the pin's axis, softened by the length s,

    B(x) = sum_i  q_i (x - p_i) / (|x - p_i|^2 + s^2)^(3/2),      U = -a sum_points |B|^2,

over points spread through the nut, and the wrench is exactly -dU: force on a point 2 a (dB/dx)' B.
Steel is taken as soft and unsaturated. The field pulls the nut on, centres it while it is far, tips
it over when it is held off the axis close by, and does no work around a closed path.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from typing_extensions import override

from robot.arrays import Array
from robot.errors import UnknownName
from robot.sim.force_element import ForceElement
from robot.sim.world import World
from robot.spatial import Pose
from robot.spline import Spline

# A far nut is looked at again when one moving at 5 m/s could have come near, at the latest after so
# many steps.
_FASTEST = 5.0
_LONGEST_SLEEP = 20


@dataclass(frozen=True)
class MagnetConfig:
    """Where the poles are, as shares of the pin's height, and how far the pull is computed.

    The poles sit low: with poles at the tip the net force changes sign before the nut is home. The
    shares are a choice of the model, not measured on a magnet: of the force where the M8 nut first
    touches the tip they leave half 2 mm before and a sixth 5 mm before that, and hold the nut at
    home with 2.7 times as much.

    Attributes:
        upper_pole: Height of the pole near the tip over the pin's height.
        lower_pole: Height of the other pole, in the plate, over the pin's height.
        softening: Over the pin's height; stands for the poles' width.
        force_at_contact: Axial pull on a nut whose face first touches the tip, in N.
        range: Distance of a nut's centre from the pin beyond which it feels nothing, in m.
    """

    upper_pole: float = 0.5
    lower_pole: float = -0.6
    softening: float = 0.4
    force_at_contact: float = 5.0
    range: float = 0.06


class Magnet(ForceElement):
    """The pull of one pin on any number of nuts."""

    def __init__(
        self,
        pin: str,
        nuts: Sequence[str],
        spline: Spline,
        config: MagnetConfig | None = None,
    ) -> None:
        """Describe the pin and the nuts; the bodies are looked up when the first step is made.

        Args:
            pin: Name of the fixture's body, whose frame is the pin frame. It must not move between
                resets.
            nuts: Names of the nuts' bodies.
            spline: Dimensions of both.
            config: Poles and force.
        """
        self._pin = pin
        self._names = tuple(nuts)
        self._spline = spline
        self._config = config or MagnetConfig()
        c, height = self._config, spline.pin_height
        self._poles = np.array([c.upper_pole, c.lower_pole]) * height
        self._softening = c.softening * height
        self._points = _volume_points(spline)
        self._scale = 1.0
        self._world: World | None = None
        self._bodies: list[int] = []
        self._sleep = [0] * len(self._names)
        self._applied = np.zeros((len(self._names), 6))
        self._pin_position = np.zeros(3)
        self._pin_rotation = np.eye(3)
        self._origin = (0.0, 0.0, 0.0)
        self.configure(force_at_contact=c.force_at_contact)

    def configure(self, *, force_at_contact: float) -> None:
        """Scale the field; takes effect at once.

        Args:
            force_at_contact: Axial pull on a nut whose face first touches the tip, in N.

        Raises:
            ValueError: If it is negative.
        """
        if force_at_contact < 0.0:
            raise ValueError(f"force_at_contact: expected at least 0 N, got {force_at_contact}")
        self._scale = 1.0
        height = self._spline.pin_height + 0.5 * self._spline.nut_length
        touching = Pose.translation((0.0, 0.0, height))
        self._scale = force_at_contact / -float(self.wrench(touching)[2])

    def wrench(self, pose_pin_nut: Pose) -> Array:
        """Return force and torque on a nut about its centre, along the pin's axes. Shape (6,).

        Args:
            pose_pin_nut: Where the nut is.
        """
        return np.array(
            _wrench(
                # As Bullet gives them: another type would be compiled a second time.
                tuple(pose_pin_nut.position.tolist()),
                tuple(pose_pin_nut.quaternion.tolist()),
                np.zeros(3),
                np.eye(3),
                self._poles,
                self._softening,
                self._scale,
                self._points,
            )
        )

    def energy(self, pose_pin_nut: Pose) -> float:
        """Return the field's energy of a nut, in J; zero far away.

        Args:
            pose_pin_nut: Where the nut is.
        """
        points = pose_pin_nut.position + self._points @ pose_pin_nut.rotation.T
        field = np.zeros_like(points)
        for charge, height in zip((1.0, -1.0), self._poles, strict=True):
            away = points - np.array([0.0, 0.0, height])
            field += charge * away / (np.sum(away**2, 1) + self._softening**2)[:, None] ** 1.5
        return -self._scale * float(np.sum(field**2))

    @override
    def reset(self) -> None:
        self._sleep = [0] * len(self._names)
        self._applied[:] = 0.0
        if self._world is not None:
            self._find_pin(self._world)

    @override
    def apply(self, world: World) -> None:
        if self._world is not world:
            self._world = world
            self._bodies = [world.body(name) for name in self._names]
            self._find_pin(world)
        client = world.client
        ox, oy, oz = self._origin
        for i, body in enumerate(self._bodies):
            if self._sleep[i] > 0:
                self._sleep[i] -= 1
                continue
            position, quaternion = client.getBasePositionAndOrientation(body)
            x, y, z = position
            gap = math.sqrt((x - ox) ** 2 + (y - oy) ** 2 + (z - oz) ** 2) - self._config.range
            if gap > 0.0:
                self._applied[i] = 0.0
                self._sleep[i] = min(_LONGEST_SLEEP, int(gap / (_FASTEST * world.physics_dt)))
                continue
            pull = _wrench(
                position, quaternion, self._pin_position, self._pin_rotation,
                self._poles, self._softening, self._scale, self._points,
            )  # fmt: skip
            self._applied[i] = pull
            client.applyExternalForce(body, -1, pull[:3], position, client.WORLD_FRAME)
            client.applyExternalTorque(body, -1, pull[3:], client.WORLD_FRAME)

    @override
    def state(self) -> Array:
        # Strength, when each nut is looked at again, and its last wrench.
        return np.concatenate([[self._scale, *self._sleep], self._applied.ravel()])

    def restore(self, state: Array) -> None:
        """Continue from what `state` returned.

        Args:
            state: Shape (1 + 7 n,).
        """
        n = len(self._names)
        self._scale = float(state[0])
        self._sleep = [int(value) for value in state[1 : 1 + n]]
        self._applied[:] = state[1 + n :].reshape(n, 6)

    def applied(self, name: str) -> Array:
        """Return force and torque on a nut at the last step, about its centre, world axes.

        Args:
            name: Of the nut's body.

        Returns:
            In N and N·m. Shape (6,).

        Raises:
            UnknownName: If this magnet does not act on it.
        """
        if name not in self._names:
            raise UnknownName("nut", name, self._names)
        wrench: Array = self._applied[self._names.index(name)]
        return wrench.copy()

    def _find_pin(self, world: World) -> None:
        """Read where the pin is."""
        pose_world_pin = world.pose_world_body(self._pin)
        self._pin_position = np.array(pose_world_pin.position)
        self._pin_rotation = np.array(pose_world_pin.rotation)
        x, y, z = (float(value) for value in pose_world_pin.position)
        self._origin = (x, y, z)


def _volume_points(spline: Spline) -> Array:
    """Return 128 points spread through the nut's wall, in the nut frame, in m. Shape (128, 3).

    Two rings of eight at each of eight heights, each point at the middle of an equal share of the
    volume.
    """
    inner = 0.5 * (spline.root_radius + spline.tip_radius)
    span = spline.nut_radius**2 - inner**2
    points = []
    for share in (0.25, 0.75):
        radius = math.sqrt(inner**2 + share * span)
        for level in range(8):
            z = spline.nut_length * ((level + 0.5) / 8.0 - 0.5)
            for k in range(8):
                # Every other ring is turned by half a step, which keeps the sum round.
                angle = 2.0 * math.pi * (k + 0.5 * (level % 2)) / 8.0
                points.append((radius * math.cos(angle), radius * math.sin(angle), z))
    return np.array(points)


@njit(cache=True)
def _wrench(
    position: Any,
    quaternion: Any,
    pin_position: Any,
    pin_rotation: Any,
    poles: Any,
    softening: float,
    scale: float,
    points: Any,
) -> tuple[float, float, float, float, float, float]:
    """Return force and torque on a nut about its centre, along the axes of the world.

    Args:
        position: Nut's centre in the world, in m. Three numbers.
        quaternion: Its orientation (x, y, z, w). Four numbers.
        pin_position: Pin frame in the world, in m. Shape (3,).
        pin_rotation: From the pin frame to the world. Shape (3, 3).
        poles: Heights of the positive and the negative pole in the pin frame, in m. Shape (2,).
        softening: In m.
        scale: The factor `a`, in N·m^5.
        points: In the nut frame, in m. Shape (n, 3).
    """
    qx, qy, qz, qw = quaternion
    fx, fy, fz, tx, ty, tz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    p1 = pin_position + poles[0] * pin_rotation[:, 2]
    p2 = pin_position + poles[1] * pin_rotation[:, 2]
    s2 = softening * softening
    for i in range(points.shape[0]):
        a, b, c = points[i, 0], points[i, 1], points[i, 2]
        ux, uy, uz = 2 * (qy * c - qz * b), 2 * (qz * a - qx * c), 2 * (qx * b - qy * a)
        rx = a + qw * ux + qy * uz - qz * uy
        ry = b + qw * uy + qz * ux - qx * uz
        rz = c + qw * uz + qx * uy - qy * ux
        ax, ay, az = position[0] + rx - p1[0], position[1] + ry - p1[1], position[2] + rz - p1[2]
        bx, by, bz = position[0] + rx - p2[0], position[1] + ry - p2[1], position[2] + rz - p2[2]
        i1 = 1.0 / (ax * ax + ay * ay + az * az + s2)
        i2 = 1.0 / (bx * bx + by * by + bz * bz + s2)
        c1, c2 = i1 * math.sqrt(i1), i2 * math.sqrt(i2)
        ex, ey, ez = c1 * ax - c2 * bx, c1 * ay - c2 * by, c1 * az - c2 * bz
        # dB/dx = (c1 - c2) 1 - 3 (c1 i1 a a' - c2 i2 b b'), which is symmetric.
        d1 = 3.0 * c1 * i1 * (ax * ex + ay * ey + az * ez)
        d2 = 3.0 * c2 * i2 * (bx * ex + by * ey + bz * ez)
        k = 2.0 * scale
        gx = k * ((c1 - c2) * ex - d1 * ax + d2 * bx)
        gy = k * ((c1 - c2) * ey - d1 * ay + d2 * by)
        gz = k * ((c1 - c2) * ez - d1 * az + d2 * bz)
        fx, fy, fz = fx + gx, fy + gy, fz + gz
        tx += ry * gz - rz * gy
        ty += rz * gx - rx * gz
        tz += rx * gy - ry * gx
    return fx, fy, fz, tx, ty, tz
