"""Which scripted motion does which kind of phase."""

from __future__ import annotations

from policies.contact import Align, Contact, Insert, Verify
from policies.mating import Mate
from policies.motions import Await, Grasp, Move, Release, ScriptedMotion, Zero
from policies.plugging import Extract, Lock, Pull, Unlock
from policies.search import Search
from tasks.phases import Motion

MOTIONS: dict[Motion, type[ScriptedMotion]] = {
    Motion.MOVE: Move,
    Motion.AWAIT: Await,
    Motion.GRASP: Grasp,
    Motion.ZERO: Zero,
    Motion.LOOK: Zero,
    Motion.CONTACT: Contact,
    Motion.SEARCH: Search,
    Motion.ALIGN: Align,
    Motion.INSERT: Insert,
    Motion.VERIFY: Verify,
    Motion.MATE: Mate,
    Motion.PULL: Pull,
    Motion.LOCK: Lock,
    Motion.UNLOCK: Unlock,
    Motion.EXTRACT: Extract,
    Motion.RELEASE: Release,
}
