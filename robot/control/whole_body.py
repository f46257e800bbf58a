"""One inverse-dynamics program for the whole body: tool targets to joint efforts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from typing_extensions import override

from robot.agreement import narrower
from robot.arrays import Array, clipped
from robot.cell_state import CellState
from robot.configuration import Configuration
from robot.control.arm import Arm
from robot.control.balance import Balance
from robot.control.constraints import (
    felt_limits,
    take_felt,
    write_dynamics,
    write_joint_box,
)
from robot.control.controller import Controller
from robot.control.friction import FrictionObserver
from robot.control.kernels import rotation_error, to_quaternion
from robot.control.objectives import LeastSquares, Posture
from robot.control.qp import DenseQP
from robot.control.reflex import Reflex, StanceSense
from robot.control.self_collision import RoundedBox, SelfCollision
from robot.control.soles import CONE_ROWS, Soles
from robot.control.whole_body_config import WholeBodyConfig
from robot.driver import JointLimits
from robot.errors import NoSolution
from robot.model import RobotModel
from robot.state import BodyTarget, RobotCommand, Target

# Rows of the stacked objectives: centre of mass, torso, then six for each arm and each foot.
_COM, _TORSO, _TOOLS = 0, 3, 6


class WholeBodyController(Controller):
    """Stands, keeps the torso upright and moves both tools, within every limit at once.

    Each tick solves one quadratic program in the generalized accelerations `qdd` and the wrenches
    `f` of the feet (Herzog et al. 2016, with weights instead of a hierarchy):

        minimize    sum of weighted squares of (J qdd + dJ/dt v - a) over the objectives
        such that   M qdd + h = S' tau + J_feet' f + J_tools' w_felt      (base rows)
                    |tau| within the effort limits, f within the contact cones,
                    qdd within the box of position and velocity limits,

    and sends tau, which follows from the joint rows of the dynamics. A robot with a fixed base has
    no `f`, no centre of mass to keep and no base rows; the rest is the same.

    Attributes:
        arms: What is remembered of each arm, by name.
        unsolved: Ticks without a solution since the last reset.
    """

    def __init__(
        self,
        model: RobotModel,
        torso_frame: str,
        foot_half_sizes: Mapping[str, tuple[float, float]],
        config: WholeBodyConfig | None = None,
        collision_pairs: Sequence[tuple[RoundedBox, RoundedBox]] = (),
        reflex: Reflex | None = None,
        limits: JointLimits | None = None,
        grippers: Mapping[str, float] | None = None,
    ) -> None:
        """Allocate the program.

        Args:
            model: The robot.
            torso_frame: Frame whose orientation is kept.
            foot_half_sizes: Half length and half width of each sole, by the names of
                `RobotModel.contact_frames`, in m.
            config: Gains, weights and limits.
            collision_pairs: Shapes that are kept apart, from `self_collision.pairs_of`.
            reflex: What moves the references of the trunk in a shove, for a robot with feet.
            limits: What the device accepts; where they differ from the model's, the narrower ones
                hold. The model's alone if omitted.
            grippers: Largest opening of each gripper, in m, as in `DriverSpec`: one that is found a
                little wider than it can be commanded is kept at that.
        """
        self._model = model
        self._config = config or WholeBodyConfig()
        self._torso_frame = torso_frame
        self._feet = tuple(model.contact_frames.values())
        n, self._nv = model.n, model.nv
        self._joint_limits, self._speed_limits, effort_limits = narrower(model, limits)
        unknowns = self._nv + 6 * len(self._feet)
        n_equal = 6 if model.floating else 0
        trunk = model.supporting_joints(torso_frame) > 0.0
        self.arms = {
            arm: Arm(
                arm, frame, (model.supporting_joints(frame) > 0.0) & ~trunk, self._config.tools
            )
            for arm, frame in model.tool_frames.items()
        }
        joints_of_arms = np.any([arm.joints for arm in self.arms.values()], axis=0)
        self._friction = FrictionObserver(joints_of_arms, effort_limits, self._config.friction)
        in_arms = np.concatenate([np.zeros(self._nv - n), joints_of_arms])
        self._self_collision = SelfCollision(collision_pairs, in_arms, self._config.self_collision)
        n_rows = n + CONE_ROWS * len(self._feet) + self._self_collision.rows
        self._program = DenseQP(unknowns, n_equal, n_rows, self._config.solver)
        self._soles = Soles(
            self._program, model.contact_frames, foot_half_sizes, n, self._nv, self._config.contact
        )
        self._diagonal = np.einsum("ii->i", self._program.hessian)
        self._apart = slice(n_rows - self._self_collision.rows, n_rows)
        self._effort_limits = self._config.limits.effort_share * effort_limits
        bearable = self._config.limits.felt_share * self._effort_limits
        arms = self.arms.values()
        self._felt_limits = [felt_limits(arm.joints, bearable, self._nv) for arm in arms]
        margin = self._config.limits.position_margin
        self._position_limits = self._joint_limits + np.array([[margin], [-margin]])
        self._objectives = LeastSquares(_TOOLS + 6 * (len(model.arms) + len(self._feet)), self._nv)
        self._posture = Posture(trunk, self._config.posture)
        self._balance = Balance(self._config.balance, model.mass)
        self._reflex = reflex if self._feet else None
        self._quaternion_torso = np.array([0.0, 0.0, 0.0, 1.0])
        self._quaternion = np.zeros(4)
        self._rotation_error = np.zeros(3)
        self._grippers = dict(grippers or {})
        self._gripper_opening: dict[str, float] = {}
        self._effort: Array | None = None
        self._hold_position: Array | None = None
        self._no_stiffness = np.zeros(n)
        self._damping = np.full(n, self._config.servo.damping)
        self._failures_in_a_row = 0
        self.unsolved = 0

    @override
    def reset(self, state: CellState) -> None:
        robot = state.robot
        configuration = self._model.measured(robot)
        self._posture.joint_position[:] = robot.joint_position
        for arm in self.arms.values():
            arm.reset(state.readings.get(f"wrist_{arm.name}"))
            self._posture.hold(arm.joints, robot.joint_position)
        self._quaternion_torso[:] = configuration.pose_world(self._torso_frame).quaternion
        if self._feet:
            feet = [configuration.pose_world(frame).position for frame in self._feet]
            self._balance.reset(configuration.com(), feet)
        if self._reflex is not None:
            self._reflex.reset()
        self._gripper_opening = {
            arm: min(max(opening, 0.0), self._grippers.get(arm, opening))
            for arm, opening in robot.gripper_opening.items()
        }
        self._effort = self._hold_position = None
        self._failures_in_a_row = self.unsolved = 0
        self._friction.reset()
        self._self_collision.reset(self._program.rows[self._apart, : self._nv])
        self._program.forget()

    @override
    def update(self, state: CellState, target: Target, dt: float) -> RobotCommand:
        robot = state.robot
        configuration = self._model.measured(robot)
        inertia = configuration.mass_matrix()
        bias = configuration.bias_effort()
        self._friction.observe(configuration.velocity, dt)
        bias[-self._model.n :] -= self._friction.effort
        body = target.body
        if body is None and self._reflex is not None:
            body = self._reflex.react(self._sense(configuration), dt)
        self._write_tools(configuration, state, target, body, bias, dt)
        soles = _TOOLS + 6 * len(self.arms)
        self._soles.write(configuration, self._objectives, soles, shoved=body is not None)
        self._write_trunk(configuration, body, dt)
        self._write_dynamics(configuration, inertia, bias, dt)
        for arm, tool in target.tools.items():
            self._gripper_opening[arm] = tool.gripper_opening
        solution = self._program.solve()
        if solution is None:
            return self._hold(state, configuration)
        self._failures_in_a_row, self._hold_position = 0, None
        n = self._model.n
        effort = self._program.rows[:n] @ solution + bias[-n:]
        self._effort = effort
        joint_acceleration = solution[self._nv - n : self._nv]
        self._friction.expect(inertia, configuration.velocity, solution[: self._nv], dt)
        return RobotCommand(
            joint_position=clipped(robot.joint_position, *self._position_limits),
            joint_velocity=clipped(
                robot.joint_velocity + dt * joint_acceleration,
                -self._speed_limits,
                self._speed_limits,
            ),
            joint_effort=effort,
            stiffness=self._no_stiffness,
            damping=self._damping,
            gripper_opening=dict(self._gripper_opening),
        )

    def _sense(self, configuration: Configuration) -> StanceSense:
        """Return how the robot stands against how it should."""
        self._turn_torso(configuration)
        rate = configuration.twist_world(self._torso_frame)[3:5]
        return StanceSense(
            position_com=configuration.com() - self._balance.position_world_support,
            velocity_com=configuration.com_velocity(),
            reference_com=self._balance.reference(),
            tilt_torso=-self._rotation_error[:2],
            rate_torso=rate,
        )

    def _turn_torso(self, configuration: Configuration) -> None:
        """Take note of the rotation from the torso to its reference."""
        to_quaternion(configuration.rotation_world(self._torso_frame), self._quaternion)
        rotation_error(self._quaternion_torso, self._quaternion, self._rotation_error)

    def _write_tools(
        self,
        configuration: Configuration,
        state: CellState,
        target: Target,
        body: BodyTarget | None,
        bias: Array,
        dt: float,
    ) -> None:
        """Write the tools' objectives, and take the felt wrenches off the bias efforts.

        Arms that yield hold their posture, as arms without a target do.
        """
        load = np.zeros(6)
        yielding = body is not None and body.yielding
        share = self._balance.tool_share()
        for number, arm in enumerate(self.arms.values()):
            arm.feel(state.readings.get(f"wrist_{arm.name}"), dt)
            position, rotation = configuration.placement_world(arm.frame)
            jacobian = configuration.jacobian(arm.frame)
            lever = position - self._balance.position_world_support
            limits = self._felt_limits[number]
            take_felt(arm.wrench_tool, rotation, jacobian, limits, lever, bias, load)
            first = _TOOLS + 6 * number
            tool = target.tools.get(arm.name)
            if tool is None or yielding:
                if arm.active:
                    arm.active = False
                    self._posture.hold(arm.joints, state.robot.joint_position)
                self._objectives.set(first, jacobian, np.zeros(6), 0.0)
                continue
            if not arm.active:
                self._posture.release(arm.joints)
            wanted = arm.acceleration(tool, configuration, position, rotation, jacobian, dt)
            drift = configuration.jacobian_drift(arm.frame)
            self._objectives.set(first, jacobian, wanted - drift, arm.weight(share))
        self._balance.load(load, dt)

    def _write_trunk(
        self, configuration: Configuration, body: BodyTarget | None, dt: float
    ) -> None:
        """Write the objectives of centre of mass, torso and joints; sum up all objectives."""
        if self._feet:
            jacobian_com = configuration.com_jacobian()
            wanted = self._balance.com_acceleration(
                configuration.com(), jacobian_com @ configuration.velocity, body, dt
            )
            wanted -= configuration.com_drift()
            self._objectives.set(_COM, jacobian_com, wanted, self._balance.com_weight)
        self._turn_torso(configuration)
        jacobian = configuration.jacobian(self._torso_frame)[3:]
        forward = self._balance.torso_forward(body)
        wanted = self._balance.torso_acceleration(
            self._rotation_error, jacobian @ configuration.velocity, forward
        )
        wanted -= configuration.jacobian_drift(self._torso_frame)[3:]
        self._objectives.set(_TORSO, jacobian, wanted, self._config.balance.torso_weight)

        nv, program = self._nv, self._program
        self._objectives.write(program.hessian[:nv, :nv], program.gradient[:nv])
        diagonal = self._diagonal
        diagonal[:nv] += self._config.posture.regularization
        diagonal[nv:] = self._config.posture.force_regularization
        joints = slice(nv - self._model.n, nv)
        lean = self._balance.torso_lean(forward)
        self._posture.lean(None if lean is None else lean @ jacobian[:2, joints])
        self._posture.add(
            diagonal[joints],
            program.gradient[joints],
            configuration.joint_position,
            configuration.joint_velocity,
        )

    def _write_dynamics(
        self, configuration: Configuration, inertia: Array, bias: Array, dt: float
    ) -> None:
        """Write the equations of motion and the limits into the program."""
        n, nv, program = self._model.n, self._nv, self._program
        write_dynamics(program, n, inertia, bias, self._effort_limits)
        self._self_collision.write(
            configuration, program.rows[self._apart, :nv], program.row_lower[self._apart], dt
        )
        joints = slice(nv - n, nv)
        write_joint_box(
            program.lower[joints],
            program.upper[joints],
            configuration.joint_position,
            configuration.joint_velocity,
            self._joint_limits,
            self._speed_limits,
            self._config.limits,
        )

    def _hold(self, state: CellState, configuration: Configuration) -> RobotCommand:
        """Return a command that holds the posture for a tick without a solution.

        The efforts are those of the last solution: a standing robot's weight rests on contact
        forces that only the program knows.

        Raises:
            NoSolution: After too many such ticks in a row.
        """
        self._friction.skip()
        self.unsolved += 1
        self._failures_in_a_row += 1
        limit = self._config.solver.failures
        if self._failures_in_a_row >= limit:
            raise NoSolution(
                f"{limit} ticks in a row without a solution: the robot cannot do what it is asked "
                "within its limits. Is it falling, or a target out of reach?"
            )
        if self._hold_position is None:
            self._hold_position = state.robot.joint_position
        n, servo = self._model.n, self._config.servo
        effort = configuration.gravity_effort()[-n:] if self._effort is None else self._effort
        return RobotCommand(
            joint_position=self._hold_position,
            joint_velocity=np.zeros(n),
            joint_effort=effort,
            stiffness=np.full(n, servo.hold_stiffness),
            damping=np.full(n, servo.hold_damping),
            gripper_opening=dict(self._gripper_opening),
        )
