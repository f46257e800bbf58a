"""How a held part meets what it belongs on: told from wrench, touch and motion, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.contact_state import ContactState
from policies.sense import Sense
from robot.spatial import Pose
from tasks.phases import Motion, Phase

# A hand that is open otherwise by such a share of the part's width does not hold it.
_OTHER_WIDTH = 0.15


@dataclass(frozen=True)
class ContactRule:
    """What tells one state from another; found on nuts of the range of seeds that is tuned on.

    Attributes:
        touch_n: Pushing harder than this the part touches something, in N.
        let_go_n: Softer than this, for `let_go_s`, it does not any more, in N.
        let_go_s: In s.
        back_m: Drawn back so far it does not either, in m.
        drop_m: A part that goes on by so much from where it first touched has the tip in its mouth,
            in m: the smallest chamfer lets it sink by 0.5 mm.
        entered_m: Closer to home than this it cannot first touch the tip, whatever is believed, in
            m: no belief is so wrong.
        caught_n: One that is held sideways harder than friction holds it does, too, in N.
        mesh_m: One that goes on by so much has its teeth between the others, in m: with the largest
            chamfer, wrongly turned teeth stop it before.
        caught_mesh_m: Likewise one that was caught where it first touched, in m.
        short_m: It is home so far before the end of its way, in m: one that touched with the tip
            in its mouth at once has less of it before it.
        wedged_n: Pushed harder than this, it should go on, in N.
        still_m: Less than this is no getting on, in m.
        stalled_s: For so long it does not get on before it counts as wedged, in s.
    """

    touch_n: float = 2.0
    let_go_n: float = 0.8
    let_go_s: float = 0.12
    back_m: float = 0.5e-3
    drop_m: float = 0.3e-3
    entered_m: float = 3e-3
    caught_n: float = 6.0
    mesh_m: float = 1.6e-3
    caught_mesh_m: float = 1.2e-3
    short_m: float = 1.7e-3
    wedged_n: float = 6.0
    still_m: float = 0.1e-3
    stalled_s: float = 0.16


class ContactEstimator:
    """Follows one part from where it first touches to home, from what a hand senses.

    Where the counterpart is, is not known well enough: how far in a part is counts from where it
    first touched. That is the face of the tip, which home is a known way behind; or, if the tip is
    in its mouth at once, the teeth, up to a chamfer behind that.

    Attributes:
        state: How it meets its counterpart now.
    """

    def __init__(
        self, pose_world_home: Pose, way: float, width: float, rule: ContactRule | None = None
    ) -> None:
        """Begin with a part that touches nothing.

        Args:
            pose_world_home: Tool pose in which the part is home, as believed; its z axis is the way
                in.
            way: From first touch to home, in m.
            width: Of the part between the pads, in m.
            rule: What tells one state from another.
        """
        self._home_inverse = pose_world_home.inverse()
        self._way, self._width = way, width
        self._rule = rule or ContactRule()
        self.forget()

    def forget(self) -> None:
        """Begin with another part, or after this one was drawn back."""
        self.state = ContactState.FREE
        self._face: float | None = None
        self._shift = 0.0
        self._caught = False
        # When the part was last pressed on, and when and how deep it was when it last got on.
        self._pressed = 0.0
        self._mark = (0.0, 0.0)

    def update(self, sense: Sense) -> ContactState:
        """Take one policy step into account.

        Args:
            sense: What the arm senses; the wrench is what contact does to the part.

        Returns:
            `state`.
        """
        rule = self._rule
        if abs(sense.opening - self._width) > _OTHER_WIDTH * self._width:
            self.forget()
            return self.state
        depth = self._depth(sense)
        if self._face is None:
            if sense.push < rule.touch_n:
                return self.state
            # A magnet may draw a part in that touches nothing before its seat.
            self._face = depth - self._way if depth > -rule.entered_m else depth
            self._mark = (sense.time, depth)
        advance = depth - self._face
        if max(sense.push, sense.side) > rule.let_go_n or advance > rule.drop_m:
            self._pressed = sense.time
        if advance < -rule.back_m or sense.time - self._pressed > rule.let_go_s:
            self.forget()
            return self.state
        self.state = self._engaged(sense, depth, advance)
        return self.state

    def _engaged(self, sense: Sense, depth: float, advance: float) -> ContactState:
        rule = self._rule
        since, deepest = self._mark
        if sense.push < rule.wedged_n or abs(depth - deepest) > rule.still_m:
            self._mark = since, deepest = sense.time, depth
        if advance < rule.drop_m:
            self._caught |= sense.side > rule.caught_n
            return ContactState.ON_TEETH if self._caught else ContactState.TOUCHING
        if advance < (rule.caught_mesh_m if self._caught else rule.mesh_m):
            return ContactState.ON_TEETH
        if advance > self._way - rule.short_m:
            return ContactState.SEATED
        stalled = sense.time - since >= rule.stalled_s
        return ContactState.WEDGED if stalled else ContactState.MESHED

    def _depth(self, sense: Sense) -> float:
        """Return how far in the part is, in m: it may slip in the hand, which the pads feel."""
        if sense.in_hand[0] > 0.5:
            self._shift = float(sense.in_hand[2])
        tool = (self._home_inverse @ sense.pose_world_tool).position[2]
        return float(tool) + self._shift


def contact_estimators(
    phases: Sequence[Phase], rule: ContactRule | None = None
) -> dict[str, ContactEstimator]:
    """Return what follows the parts of one arm's plan, by the work that puts them in.

    Args:
        phases: The plan; work without an insertion, or without the width of its part, has none.
        rule: What tells one state from another.
    """
    found = {}
    for phase in phases:
        if phase.motion is not Motion.INSERT or "depth_mm" not in phase.limits:
            continue
        width_mm = next(
            (
                p.limits["width_mm"]
                for p in phases
                if p.motion is Motion.GRASP and p.operation == phase.operation
            ),
            None,
        )
        if width_mm is not None:
            way_m = 1e-3 * phase.limits["depth_mm"]
            found[phase.operation] = ContactEstimator(
                phase.pose_world_tool, way_m, 1e-3 * width_mm, rule
            )
    return found
