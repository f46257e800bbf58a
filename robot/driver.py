"""Seam: one robot's joints, simulated, mocked or reached over a wire."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Self

from robot.arrays import Array
from robot.state import Lifecycle, RobotCommand, RobotState


class StopCategory(Enum):
    """How a robot stops, after IEC 60204-1."""

    CUT_POWER = 0
    BRAKE_THEN_CUT = 1
    HOLD = 2


class ServoMode(Enum):
    """What a joint servo can be asked to do."""

    POSITION = "position"
    VELOCITY = "velocity"
    EFFORT = "effort"
    IMPEDANCE = "impedance"


@dataclass(frozen=True, eq=False)
class JointLimits:
    """What the device accepts, `n` joints in the order of `DriverSpec.joint_names`.

    Attributes:
        position: Lower and upper positions, in rad. Shape (2, n).
        velocity: Largest speeds, in rad/s. Shape (n,).
        effort: Largest torques, in N·m. Shape (n,).
    """

    position: Array
    velocity: Array
    effort: Array


@dataclass(frozen=True)
class DriverSpec:
    """What a driver is, known before it opens anything.

    Attributes:
        name: Identifier in configurations and reports.
        joint_names: The joints it moves, in the order of every joint array.
        limits: Position, velocity and effort limits, SI.
        modes: Which servo modes it can do.
        state_hz: How often new joint samples arrive, in Hz.
        watchdog: How long the device moves on without a fresh command, in s. At most 0.2.
        max_state_age: Age at which a sample is refused, in s.
        stops: Stop categories it can do.
        grippers: Largest opening of the gripper of each arm, in m.
        lockstep: Time moves only when the clock ticks (simulation), not by itself.
        fidelity: "model", "wire" or "hardware".
    """

    name: str
    joint_names: tuple[str, ...]
    limits: JointLimits
    modes: frozenset[ServoMode]
    state_hz: float
    watchdog: float
    max_state_age: float
    stops: frozenset[StopCategory]
    grippers: Mapping[str, float] = field(default_factory=dict)
    lockstep: bool = False
    fidelity: str = "model"


class Driver(ABC):
    """One robot's joints, simulated, mocked or reached over a wire.

    A driver does not wait and does not step: time is the business of the cell's `Clock`. It opens
    nothing before `configure()`; `activate()` never moves; it refuses commands it cannot obey and
    never bends them (bending is the guard's job, above it, and is reported); and only `write()`
    feeds its watchdog. Used as a context manager it ends UNCONFIGURED and at rest, also after an
    exception.
    """

    spec: DriverSpec

    @property
    @abstractmethod
    def lifecycle(self) -> Lifecycle:
        """Where the driver stands."""

    @property
    @abstractmethod
    def epoch(self) -> int:
        """Grows on every entry to and every exit from ACTIVE."""

    @abstractmethod
    def configure(self) -> None:
        """Open the link, check identity and firmware, wait at most 2 s for a fresh state."""

    @abstractmethod
    def activate(self) -> int:
        """Switch the servos on, holding the measured posture; return the new epoch."""

    @abstractmethod
    def deactivate(self) -> None:
        """Bring the robot to rest and switch the servos off."""

    @abstractmethod
    def cleanup(self) -> None:
        """Close everything. Idempotent, never raises, joins its threads.

        From ACTIVE it brings the robot to rest first, as `deactivate()` does: a link must not be
        closed while the servos follow a command.
        """

    @abstractmethod
    def read(self) -> RobotState:
        """Return the latest sample.

        Raises:
            StaleState: If it is older than `spec.max_state_age`.
            NotConnected: If unconfigured.
        """

    @abstractmethod
    def write(self, command: RobotCommand) -> None:
        """Hand the servos a command and return within a millisecond.

        Raises:
            CommandRejected: Wrong shape, not finite, out of limits, expired, or of an old epoch;
                names field, joint, value and bound. The device has not seen it.
            WrongLifecycle: If not ACTIVE.
        """

    @abstractmethod
    def stop(self, category: StopCategory) -> None:
        """Come to rest, from any thread and in any state. Idempotent, never raises.

        A driver that is not configured stays so. What was commanded before is not taken up again.
        """

    @abstractmethod
    def recover(self) -> None:
        """Go from FAULT, or a released ESTOP, to INACTIVE; an operator's decision."""

    def __enter__(self) -> Self:
        """Open the link; one that cannot be opened is closed again."""
        try:
            self.configure()
        except BaseException:
            # Nobody calls `__exit__` then, and half of the link may be open.
            self.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Come to rest and close everything, also if the way to rest fails."""
        try:
            if self.lifecycle is Lifecycle.ACTIVE:
                self.deactivate()
        except BaseException:
            self.stop(StopCategory.HOLD)
            raise
        finally:
            self.cleanup()


def stop_after(error: BaseException, driver: Driver) -> None:
    """Stop a robot because of an error that is on its way up, which stays the one that is told.

    Args:
        error: What happened. Should the stop fail against its contract, that is noted on it.
        driver: Of the robot.
    """
    try:
        driver.stop(StopCategory.HOLD)
    except Exception as second:
        error.add_note(f"The stop that this led to failed as well: {second!r}")
