"""What no command and no measurement gets around: joints, speed, effort, workspace, force, age.

A command that asks for too much is bent, counted and named in a warning. A measurement that says
that bending is not enough (a part pushed too hard, a robot that falls, an open safety chain) ends
in `SafetyStop`. This is a last gate in software, not a safety function in the sense of ISO 13849:
emergency stop and enabling switch belong in hardware.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Mapping

import numpy as np

from robot.agreement import narrower
from robot.arrays import Array
from robot.cell_state import CellState
from robot.driver import JointLimits
from robot.errors import CommandRejected, SafetyStop, Toppled
from robot.guard_config import GuardConfig
from robot.log import HeldBack
from robot.model import RobotModel
from robot.sensor import WrenchReading
from robot.state import Lifecycle, RobotCommand, RobotState

logger = logging.getLogger(__name__)

_FIELDS = ("joint_position", "joint_velocity", "joint_effort")
_UNITS = ("rad", "rad/s", "N·m")
# A sample may carry a time this far ahead, in s: a device's clock is never set quite right.
_AHEAD = 1e-3


class Guard:
    """Bends commands into the robot's limits and stops it when a measurement is out of bounds.

    Attributes:
        clamps: Commands bent since the last `reset()`.
        stops: Stops since the last `reset()`.
    """

    def __init__(
        self,
        model: RobotModel,
        config: GuardConfig | None = None,
        grippers: Mapping[str, float] | None = None,
        limits: JointLimits | None = None,
    ) -> None:
        """Take over the limits of a robot.

        Args:
            model: The robot's limits and kinematics.
            config: How much is allowed; the defaults if omitted.
            grippers: Largest opening of each gripper by arm name, in m, as in `DriverSpec`.
            limits: What the device accepts, as in `DriverSpec`; of these and the model's the
                narrower ones hold. The model's alone if omitted.

        Raises:
            ValueError: If the margin leaves a joint no room, or the device's limits are of other
                joints or not finite.
        """
        self.config = config = config or GuardConfig()
        self._model = model
        self._grippers = dict(grippers or {})
        (lower, upper), velocity_limits, effort_limits = narrower(model, limits)
        self._velocity_limits, self._effort_limits = velocity_limits, effort_limits
        soft_lower, soft_upper = lower + config.position_margin, upper - config.position_margin
        if np.any(soft_lower > soft_upper):
            narrow = [
                name
                for name, low, high in zip(model.joint_names, soft_lower, soft_upper, strict=True)
                if low > high
            ]
            raise ValueError(
                f"position_margin = {config.position_margin} rad leaves no room for {narrow}"
            )
        self._soft_limits = (soft_lower, soft_upper)
        self._lead = velocity_limits * config.lead_time
        # Every bound is centre ± half range, so that one subtraction and one comparison over all of
        # them tell whether anything has to be bent; it almost never has.
        zeros = np.zeros_like(upper)
        self._command_centre = np.concatenate(
            [0.5 * (soft_lower + soft_upper), zeros, zeros, zeros]
        )
        self._command_half = np.concatenate(
            [
                0.5 * (soft_upper - soft_lower),
                velocity_limits,
                effort_limits,
                self._lead,
            ]
        )
        self._command = np.empty_like(self._command_half)
        self._measured_centre = np.concatenate([0.5 * (lower + upper), zeros])
        self._measured_half = np.concatenate(
            [0.5 * (upper - lower) + config.overrun, config.overspeed * velocity_limits]
        )
        self._measured = np.empty_like(self._measured_half)
        self._cos_tilt = math.cos(config.base_tilt)
        self._box = np.array(config.workspace)
        self._warnings = HeldBack(logger)
        self.clamps = 0
        self.stops = 0
        # See `_too_long`; as of when, in s, and whether it was too much then.
        self._force_above: dict[str, tuple[float, float, bool]] = {}
        self._sample: tuple[int, float] | None = None
        self._tools: Mapping[str, Array] = {}
        self._tools_time = -math.inf

    def reset(self) -> None:
        """Start an episode: forget forces and tool positions, and count from zero."""
        self.clamps = 0
        self.stops = 0
        self._force_above.clear()
        self._sample = None
        self._tools = {}
        self._tools_time = -math.inf

    def clamp(self, command: RobotCommand, state: CellState) -> RobotCommand:
        """Return the nearest command that is allowed; the same object if nothing had to be bent.

        Args:
            command: What the controller wants.
            state: What was measured when it was made. Every bound is one of state, not of rate, so
                that bending twice changes nothing.

        Raises:
            CommandRejected: If the opening of a gripper is not a number: there is no nearest one.
        """
        n = command.joint_position.shape[0]
        scratch = self._command
        measured = state.robot.joint_position
        scratch[:n] = command.joint_position
        scratch[n : 2 * n] = command.joint_velocity
        scratch[2 * n : 3 * n] = command.joint_effort
        np.subtract(command.joint_position, measured, out=scratch[3 * n :])
        np.subtract(scratch, self._command_centre, out=scratch)
        np.abs(scratch, out=scratch)
        openings = command.gripper_opening
        # Counts, because `any` takes three times as long for so few.
        beyond = np.count_nonzero(np.greater(scratch, self._command_half))
        bends = self._bends(openings)
        if not beyond and not bends:
            return command
        self.clamps += 1
        return self._bent(command, measured, state.time)

    def check(self, state: CellState, now: float) -> None:
        """Pass what was measured, or stop.

        Args:
            state: What was measured.
            now: The present, on the cell's clock, in s.

        Raises:
            SafetyStop: Names the limit, the value and what it belongs to.
        """
        leaning = self._check_base(state.robot)
        complaint = (
            self._check_chain(state, now)
            or leaning
            or self._check_joints(state.robot)
            or self._check_forces(state, now)
            or self._check_tools(state.robot)
        )
        if complaint is not None:
            self.stops += 1
            raise Toppled(complaint) if complaint is leaning else SafetyStop(complaint)

    def _bends(self, openings: Mapping[str, float]) -> bool:
        bends = False
        for arm, opening in openings.items():
            if opening != opening:
                raise CommandRejected(
                    f"gripper_opening of '{arm}': expected a number in m, got {opening}"
                )
            largest = self._grippers.get(arm)
            bends = bends or (largest is not None and not 0.0 <= opening <= largest)
        return bends

    def _bent(self, command: RobotCommand, measured: Array, time: float) -> RobotCommand:
        near = np.clip(command.joint_position, measured - self._lead, measured + self._lead)
        bent = {
            "joint_position": np.clip(near, *self._soft_limits),
            "joint_velocity": _within(command.joint_velocity, self._velocity_limits),
            "joint_effort": _within(command.joint_effort, self._effort_limits),
        }
        for field, unit in zip(_FIELDS, _UNITS, strict=True):
            amount = bent[field] - getattr(command, field)
            for joint in np.flatnonzero(amount):
                name = self._model.joint_names[joint]
                self._warnings.warning(
                    f"{field} {name}",
                    time,
                    "%s of '%s' bent by %+.3g %s",
                    field,
                    name,
                    amount[joint],
                    unit,
                )
        openings = dict(command.gripper_opening)
        for arm, largest in self._grippers.items():
            if arm in openings:
                openings[arm] = min(max(openings[arm], 0.0), largest)
                if openings[arm] != command.gripper_opening[arm]:
                    self._warnings.warning(
                        f"gripper {arm}",
                        time,
                        "opening of gripper '%s' bent to %.4g m",
                        arm,
                        openings[arm],
                    )
        return dataclasses.replace(
            command,
            joint_position=bent["joint_position"],
            joint_velocity=bent["joint_velocity"],
            joint_effort=bent["joint_effort"],
            gripper_opening=openings,
        )

    def _check_chain(self, state: CellState, now: float) -> str | None:
        robot = state.robot
        if robot.lifecycle is Lifecycle.ESTOP:
            return "emergency stop: release it, then recover the driver"
        if robot.lifecycle is Lifecycle.FAULT:
            return f"driver fault: {robot.fault or 'no reason given'}"
        # Whatever else a wire may bring, as a number or a word, is no closed chain.
        if state.station.safe is not True:
            return "station: the safety chain is open"
        return self._check_age("state", robot.time, now) or self._check_count(robot.sequence, now)

    def _check_base(self, robot: RobotState) -> str | None:
        base = robot.base
        if base is not None:
            x, y = base.pose_world_base.quaternion[:2].tolist()
            # Third diagonal entry of the rotation matrix: how far the base's z axis is upright.
            cosine = 1.0 - 2.0 * (x * x + y * y)
            if cosine < self._cos_tilt:
                return (
                    f"base: tilted by {math.acos(max(cosine, -1.0)):.2f} rad, "
                    f"at most {self.config.base_tilt} is standing"
                )
        return None

    def _check_age(self, what: str, time: float, now: float) -> str | None:
        age, oldest = now - time, self.config.max_state_age
        # Asked this way round, so that an age that is no number does not pass.
        if -_AHEAD <= age <= oldest:
            return None
        if not math.isfinite(age):
            return f"{what}: expected a finite time, got {time} s at {now} s"
        if age < 0.0:
            return f"{what}: expected a time that is not ahead of now, got one {-age:.3f} s ahead"
        return f"{what}: expected an age of at most {oldest} s, got {age:.3f}"

    def _check_count(self, number: int, now: float) -> str | None:
        """Complain of a sample that comes again and again under a fresh time."""
        if self._sample is None or number != self._sample[0]:
            self._sample = (number, now)
            return None
        repeated = now - self._sample[1]
        # A device that does not count leaves the number at zero.
        if number == 0 or repeated <= self.config.max_state_age:
            return None
        return (
            f"state: expected a new sample within {self.config.max_state_age} s, "
            f"got number {number} for {repeated:.3f} s"
        )

    def _check_joints(self, robot: RobotState) -> str | None:
        n = robot.joint_position.shape[0]
        scratch = self._measured
        scratch[:n] = robot.joint_position
        scratch[n:] = robot.joint_velocity
        np.subtract(scratch, self._measured_centre, out=scratch)
        np.abs(scratch, out=scratch)
        beyond = np.greater(scratch, self._measured_half)
        if not np.count_nonzero(beyond):
            return None
        field, joint = divmod(int(np.argmax(beyond)), n)
        bound = self._measured_half[field * n + joint]
        centre = self._measured_centre[field * n + joint]
        value = getattr(robot, _FIELDS[field])[joint]
        return (
            f"{_FIELDS[field]} of '{self._model.joint_names[joint]}': measured {value:.3f} "
            f"{_UNITS[field]}, allowed {centre - bound:.3f} to {centre + bound:.3f}"
        )

    def _check_forces(self, state: CellState, now: float) -> str | None:
        for name, reading in state.readings.items():
            if not isinstance(reading, WrenchReading):
                continue
            stale = self._check_age(f"'{name}'", reading.time, now)
            if stale is not None:
                return stale
            x, y, z = reading.wrench_tool[:3].tolist()
            force = math.sqrt(x * x + y * y + z * z)
            if force > self.config.force_peak:
                return f"'{name}': {force:.0f} N, peak limit {self.config.force_peak:.0f} N"
            if self._too_long(name, force > self.config.force_limit, now):
                return (
                    f"'{name}': {force:.0f} N, above {self.config.force_limit:.0f} N "
                    f"for more than {self.config.force_time} s"
                )
        return None

    def _too_long(self, name: str, high: bool, now: float) -> bool:
        """Return whether a wrist felt too much for too long, less how long it did not meanwhile."""
        # Counted on the cell's clock: a sensor's own time may stand still. One sample that is less
        # is no relief, or a hand that hammers would never be stopped.
        if not high and name not in self._force_above:
            return False
        above, before, was_high = self._force_above.get(name, (0.0, now, True))
        above = max(0.0, above + (now - before if was_high else before - now))
        self._force_above[name] = above, now, high
        return high and above > self.config.force_time

    def _check_tools(self, robot: RobotState) -> str | None:
        elapsed = robot.time - self._tools_time
        # A time before the last look belongs to a new run, and is looked at.
        if 0.0 <= elapsed < self.config.tool_period:
            return None
        if self._model.floating and robot.base is None:
            return "base: the robot has a floating base, but no estimate of it arrived"
        configuration = self._model.measured(robot)
        tools = {
            arm: configuration.pose_world(frame).position
            for arm, frame in self._model.tool_frames.items()
        }
        before, self._tools, self._tools_time = self._tools, tools, robot.time
        for arm, position in tools.items():
            if np.any(position < self._box[0]) or np.any(position > self._box[1]):
                return f"tool '{arm}': at {position.round(3)} m, outside {self._box.tolist()}"
            if arm in before and 0.0 < elapsed < 5.0 * self.config.tool_period:
                speed = float(np.linalg.norm(position - before[arm])) / elapsed
                if speed > self.config.tool_speed:
                    return (
                        f"tool '{arm}': moved at {speed:.2f} m/s, "
                        f"at most {self.config.tool_speed} is allowed"
                    )
        return None


def _within(value: Array, bound: Array) -> Array:
    clipped: Array = np.clip(value, -bound, bound)
    return clipped
