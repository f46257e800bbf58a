"""What a correcting network sees of one arm: a vector whose order is that of its description."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from policies.contact_state import ContactState
from policies.contract import Entry
from policies.correction import CORRECTION_SIZE, Offset
from policies.policy import Observation
from policies.sense import Sense
from robot.arrays import Array, clipped
from robot.errors import UnknownName
from robot.spatial import Pose
from tasks.phases import Phase

# Lengths in mm, because a normalization that divides by sqrt(variance + 1e-8) would not see what
# varies by tenths of a millimetre if it came in metres.
_MM = 1e3
# Nothing is told of how far away something is that is further than this, in mm, mm/s and s.
_FAR_MM, _FAST_MM_S, _LONG_S = 50.0, 200.0, 5.0
# Nor about turning faster than this, in rad/s.
_FAST_RAD_S = 5.0
# Pressures of whole pads, in hundreds of kPa, are then of the size of one.
_PAD_KPA = 100.0
_WRENCH, _PADS = 6, 6
TOUCH = "touch"
"""Name of the entry that is made of the pads' pictures."""
_STATES = tuple(state.value for state in ContactState)


def entries(motions: Sequence[str], history: int) -> tuple[Entry, ...]:
    """Return what the vector of one arm holds, in order.

    Args:
        motions: The kinds of motion that are corrected.
        history: How many policy periods of force and touch are seen.
    """
    goal = "seen from the goal of the phase, whose z axis is the way in"
    return (
        Entry("side", (1,), "1 for the left arm, -1 for the right, 0 for any other"),
        Entry("motion", (len(motions),), f"1 for the motion in hand, of {', '.join(motions)}"),
        Entry("elapsed", (1,), "since that phase began, s, at most 5"),
        Entry("tool_position", (3,), f"tool, {goal}, mm"),
        Entry("tool_rotation", (3,), f"tool, {goal}, rotation vector, rad"),
        Entry("script_position", (3,), f"where the script wants the tool next, {goal}, mm"),
        Entry("script_rotation", (3,), f"where the script wants the tool next, {goal}, rad"),
        Entry("tool_velocity", (3,), f"tool, {goal}, mm/s"),
        Entry("script_velocity", (3,), "of that, along its axes, mm/s"),
        Entry("script_turning", (3,), "of that, about its axes, rad/s"),
        Entry("script_asks", (3,), "opening, stiffness and push of the script's action, -1 to 1"),
        Entry("correction", (CORRECTION_SIZE,), "now, as a share of the largest, -1 to 1"),
        Entry("opening", (1,), "distance between the pads, mm"),
        Entry("in_hand", (4,), "1 if the part is felt; shift along tool x and z, mm; angle, rad"),
        Entry(
            "contact",
            (len(ContactState),),
            f"1 for how the part is felt to meet its counterpart, of {', '.join(_STATES)}",
        ),
        Entry("force_limit", (1,), "wrist force that should not be exceeded, N"),
        Entry(
            "wrench",
            (history, _WRENCH),
            "felt by the tool along its axes, less what it felt at first, N and N·m; oldest first",
        ),
        Entry(
            TOUCH,
            (history, _PADS),
            "of each pad: sum in 100 kPa, centre along tool z and x in taxels; oldest first",
        ),
    )


def chosen(described: Sequence[Entry], sees: Sequence[str]) -> tuple[Entry, ...]:
    """Return the entries that are seen, in the order of the description.

    Args:
        described: All that there are.
        sees: Their names; all of them if empty.

    Raises:
        UnknownName: If there is no entry of a name.
    """
    names = [entry.name for entry in described]
    for name in sees:
        if name not in names:
            raise UnknownName("entry of what a correction sees", name, names)
    return tuple(entry for entry in described if not sees or entry.name in sees)


def columns_of(described: Sequence[Entry], sees: Sequence[str]) -> NDArray[np.intp]:
    """Return where in the vector of all entries those stand that are seen, as in `chosen`."""
    seen = chosen(described, sees)
    ends = np.cumsum([0, *(entry.size for entry in described)])
    kept = [i for i, entry in enumerate(described) if entry in seen]
    return np.concatenate([np.arange(ends[i], ends[i + 1]) for i in kept])


