"""A simulated robot behind the driver seam: servos at the physics rate, encoders, IMU, noise."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from typing_extensions import override

from robot.admission import Admission
from robot.arrays import Array, frozen
from robot.driver import Driver, DriverSpec, JointLimits, ServoMode, StopCategory
from robot.errors import NotConnected, StaleState, UnknownName, WrongLifecycle
from robot.estimator import BaseEstimator
from robot.model import RobotModel
from robot.sim.gripper import SimGripper
from robot.sim.imu import SimImu
from robot.sim.noise import NOISE_LEVELS, NoiseLevel
from robot.sim.robot_body import SimRobot
from robot.sim.servo import JointFriction, JointServos, joint_mobility
from robot.sim.world import World
from robot.spatial import Pose
from robot.state import Lifecycle, RobotCommand, RobotState

_SLACK = 1e-9


@dataclass(frozen=True)
class SimDriverConfig:
    """How good the simulated robot is.

    Attributes:
        noise: How badly it measures.
        viscous_friction: Of every joint, as a share of its effort limit per rad/s.
        coulomb_friction: Of every joint, as a share of its effort limit.
        watchdog: How long the servos follow a command without a fresh one, in s.
        max_state_age: Age at which a sample is refused, in s.
    """

    noise: NoiseLevel = field(default_factory=lambda: NOISE_LEVELS["B"])
    viscous_friction: float = 5e-4
    coulomb_friction: float = 2e-3
    watchdog: float = 0.1
    max_state_age: float = 0.02


class _Sample(NamedTuple):
    """What was so after one physics step."""

    step: int
    joint_position: Array
    joint_velocity: Array
    joint_effort: Array
    fingers: list[tuple[float, float]]


class SimDriver(Driver):
    """A robot in a `World`.

    While it is not ACTIVE, and until the first command of an epoch, brakes hold the joints where
    they are: a humanoid whose servos go limp falls, and a real one hangs from a crane then. The
    servos use their own encoders, without the noise and delay that `read` reports with.

    Of a floating base, `read` reports what an estimator makes of the legs and an IMU. The truth is
    for judges: `pose_world_base_true`.
    """

    def __init__(
        self,
        world: World,
        robot: SimRobot,
        model: RobotModel,
        *,
        estimator: BaseEstimator | None = None,
        grippers: Mapping[str, SimGripper] | None = None,
        imu_frame: str = "imu",
        config: SimDriverConfig | None = None,
    ) -> None:
        """Take charge of a robot's joints.

        Args:
            world: What steps.
            robot: The robot in it.
            model: Its joints and limits.
            estimator: Of the base; required if and only if the base floats.
            grippers: By arm name.
            imu_frame: Frame of the inertial measurement unit, fixed to the base link.
            config: How good the robot is.

        Raises:
            ValueError: If the estimator is missing or in vain, or the delay does not fit.
            UnknownName: If the robot in the world lacks a joint of the model.
        """
        self._config = config = config or SimDriverConfig()
        if (estimator is not None) != model.floating:
            state = "floats and needs" if model.floating else "is bolted down and takes no"
            raise ValueError(f"estimator: the base of {robot.name} {state} estimator")
        self._world, self._robot, self._model = world, robot, model
        self._grippers = dict(grippers or {})
        self.spec = DriverSpec(
            name="sim",
            joint_names=model.joint_names,
            limits=JointLimits(model.position_limits, model.velocity_limits, model.effort_limits),
            modes=frozenset(ServoMode),
            state_hz=1.0 / world.dt,
            watchdog=config.watchdog,
            max_state_age=config.max_state_age,
            stops=frozenset(StopCategory),
            grippers={arm: gripper.opening_max for arm, gripper in self._grippers.items()},
            lockstep=True,
        )
        self._admission = Admission(self.spec)
        delay_steps = config.noise.delay_steps(world.physics_dt)
        fingers = [joint for gripper in self._grippers.values() for joint in gripper.joints]
        joints = [robot.joint(name) for name in (*model.joint_names, *fingers)]
        self._read_joints = robot.probe.joints(joints)
        self._write_efforts = robot.effort_writer([*model.joint_names, *fingers])
        self._servos = JointServos(model, world.physics_dt)
        self._friction = JointFriction(
            config.viscous_friction * model.effort_limits,
            config.coulomb_friction * model.effort_limits,
            np.diag(joint_mobility(model, np.zeros(model.n))),
            world.physics_dt,
        )
        self._imu = (
            SimImu(world, robot, model, estimator, imu_frame, config.noise)
            if estimator is not None
            else None
        )
        self._samples: deque[_Sample] = deque(maxlen=delay_steps + 1)
        self._lifecycle = Lifecycle.UNCONFIGURED
        self._fault: str | None = None
        self._epoch = 0
        self._sequence = 0
        self._command: RobotCommand | None = None
        self._written = 0.0
        self._effort = self._output = np.zeros(model.n)
        self._state: tuple[int, RobotState] | None = None
        self.place(np.zeros(model.n), robot.pose_world_base())
        world.add_actuator(self._actuate)
        world.add_sampler(self._sample)

    @property
    @override
    def lifecycle(self) -> Lifecycle:
        return self._lifecycle

    @property
    @override
    def epoch(self) -> int:
        return self._epoch

    def place(self, joint_position: Array, pose_world_base: Pose, seed: int = 0) -> None:
        """Put the robot somewhere, at rest, grippers open: what a scene does between two episodes.

        A driver that was ACTIVE or in FAULT is ACTIVE after it, in a new epoch: in simulation the
        scene is the operator who recovers. Brakes hold the posture until the first command.

        Args:
            joint_position: In rad. Shape (n,).
            pose_world_base: Where the base link is. The estimator is told, as by a calibration.
            seed: Of this episode's measurement noise.
        """
        position = frozen("joint_position", joint_position, (self._model.n,))
        fingers: dict[str, float] = {}
        for gripper in self._grippers.values():
            fingers |= gripper.reset()
        names = self._model.joint_names
        self._robot.reset(
            dict(zip(names, position.tolist(), strict=True)) | fingers, pose_world_base
        )
        self._rng = np.random.default_rng(seed)
        self._effort = self._output = np.zeros(self._model.n)
        self._servos.forget()
        self._servos.brake(position, self._effort)
        self._command = None
        if self._lifecycle in (Lifecycle.ACTIVE, Lifecycle.FAULT):
            self._epoch += 1 + (self._lifecycle is Lifecycle.ACTIVE)
            self._lifecycle, self._fault = Lifecycle.ACTIVE, None
        self._state = None
        # Before the first step the past looks like the present.
        self._robot.probe.sample()
        for _ in range(self._samples.maxlen or 1):
            self._samples.append(self._present())
        if self._imu is not None:
            self._imu.reset(position, pose_world_base, self._rng)

    def pose_world_base_true(self) -> Pose | None:
        """Return where a floating base really is, for judges; None if it is bolted down."""
        return self._robot.pose_world_base() if self._model.floating else None

    def set_grip_force(self, arm: str, force: float) -> None:
        """Set the largest force of each finger of an arm's gripper, in N.

        Raises:
            UnknownName: If there is no such gripper.
        """
        if arm not in self._grippers:
            raise UnknownName("gripper", arm, self._grippers)
        self._grippers[arm].set_force(force)

    @override
    def configure(self) -> None:
        self._expect(Lifecycle.UNCONFIGURED)
        self._lifecycle = Lifecycle.INACTIVE

    @override
    def activate(self) -> int:
        self._expect(Lifecycle.INACTIVE)
        self._lifecycle = Lifecycle.ACTIVE
        self._epoch += 1
        self._command = None
        self._state = None
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
        self._expect(Lifecycle.FAULT)
        self._lifecycle, self._fault, self._state = Lifecycle.INACTIVE, None, None

    @override
    def read(self) -> RobotState:
        if self._lifecycle is Lifecycle.UNCONFIGURED:
            raise NotConnected("read(): the simulated robot is not configured")
        step = self._world.steps
        if self._state is None or self._state[0] != step:
            self._state = (step, self._measure())
        age = self._world.time - self._state[1].time
        if age > self.spec.max_state_age:
            raise StaleState(
                f"sim: sample is {age:.3f} s old, at most {self.spec.max_state_age} s is allowed"
            )
        return self._state[1]

    @override
    def write(self, command: RobotCommand) -> None:
        self._expect(Lifecycle.ACTIVE)
        now = self._world.time
        self._admission.examine(command, self._epoch, now)
        self._command = command
        self._written = now
        self._servos.follow(command, self._samples[-1].joint_position)
        for arm, opening in command.gripper_opening.items():
            self._grippers[arm].move_to(opening)

    def _expect(self, allowed: Lifecycle) -> None:
        if self._lifecycle is allowed:
            return
        if self._lifecycle is Lifecycle.UNCONFIGURED:
            raise NotConnected("the simulated robot is not configured")
        raise WrongLifecycle(f"sim: expected {allowed.value}, is {self._lifecycle.value}")

    def _halt(self, lifecycle: Lifecycle, fault: str | None) -> None:
        if self._lifecycle is Lifecycle.ACTIVE:
            self._epoch += 1
            # The torque of the moment goes on holding, so that the brakes do not let it sag first.
            self._servos.brake(self._samples[-1].joint_position, self._effort)
            for gripper in self._grippers.values():
                gripper.hold()
        self._lifecycle, self._fault = lifecycle, fault
        self._command = None
        self._state = None

    def _actuate(self) -> None:
        """Set the torques of the next physics step."""
        command = self._command
        if command is not None:
            # Counted from the start of the step that would still obey.
            now = self._world.time - _SLACK
            if now > command.valid_until or now > self._written + self.spec.watchdog:
                silence = self._world.time - self._written
                self._halt(Lifecycle.FAULT, f"watchdog: no fresh command for {silence:.3f} s")
        sample = self._samples[-1]
        effort = self._servos.efforts(sample.joint_position, sample.joint_velocity)
        self._effort = effort
        self._output = self._friction.take_from(effort, sample.joint_velocity)
        efforts = self._output.tolist()
        fingers = iter(sample.fingers)
        for gripper, a, b in zip(self._grippers.values(), fingers, fingers, strict=True):
            efforts += gripper.efforts(a, b)
        self._write_efforts(efforts)

    def _sample(self) -> None:
        """Note what is so after a physics step."""
        self._samples.append(self._present())
        if self._imu is not None:
            self._imu.sample()

    def _present(self) -> _Sample:
        """Return what is so now."""
        states = self._read_joints()
        n = self._model.n
        position = np.array([state[0] for state in states[:n]])
        velocity = np.array([state[1] for state in states[:n]])
        fingers = [(state[0], state[1]) for state in states[n:]]
        return _Sample(self._world.steps, position, velocity, self._output, fingers)

    def _measure(self) -> RobotState:
        """Return the sample that is due, with noise."""
        sample = self._samples[0]
        n, noise = self._model.n, self._config.noise
        draws = self._rng.standard_normal(2 * n + 6 + len(self._grippers))
        # Taken two at a time: the fingers of each gripper.
        fingers = iter(sample.fingers)
        position = sample.joint_position + noise.joint_position * draws[:n]
        velocity = sample.joint_velocity + noise.joint_velocity * draws[n : 2 * n]
        self._sequence += 1
        time = sample.step * self._world.physics_dt
        return RobotState(
            time=time,
            joint_position=position,
            joint_velocity=velocity,
            joint_effort=sample.joint_effort,
            gripper_opening={
                arm: max(0.0, a[0] + b[0] + noise.opening * float(draw))
                for arm, a, b, draw in zip(
                    self._grippers, fingers, fingers, draws[2 * n + 6 :], strict=True
                )
            },
            base=(
                self._imu.estimate(position, velocity, draws[2 * n : 2 * n + 6])
                if self._imu is not None
                else None
            ),
            sequence=self._sequence,
            time_device=time,
            lifecycle=self._lifecycle,
            fault=self._fault,
            epoch=self._epoch,
            applied_sequence=self._command.sequence if self._command is not None else 0,
        )
