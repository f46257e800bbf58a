"""What a driver says of itself, compared with what is built on top of it.

A driver with its joints in another order obeys every command and moves the wrong joints; one that
cannot hold shows it when it has to. Both are found here, before anything moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

import numpy as np

from robot.arrays import Array, frozen, read_only
from robot.driver import DriverSpec, JointLimits, ServoMode, StopCategory
from robot.errors import ConfigError
from robot.model import RobotModel

# A rate is the inverse of a period, and either may be rounded.
_SLACK = 1e-6
# A device that hears nothing moves on for no longer than this, in s.
_LONGEST_WATCHDOG = 0.2


def check_agreement(spec: DriverSpec, model: RobotModel, dt: float) -> None:
    """Refuse a driver on which this model cannot be controlled.

    Args:
        spec: Of the driver.
        model: What the controller and the guard go by.
        dt: The control period, in s.

    Raises:
        ConfigError: Names everything that differs, what was expected and what to do.
    """
    found = [
        *_joints(spec, model),
        *_abilities(spec, dt),
        *_limits(spec),
        *_grippers(spec, model),
    ]
    if found:
        raise ConfigError(f"driver '{spec.name}': " + "; ".join(found))


def _joints(spec: DriverSpec, model: RobotModel) -> Iterator[str]:
    pairs = zip_longest(model.joint_names, spec.joint_names)
    for number, (expected, got) in enumerate(pairs):
        if expected == got:
            continue
        missing = sorted(set(model.joint_names) - set(spec.joint_names))
        unknown = sorted(set(spec.joint_names) - set(model.joint_names))
        advice = (
            f"the driver lacks {missing} and the model {unknown}: use the description of this robot"
            if missing or unknown
            else "the names are the same: let the driver sort them as the model does"
        )
        yield f"joint_names[{number}]: expected {expected or 'none'}, got {got or 'none'}; {advice}"
        return


def _abilities(spec: DriverSpec, dt: float) -> Iterator[str]:
    # A command is a torque with a spring and a damper about it, which is what this mode obeys.
    if ServoMode.IMPEDANCE not in spec.modes:
        yield (
            f"modes: expected {ServoMode.IMPEDANCE.value}, got "
            f"{sorted(mode.value for mode in spec.modes)}; every command has gains and a torque: "
            "let the driver close that loop, or use another one"
        )
    if StopCategory.HOLD not in spec.stops:
        yield (
            f"stops: expected {StopCategory.HOLD.name}, got "
            f"{[stop.name for stop in sorted(spec.stops, key=lambda stop: stop.value)]}; it is how "
            "the guard stops the robot: let the driver hold its posture"
        )
    # Asked this way round, so that what is no number does not pass.
    if not 0.0 < spec.watchdog <= _LONGEST_WATCHDOG:
        yield (
            f"watchdog: expected more than 0 and at most {_LONGEST_WATCHDOG} s, got "
            f"{spec.watchdog} s; set that of the device"
        )
    if not dt <= spec.max_state_age < np.inf:
        yield (
            f"max_state_age: expected a finite number of at least a control period, {dt:g} s, got "
            f"{spec.max_state_age} s; older samples are refused"
        )
    if not spec.state_hz * dt >= 1.0 - _SLACK:
        yield (
            f"state_hz: expected at least {1.0 / dt:g} Hz, one sample every control period, got "
            f"{spec.state_hz:g} Hz; raise the rate of the driver or the control period"
        )


def _limits(spec: DriverSpec) -> Iterator[str]:
    limits = spec.limits
    for name, good, wanted in (
        ("position", limits.position[0] < limits.position[1], "a lower and a higher one"),
        ("velocity", limits.velocity > 0.0, "more than 0"),
        ("effort", limits.effort > 0.0, "more than 0"),
    ):
        finite = np.isfinite(getattr(limits, name)).reshape(-1, len(good)).all(axis=0)
        for joint in np.flatnonzero(~(good & finite)):
            found = getattr(limits, name)[..., joint]
            yield (
                f"limits.{name} of '{spec.joint_names[joint]}': expected finite, {wanted}, got "
                f"{found}"
            )


def _grippers(spec: DriverSpec, model: RobotModel) -> Iterator[str]:
    if set(spec.grippers) != set(model.tool_frames):
        yield (
            f"grippers: expected those of the arms {sorted(model.tool_frames)}, got "
            f"{sorted(spec.grippers)}; a target opens the gripper of its arm by this name: name "
            "grippers and tool frames alike"
        )


def narrower(model: RobotModel, limits: JointLimits | None) -> tuple[Array, Array, Array]:
    """Return the joint limits that both a model and its device obey.

    Args:
        model: Of `n` joints.
        limits: Of the device; the model's alone hold if None.

    Returns:
        Lower and upper positions in rad, shape (2, n); speeds in rad/s and torques in N·m, shape
        (n,).

    Raises:
        ValueError: If a limit of the device has the wrong shape or is not finite.
    """
    if limits is None:
        return model.position_limits, model.velocity_limits, model.effort_limits
    n = model.n
    position = frozen("driver's position limits", limits.position, (2, n))
    velocity = frozen("driver's velocity limits", limits.velocity, (n,))
    effort = frozen("driver's effort limits", limits.effort, (n,))
    low, high = model.position_limits
    return (
        read_only(np.array([np.maximum(low, position[0]), np.minimum(high, position[1])])),
        read_only(np.minimum(model.velocity_limits, velocity)),
        read_only(np.minimum(model.effort_limits, effort)),
    )
