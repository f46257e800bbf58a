"""From steps of tool targets to a reference that a body with inertia can follow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from robot.arrays import Array
from robot.control.kernels import compiled, norm3, rotation_error, turn
from robot.spatial import Pose


@dataclass(frozen=True)
class ReferenceConfig:
    """How the reference of a tool follows its target.

    Attributes:
        bandwidth: Natural frequency of the critically damped filter, in rad/s.
        target_period: Longest time over which a new target is approached in a straight line, in s;
            the policy's period.
        linear_speed: Largest speed, in m/s.
        angular_speed: Largest angular speed, in rad/s.
        linear_acceleration: Largest acceleration, in m/s^2.
        angular_acceleration: Largest angular acceleration, in rad/s^2.
    """

    bandwidth: float = 50.0
    target_period: float = 0.04
    linear_speed: float = 0.8
    angular_speed: float = 2.5
    linear_acceleration: float = 6.0
    angular_acceleration: float = 30.0


class ToolReference:
    """The pose, twist and acceleration that one tool should have now.

    A policy says where the tool should be at the end of its period. A new target is therefore
    approached along a straight line over the time since the last one (at most `target_period`), so
    that a sequence of targets becomes a polygon that is on time at its corners. A critically damped
    second-order filter with the polygon's velocity fed forward rounds the corners,

        v_wanted = v_line + min(bandwidth/2 |e|, sqrt(a_max |e|)) e/|e|,   |v_wanted| <= v_max
        a        = 2 bandwidth (v_wanted - v),                             |a| <= a_max,

    with `e` from the reference to the line. It has no lag on a line, and its square-root branch
    brakes in time after a large step.

    Attributes:
        position: Of the tool in the world, in m. Shape (3,).
        quaternion: Of the tool in the world (x, y, z, w). Shape (4,).
        twist: Along world axes, in m/s and rad/s. Shape (6,).
        acceleration: Along world axes, in m/s^2 and rad/s^2. Shape (6,).
    """

    def __init__(self, config: ReferenceConfig) -> None:
        """Start at the origin; `reset` before use.

        Args:
            config: Bandwidth and limits.
        """
        self.position = np.zeros(3)
        self.quaternion = np.array([0.0, 0.0, 0.0, 1.0])
        self.twist = np.zeros(6)
        self.acceleration = np.zeros(6)
        self._line = np.zeros((2, 7))
        self._line[:, 6] = 1.0
        # Time on the line, time the line takes, time since the last new target.
        self._timing = np.array([0.0, config.target_period, config.target_period])
        self._limits = np.array(
            [
                config.bandwidth,
                config.target_period,
                config.linear_speed,
                config.linear_acceleration,
                config.angular_speed,
                config.angular_acceleration,
            ]
        )

    def reset(self, pose_world_tool: Pose) -> None:
        """Rest at a pose.

        Args:
            pose_world_tool: Where the tool is.
        """
        self.position[:] = pose_world_tool.position
        self.quaternion[:] = pose_world_tool.quaternion
        self.twist[:] = 0.0
        self.acceleration[:] = 0.0
        self._line[:, :3] = self.position
        self._line[:, 3:] = self.quaternion
        self._timing[0] = self._timing[1] = self._timing[2] = self._limits[1]

    def advance(self, pose_world_tool: Pose, dt: float) -> None:
        """Go on to the present instant and decide how to go on from here.

        Position and twist become those of now; the acceleration is the one until the next call.

        Args:
            pose_world_tool: Where the tool should be at the end of the policy's period.
            dt: Time since the last call, in s.
        """
        _advance(
            pose_world_tool.position,
            pose_world_tool.quaternion,
            self.position,
            self.quaternion,
            self.twist,
            self.acceleration,
            self._line,
            self._timing,
            self._limits,
            dt,
        )


@compiled
def _advance(
    goal_position: Array,
    goal_quaternion: Array,
    position: Array,
    quaternion: Array,
    twist: Array,
    acceleration: Array,
    line: Array,
    timing: Array,
    limits: Array,
    dt: float,
) -> None:
    bandwidth, period = limits[0], limits[1]
    turn_line = np.empty(3)
    point = np.empty(3)
    orientation = np.empty(4)
    for i in range(3):
        position[i] += (twist[i] + 0.5 * acceleration[i] * dt) * dt
        turn_line[i] = (twist[3 + i] + 0.5 * acceleration[3 + i] * dt) * dt
    turn(quaternion, turn_line, quaternion)
    for i in range(6):
        twist[i] += acceleration[i] * dt
    timing[0] += dt
    timing[2] += dt

    new = False
    for i in range(3):
        new = new or goal_position[i] != line[1, i]
    for i in range(4):
        new = new or goal_quaternion[i] != line[1, 3 + i]
    if new:
        # The new line starts where the old one has got to, so that the polygon has no gaps.
        share = min(timing[0] / timing[1], 1.0)
        rotation_error(line[1, 3:], line[0, 3:], turn_line)
        for i in range(3):
            line[0, i] += share * (line[1, i] - line[0, i])
            turn_line[i] *= share
        turn(line[0, 3:], turn_line, line[0, 3:])
        line[1, :3] = goal_position
        line[1, 3:] = goal_quaternion
        timing[0] = 0.0
        timing[1] = min(max(timing[2], dt), period)
        timing[2] = 0.0
    share = min(timing[0] / timing[1], 1.0)
    # Half a period of tolerance: timing[0] is a sum of rounded periods.
    rate = 1.0 / timing[1] if timing[0] < timing[1] - 0.5 * dt else 0.0
    rotation_error(line[1, 3:], line[0, 3:], turn_line)
    for i in range(3):
        point[i] = line[0, i] + share * (line[1, i] - line[0, i])
    turn(line[0, 3:], share * turn_line, orientation)

    error = np.empty(3)
    wanted = np.empty(3)
    for half in range(2):
        speed_max, acceleration_max = limits[2 + 2 * half], limits[3 + 2 * half]
        if half == 0:
            for i in range(3):
                error[i] = point[i] - position[i]
                wanted[i] = rate * (line[1, i] - line[0, i])
        else:
            rotation_error(orientation, quaternion, error)
            for i in range(3):
                wanted[i] = rate * turn_line[i]
        distance = norm3(error)
        if distance > 0.0:
            approach = min(0.5 * bandwidth * distance, math.sqrt(acceleration_max * distance))
            for i in range(3):
                wanted[i] += approach * error[i] / distance
        speed = norm3(wanted)
        slowing = min(1.0, speed_max / speed) if speed > 0.0 else 1.0
        change = np.empty(3)
        for i in range(3):
            change[i] = 2.0 * bandwidth * (slowing * wanted[i] - twist[3 * half + i])
        size = norm3(change)
        easing = min(1.0, acceleration_max / size) if size > 0.0 else 1.0
        for i in range(3):
            acceleration[3 * half + i] = easing * change[i]
