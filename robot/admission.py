"""What every driver refuses, whatever robot it drives: one set of checks, one set of messages."""

from __future__ import annotations

import numpy as np

from robot.arrays import Array
from robot.driver import DriverSpec
from robot.errors import CommandRejected, UnknownName
from robot.state import RobotCommand

# Rounding of a clamp or of a sum of periods is not a violation.
_SLACK = 1e-9


class Admission:
    """Decides whether a command is one that a device can obey."""

    def __init__(self, spec: DriverSpec) -> None:
        """Prepare the bounds.

        Args:
            spec: Of the driver.
        """
        self._spec = spec
        limits = spec.limits
        self._shape = (len(spec.joint_names),)
        # All bounded fields in one row each, so that the good case costs two comparisons.
        self._low = np.concatenate([limits.position[0], -limits.velocity, -limits.effort]) - _SLACK
        self._high = np.concatenate([limits.position[1], limits.velocity, limits.effort]) + _SLACK

    def examine(self, command: RobotCommand, epoch: int, time: float) -> None:
        """Let a command pass or say what is wrong with it.

        Args:
            command: What is to be done.
            epoch: The driver's present epoch.
            time: Now, on the cell's clock, in s.

        Raises:
            CommandRejected: Names field, joint, value and bound.
        """
        if command.joint_position.shape != self._shape:
            raise CommandRejected(
                f"joint_position: expected shape {self._shape}, got {command.joint_position.shape}"
            )
        if command.epoch != epoch:
            raise CommandRejected(
                f"epoch: expected {epoch}, got {command.epoch}: the servos were off in between"
            )
        if not command.valid_until >= time - _SLACK:
            raise CommandRejected(
                f"valid_until: {command.valid_until:.6g} s is past, it is {time:.6g} s"
            )
        bounded = np.concatenate(
            [command.joint_position, command.joint_velocity, command.joint_effort]
        )
        if ((bounded < self._low) | (bounded > self._high)).any():
            self._name_violation(bounded)
        for name in ("stiffness", "damping"):
            gains: Array = getattr(command, name)
            if gains.min() < 0.0:
                joint = self._spec.joint_names[int(np.argmin(gains))]
                raise CommandRejected(
                    f"{name} of '{joint}': {gains.min():.4g} is not at least 0: a negative gain "
                    "is not a servo"
                )
        for arm, opening in command.gripper_opening.items():
            widest = self._spec.grippers.get(arm)
            if widest is None:
                raise CommandRejected(str(UnknownName("gripper", arm, self._spec.grippers)))
            if not -_SLACK <= opening <= widest + _SLACK:
                raise CommandRejected(
                    f"gripper_opening of '{arm}': {opening:.4g} m is not within 0 and {widest} m"
                )

    def _name_violation(self, bounded: Array) -> None:
        first = int(np.flatnonzero((bounded < self._low) | (bounded > self._high))[0])
        field, joint = divmod(first, self._shape[0])
        name, unit = (
            ("joint_position", "rad"),
            ("joint_velocity", "rad/s"),
            ("joint_effort", "N·m"),
        )[field]
        raise CommandRejected(
            f"{name} of '{self._spec.joint_names[joint]}': {bounded[first]:.4g} {unit} is not "
            f"within {self._low[first]:.4g} and {self._high[first]:.4g} {unit}"
        )
