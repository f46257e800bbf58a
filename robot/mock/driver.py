"""Joints of equal inertia without gravity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from robot.admission import Admission
from robot.arrays import Array, frozen
from robot.driver import Driver, DriverSpec, JointLimits, ServoMode, StopCategory
from robot.errors import NotConnected, StaleState, WrongLifecycle
from robot.mock.devices import ManualClock
from robot.model import RobotModel
from robot.spatial import Pose
from robot.state import BaseState, Lifecycle, RobotCommand, RobotState

_GRAVITY = 9.81
# Rounding of a clamp or of a sum of periods is not a violation.
_SLACK = 1e-9


@dataclass(frozen=True)
class MockDriverConfig:
    """What the joints of a mock are like.

    Attributes:
        inertia: Of every joint, in kg·m^2.
        gripper_speed: Speed of the fingers towards each other, in m/s.
        gripper_opening: Largest opening of every gripper, in m.
        watchdog: How long the joints follow a command without a fresh one, in s.
        max_state_age: Age at which a sample is refused, in s.
    """

    inertia: float = 1.0
    gripper_speed: float = 0.15
    gripper_opening: float = 0.05
    watchdog: float = 0.1
    max_state_age: float = 0.02


class MockDriver(Driver):
    """Joints of equal inertia without gravity, moved by the servo law of `RobotCommand` alone.

    The law is integrated implicitly, v' = v + dt/I · clip(effort(q + dt v', v')): stable for
    every gain. A floating base stands where it was put.
    """

    def __init__(
        self,
        model: RobotModel,
        clock: ManualClock,
        joint_position: Array,
        config: MockDriverConfig | None = None,
        pose_world_base: Pose | None = None,
    ) -> None:
        """Put the joints somewhere.

        Args:
            model: Joint names, limits and arms.
            clock: What moves the joints.
            joint_position: Where they start, in rad. Shape (n,).
            config: What they are like; the defaults if omitted.
            pose_world_base: Where a floating base stands; the identity if omitted.
        """
        self._config = config = config or MockDriverConfig()
        self._clock = clock
        self._n = len(model.joint_names)
        self.spec = DriverSpec(
            name="mock",
            joint_names=model.joint_names,
            limits=JointLimits(model.position_limits, model.velocity_limits, model.effort_limits),
            modes=frozenset(ServoMode),
            state_hz=1.0 / clock.dt,
            watchdog=config.watchdog,
            max_state_age=config.max_state_age,
            stops=frozenset(StopCategory),
            grippers=dict.fromkeys(model.tool_frames, config.gripper_opening),
            lockstep=True,
        )
        self._admission = Admission(self.spec)
        self._floating = model.floating
        self._base: BaseState | None = None
        self._lifecycle = Lifecycle.UNCONFIGURED
        self._fault: str | None = None
        self._epoch = 0
        self._sequence = 0
        self._pressed = False
        self._frozen = False
        self.place(joint_position, pose_world_base or Pose.identity())
        clock.on_tick(self._step)

    def place(self, joint_position: Array, pose_world_base: Pose | None = None) -> None:
        """Put the robot somewhere at once, at rest, grippers open: what a scene does.

        A driver that was ACTIVE or in FAULT is ACTIVE after it, in a new epoch.

        Args:
            joint_position: In rad. Shape (n,).
            pose_world_base: Where a floating base stands; where it was, if omitted.
        """
        self._position = np.array(frozen("joint_position", joint_position, (self._n,)))
        self._velocity = np.zeros(self._n)
        self._effort = np.zeros(self._n)
        self._opening = dict(self.spec.grippers)
        self._command: RobotCommand | None = None
        if self._floating and pose_world_base is not None:
            felt = pose_world_base.rotation.T @ np.array([0.0, 0.0, _GRAVITY])
            self._base = BaseState(pose_world_base, np.zeros(6), felt)
        if self._lifecycle in (Lifecycle.ACTIVE, Lifecycle.FAULT):
            self._epoch += 1 + (self._lifecycle is Lifecycle.ACTIVE)
            self._lifecycle, self._fault = Lifecycle.ACTIVE, None
        self._sample()

    def press_estop(self) -> None:
        """Press the emergency stop; the joints stop and stay stopped."""
        self._pressed = True
        self._halt(Lifecycle.ESTOP, "emergency stop")

    def release_estop(self) -> None:
        """Release the emergency stop, which by itself moves nothing."""
        self._pressed = False

    def freeze(self, silent: bool = True) -> None:
        """Let the device fall silent, so that samples grow old, or speak again."""
        self._frozen = silent

    @property
    @override
    def lifecycle(self) -> Lifecycle:
        return self._lifecycle

    @property
    @override
    def epoch(self) -> int:
        return self._epoch

    @override
    def configure(self) -> None:
        self._expect(Lifecycle.UNCONFIGURED)
        self._lifecycle = Lifecycle.ESTOP if self._pressed else Lifecycle.INACTIVE
        self._sample()

    @override
    def activate(self) -> int:
        self._expect(Lifecycle.INACTIVE)
        self._lifecycle = Lifecycle.ACTIVE
        self._epoch += 1
        self._command = None
        self._sample()
        return self._epoch

    @override
    def deactivate(self) -> None:
        self._expect(Lifecycle.ACTIVE)
        self._halt(Lifecycle.INACTIVE, None)

    @override
    def cleanup(self) -> None:
        self._halt(Lifecycle.UNCONFIGURED, None)

    @override
    def stop(self, category: StopCategory) -> None:
        if self._lifecycle in (Lifecycle.INACTIVE, Lifecycle.ACTIVE):
            self._halt(Lifecycle.FAULT, f"stopped: {category.name.lower()}")

    @override
    def recover(self) -> None:
        if self._lifecycle is Lifecycle.ESTOP and self._pressed:
            raise WrongLifecycle("recover(): the emergency stop is still pressed")
        self._expect(Lifecycle.FAULT, Lifecycle.ESTOP)
        self._lifecycle = Lifecycle.INACTIVE
        self._fault = None
        self._sample()

    @override
    def read(self) -> RobotState:
        if self._lifecycle is Lifecycle.UNCONFIGURED:
            raise NotConnected("read(): the mock is not configured")
        age = self._clock.time - self._state.time
        if age > self.spec.max_state_age:
            raise StaleState(
                f"mock: sample is {age:.3f} s old, at most {self.spec.max_state_age} is allowed"
            )
        return self._state

    @override
    def write(self, command: RobotCommand) -> None:
        self._expect(Lifecycle.ACTIVE)
        self._admission.examine(command, self._epoch, self._clock.time)
        self._command = command
        self._written = self._clock.time

    def _expect(self, *allowed: Lifecycle) -> None:
        if self._lifecycle is Lifecycle.UNCONFIGURED not in allowed:
            raise NotConnected("the mock is not configured")
        if self._lifecycle not in allowed:
            names = " or ".join(state.value for state in allowed)
            raise WrongLifecycle(f"mock: expected {names}, is {self._lifecycle.value}")

    def _halt(self, lifecycle: Lifecycle, fault: str | None) -> None:
        if self._lifecycle is Lifecycle.ACTIVE:
            self._epoch += 1
        self._lifecycle = lifecycle
        self._fault = fault
        self._velocity[:] = 0.0
        self._effort[:] = 0.0
        self._command = None
        self._sample()

    def _step(self) -> None:
        if self._lifecycle is Lifecycle.ACTIVE:
            command, last = self._command, self._clock.time - self._clock.dt - _SLACK
            # Whatever held until the period that has just passed began was still obeyed in it.
            if command is not None and last > min(
                command.valid_until, self._written + self.spec.watchdog
            ):
                self._halt(Lifecycle.FAULT, "watchdog: no fresh command")
            elif command is not None:
                self._follow(command)
        if not self._frozen:
            self._sample()

    def _follow(self, command: RobotCommand) -> None:
        dt, share = self._clock.dt, self._clock.dt / self._config.inertia
        stiffness, damping = command.stiffness, command.damping
        pull = (
            command.joint_effort
            + stiffness * (command.joint_position - self._position - dt * self._velocity)
            + damping * (command.joint_velocity - self._velocity)
        )
        effort = pull / (1.0 + share * (damping + dt * stiffness))
        limits = self.spec.limits
        self._effort = np.clip(effort, -limits.effort, limits.effort)
        self._velocity = self._velocity + share * self._effort
        moved = self._position + dt * self._velocity
        self._position = np.clip(moved, *limits.position)
        self._velocity[moved != self._position] = 0.0
        reach = dt * self._config.gripper_speed
        for arm, opening in command.gripper_opening.items():
            self._opening[arm] += min(max(opening - self._opening[arm], -reach), reach)

    def _sample(self) -> None:
        self._sequence += 1
        self._state = RobotState(
            time=self._clock.time,
            joint_position=self._position,
            joint_velocity=self._velocity,
            joint_effort=self._effort,
            gripper_opening=dict(self._opening),
            base=self._base,
            sequence=self._sequence,
            time_device=self._clock.time,
            lifecycle=self._lifecycle,
            fault=self._fault,
            epoch=self._epoch,
            applied_sequence=self._command.sequence if self._command is not None else 0,
        )
