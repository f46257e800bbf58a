"""What an arm learns while it works: where places are, and how a part lies in the hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from policies.sense import Sense
from robot.arrays import Array
from robot.spatial import Pose
from tasks.phases import Motion, Phase

# How many policy steps of touch are averaged into where the part is held.
_TOUCH_SAMPLES = 5
_FEWEST_TOUCHES = 2
# A grip that was blocked by a collar is tried again so far from it, in m; a finger's opening tells
# collars apart that differ by more than this, in mm.
_SHIFT = 0.002
_COLLAR_SLACK_MM = 1.0
# A part that was blocked where a search took it for found is in only if it gets further than there
# by so much, in mm.
_FURTHER_IN_MM = 2.0
# Motions during which a part is in a socket.
IN_SOCKET = (Motion.MATE, Motion.PULL, Motion.LOCK)


class Memory:
    """Places by their name, and what the pads felt of the part in the hand."""

    def __init__(self, use_touch: bool) -> None:
        """Begin with nothing but beliefs.

        Args:
            use_touch: Whether goals are corrected for how the pads feel the part.
        """
        self._use_touch = use_touch
        self._touch: list[Array] = []
        self._correction = Pose.identity()
        # Where the part should be in the hand, as the last phase with a part said.
        self._pose_tool_part = Pose.identity()
        # How far along its spiral the last search came, in rad, and how deep, in m; where the next
        # one begins, in rad; and what was taken for found before and was not, at which depth, in m.
        self._searched = (0.0, 0.0)
        self._search_from = 0.0
        self._not_in: float | None = None
        # How deep the tool was when the part last touched something on its way, in m.
        self._face: float | None = None
        # By how much a place is elsewhere than believed, by its name, along the world axes.
        self._found: dict[str, Pose] = {}

    def feel(self, sense: Sense) -> None:
        """Collect touch; to be called while nothing but the hand touches the part."""
        if sense.in_hand[0] > 0.5:
            self._touch.append(sense.in_hand[1:])

    def forget_touch(self) -> None:
        """Count no more what was felt: the part may have moved in the hand."""
        self._touch.clear()

    def take(self) -> None:
        """Begin with another part in the hand, held as planned until it is felt."""
        self._touch.clear()
        self._correction = Pose.identity()
        self.go_elsewhere()

    def go_elsewhere(self) -> None:
        """Forget what searches learned: the part is brought to another socket from now on."""
        self._search_from, self._not_in, self._face = 0.0, None, None

    def search_ended(self, angle: float, depth: float) -> None:
        """Remember how far along its spiral a search came, in rad, and how deep, in m."""
        self._searched = (angle, depth)

    def search_again(self, further: bool) -> None:
        """Let the next search begin anew, or `further` on, where the last one left off.

        What was found there was not the place if the part could not get in; and a depth that was
        believed to be inside was not, as after a robot's feet have slid a little.
        """
        self._search_from = 0.0
        if further:
            self._search_from, depth = self._searched
            # What was not in at one depth is not in at a lesser one.
            self._not_in = depth if self._not_in is None else max(self._not_in, depth)

    def touched(self, depth: float) -> None:
        """Remember how deep the tool was when the part touched something, in m."""
        self._face = depth

    def informed(self, phase: Phase) -> Phase:
        """Return a phase with what was learned: where to search on, where the mouth's face is."""
        learned = {}
        if phase.motion is Motion.SEARCH and self._search_from > 0.0:
            learned["from_rad"] = self._search_from
        entered_mm = phase.limits.get("entered_mm")
        if entered_mm is not None and self._not_in is not None:
            learned["entered_mm"] = min(entered_mm, -1e3 * self._not_in - _FURTHER_IN_MM)
        if phase.motion is Motion.MATE and self._face is not None:
            learned["face_mm"] = 1e3 * self._face
        if not learned:
            return phase
        return dataclasses.replace(phase, limits={**phase.limits, **learned})

    def find(self, phase: Phase, there: Sense) -> None:
        """Remember where a phase's place is.

        Args:
            phase: That ended with a part in the hand and in the place.
            there: Sensed then.
        """
        if phase.pose_tool_part is not None:
            self._pose_tool_part = phase.pose_tool_part
        touched = self._use_touch and there.in_hand[0] > 0.5
        held = self._held_askew(there.in_hand[1:]) if touched else Pose.identity()
        self._found[phase.place] = (
            there.pose_world_tool @ held.inverse() @ phase.pose_world_tool.inverse()
        )

    def goal(self, phase: Phase, sense: Sense) -> Pose:
        """Return a phase's tool pose, moved to where its place is and by how the part is held.

        Args:
            phase: That begins.
            sense: What is sensed now.
        """
        found, goal = self._found.get(phase.place), phase.pose_world_tool
        goal = goal if found is None else found @ goal
        if phase.pose_tool_part is None or phase.motion is Motion.GRASP or not self._use_touch:
            return goal
        self._pose_tool_part = phase.pose_tool_part
        if phase.motion in IN_SOCKET and sense.in_hand[0] > 0.5:
            # A search may have turned the part in the hand since it was carried.
            self._correction = self._held_askew(sense.in_hand[1:])
        elif len(self._touch) >= _FEWEST_TOUCHES:
            self._correction = self._held_askew(np.mean(self._touch[-_TOUCH_SAMPLES:], axis=0))
        return goal @ self._correction

    def shift_grip(self, phase: Phase, opening: float) -> None:
        """Take a blocked grasp for a hint: its opening tells which collar stopped the fingers.

        Args:
            phase: The grasp.
            opening: Distance between the pads, in m.
        """
        ahead = next(
            (
                way * _SHIFT
                for name, way in (("front_mm", -1.0), ("rear_mm", 1.0))
                if abs(1e3 * opening - phase.limits.get(name, math.inf)) < _COLLAR_SLACK_MM
            ),
            0.0,
        )
        if phase.place and ahead:
            along = Pose.translation(phase.pose_world_tool.rotation[:, 2] * ahead)
            self._found[phase.place] = along @ self._found.get(phase.place, Pose.identity())

    def _held_askew(self, felt: Array) -> Pose:
        """Return by what a tool pose is to be changed for a part that is felt to be held askew.

        Args:
            felt: Its shift along tool x and z, in m, and its angle about tool y, in rad.
        """
        shift_x, shift_z, angle = felt
        nominal = self._pose_tool_part
        turn = Pose.from_rotation_vector((0.0, angle, 0.0))
        held = Pose(
            nominal.position + np.array([shift_x, 0.0, shift_z]), (turn @ nominal).quaternion
        )
        return nominal @ held.inverse()