class ArmView:
    """Collects what one arm feels, and lays it out for the network.

    Attributes:
        arm: Which arm.
        motions: The kinds of motion that are corrected.
    """

    def __init__(self, arm: str, motions: Sequence[str], history: int, force_limit: float) -> None:
        """Begin an episode.

        Args:
            arm: Which arm.
            motions: As for `entries`.
            history: As for `entries`.
            force_limit: Wrist force that should not be exceeded, in N.
        """
        self.arm = arm
        self.motions = tuple(motions)
        self._side = {"left": 1.0, "right": -1.0}.get(arm, 0.0)
        self._force_limit = force_limit
        self._wrench_free: Array | None = None
        self._wrenches: deque[Array] = deque([np.zeros(_WRENCH)] * history, maxlen=history)
        self._touches: deque[Array] = deque([np.zeros(_PADS)] * history, maxlen=history)
        self._phase: Phase | None = None
        self._began = 0.0
        self._last_position: Array | None = None

    def vector(
        self,
        sense: Sense,
        observation: Observation,
        phase: Phase | None,
        pose_world_script: Pose,
        twist_script: Array,
        asked: Array,
        offset: Offset,
    ) -> NDArray[np.float32]:
        """Return what the network sees, once every policy period.

        Args:
            sense: What the arm senses.
            observation: Holds the pads, `<arm>_tactile`; nothing is felt without them.
            phase: What the script is at, or None.
            pose_world_script: Where the script wants the tool next.
            twist_script: Its velocity along its own axes, in m/s and rad/s. Shape (6,).
            asked: The last three numbers of the script's action. Shape (3,).
            offset: The correction now.

        Returns:
            As `entries` describes it; places are zero without a phase. Shape (size,).
        """
        if self._wrench_free is None:
            self._wrench_free = sense.wrench_tool
        self._wrenches.append(sense.wrench_tool - self._wrench_free)
        self._touches.append(_pads(observation.get(f"{self.arm}_tactile")))
        if phase is not self._phase:
            self._phase, self._began = phase, sense.time
        position = sense.pose_world_tool.position
        moved = position - (position if self._last_position is None else self._last_position)
        self._last_position = position
        velocity, turning = _MM * twist_script[:3], twist_script[3:]
        shift_x, shift_z, angle = sense.in_hand[1:]
        return np.concatenate(
            [
                [self._side],
                [float(phase is not None and name == phase.motion.value) for name in self.motions],
                [min(sense.time - self._began, _LONG_S)],
                *_places(phase, sense.pose_world_tool, pose_world_script, moved / sense.dt),
                clipped(velocity, -_FAST_MM_S, _FAST_MM_S),
                clipped(turning, -_FAST_RAD_S, _FAST_RAD_S),
                asked,
                offset.share,
                [_MM * sense.opening],
                [sense.in_hand[0], _MM * shift_x, _MM * shift_z, angle],
                [float(sense.contact is state) for state in ContactState],
                [self._force_limit],
                *self._wrenches,
                *self._touches,
            ]
        ).astype(np.float32)


def _places(
    phase: Phase | None, pose_world_tool: Pose, pose_world_script: Pose, velocity_world: Array
) -> list[Array]:
    """Return tool, script's target and velocity as seen from a phase's goal."""
    if phase is None:
        return [np.zeros(15)]
    goal_inverse = phase.pose_world_tool.inverse()
    found: list[Array] = []
    for pose in (pose_world_tool, pose_world_script):
        seen = goal_inverse @ pose
        found += [clipped(_MM * seen.position, -_FAR_MM, _FAR_MM), seen.rotation_vector()]
    velocity = _MM * (phase.pose_world_tool.rotation.T @ velocity_world)
    return [*found, clipped(velocity, -_FAST_MM_S, _FAST_MM_S)]


def _pads(pressure_kpa: NDArray[np.float32] | None) -> Array:
    """Return sum and centre of each pad's pressure. Shape (6,)."""
    felt = np.zeros((2, 3))
    if pressure_kpa is None:
        return felt.ravel()
    for pad, taxels in zip(felt, pressure_kpa.astype(np.float64), strict=True):
        total = float(taxels.sum())
        if total > 0.0:
            rows, columns = taxels.shape
            along_z = np.arange(rows) - 0.5 * (rows - 1)
            along_x = np.arange(columns) - 0.5 * (columns - 1)
            pad[:] = (
                total / _PAD_KPA,
                taxels.sum(1) @ along_z / total,
                taxels.sum(0) @ along_x / total,
            )
    return felt.ravel()
