"""The scripted expert: walks each arm through its plan, and recovers when a step fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from typing_extensions import override

from policies.contact_state import ContactState
from policies.inspection import InspectionWalker
from policies.policy import Action, Brief, Observation, Policy
from policies.recovery import ScriptedConfig
from policies.sense import encode, sense_of
from policies.walker import ArmWalker
from robot.arrays import Array
from tasks.phases import Motion, Phase

__all__ = ["ScriptedConfig", "ScriptedPolicy"]


class ScriptedPolicy(Policy):
    """Walks the plan of every arm at once, from sensors and believed poses."""

    def __init__(self, config: ScriptedConfig | None = None) -> None:
        """Prepare.

        Args:
            config: How stubborn to be.
        """
        self.config = config or ScriptedConfig()

    @override
    def reset(self, brief: Brief) -> None:
        self._brief = brief
        self._walkers = {
            arm: self._walker(tuple(p for p in brief.phases if p.arm == arm)) for arm in brief.arms
        }
        self._wrench_free: dict[str, Array] = {}
        self._drawing_back = dict.fromkeys(brief.arms, False)
        self._steps = 0

    def _walker(self, phases: tuple[Phase, ...]) -> ArmWalker | InspectionWalker:
        """Return who walks a plan: one that begins with a look finds something out."""
        if phases and phases[0].motion is Motion.LOOK:
            return InspectionWalker(phases)
        return ArmWalker(phases, self.config, self._brief.stiffness)

    @override
    def act(self, observation: Observation) -> Action:
        time = self._steps * self._brief.dt
        self._steps += 1
        actions = []
        for arm, walker in self._walkers.items():
            raw = sense_of(arm, observation, self._brief, time, np.zeros(6))
            # The first step of an episode is in free air: what the wrist feels there is its offset.
            free = self._wrench_free.setdefault(arm, raw.wrench_tool)
            sense = sense_of(arm, observation, self._brief, time, free)
            others = (other for other in self._walkers.values() if other is not walker)
            before = walker.phase_times.get("draw_back", 0.0)
            wish = walker.step(sense, may_push=not any(other.heavy for other in others))
            self._drawing_back[arm] = walker.phase_times.get("draw_back", 0.0) > before
            actions.append(encode(wish, sense, self._brief.action_scale))
        return np.concatenate(actions)

    @override
    def report(self) -> Mapping[str, Any]:
        """Return, by arm, retries by kind and why, how long each phase took, if it gave up."""
        return {arm: walker.report() for arm, walker in self._walkers.items()}

    def doing(self, arm: str) -> Phase | None:
        """Return the phase that an arm is in, or None while it draws back and after its last."""
        walker = self._walkers[arm]
        if walker.finished or self._drawing_back[arm]:
            return None
        return walker.phases[walker.index]

    def contact(self, arm: str) -> ContactState | None:
        """Return how the part in a hand meets what it belongs on; None where nothing tells."""
        walker = self._walkers[arm]
        return walker.contact if isinstance(walker, ArmWalker) else None

    def attempt(self, arm: str) -> int:
        """Return which attempt at the work in hand an arm makes, from 1."""
        walker = self._walkers[arm]
        return walker.attempt if isinstance(walker, ArmWalker) else 1

    def search_anew(self, arm: str) -> None:
        """Let an arm go back to where the search that it is at began, if it is at one."""
        walker = self._walkers[arm]
        if isinstance(walker, ArmWalker):
            walker.search_anew()

    def walked(self, arm: str) -> float:
        """Return how much of an arm's plan is walked, from 0 to 1; a retry takes it back."""
        walker = self._walkers[arm]
        return walker.index / len(walker.phases) if walker.phases else 1.0
