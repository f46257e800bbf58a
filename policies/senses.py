"""What a policy is let feel: which of its senses are on, and what stands in for one that is off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from typing_extensions import override

from policies.network import Float32
from policies.policy import Action, Brief, Observation, Policy
from policies.tactile.estimator import InHandEstimator
from robot.spatial import Pose

# Numbers of an action for each arm, and where its stiffness and its push stand.
_PER_ARM, _STIFFNESS, _PUSH = 9, 7, 8


@dataclass(frozen=True)
class SensesConfig:
    """What a policy is let feel.

    Attributes:
        wrist: Whether it feels the wrists' forces. If not, it is told what the springs of the hands
            say: how far a hand stays behind its target, times its stiffness. What is below every
            policy keeps its sensors: the guard, and the whole-body controller, which takes what the
            wrists feel into account. A robot without such sensors is therefore worse off.
        touch: How it knows how a part lies in the hand: `rule`, as the task works it out from the
            pads' pictures; `network`, as the network that comes along for the task says, while it
            is sure; `none`, not at all, and it does not see the pads either.
    """

    wrist: bool = True
    touch: Literal["rule", "network", "none"] = "rule"


class SensingPolicy(Policy):
    """A policy behind senses that are not those of the cell."""

    def __init__(
        self, policy: Policy, config: SensesConfig, estimator: InHandEstimator | None = None
    ) -> None:
        """Put senses before a policy.

        Args:
            policy: Who acts.
            config: What it feels.
            estimator: Says how parts lie in hands, if that is asked of a network.

        Raises:
            ValueError: If a network is asked for and there is none, or the other way round.
        """
        if (config.touch == "network") != (estimator is not None):
            raise ValueError(f"estimator: expected one for touch network, got {config.touch}")
        self._policy = policy
        self._config = config
        self._estimator = estimator

    @override
    def reset(self, brief: Brief) -> None:
        self._brief = brief
        if self._estimator is not None:
            self._estimator.forget()
        # What each arm's hand was last asked for: stiffness, from -1 to 1, and push, in N.
        self._asked = dict.fromkeys(brief.arms, (0.0, 0.0))
        self._policy.reset(brief)

    @override
    def act(self, observation: Observation) -> Action:
        action = self._policy.act(self.felt(observation))
        push = self._brief.action_scale.get("push_n", 0.0)
        for arm, numbers in zip(self._brief.arms, action.reshape(-1, _PER_ARM), strict=True):
            self._asked[arm] = (float(numbers[_STIFFNESS]), push * float(numbers[_PUSH]))
        return action

    @override
    def report(self) -> Mapping[str, Any]:
        return self._policy.report()

    def felt(self, observation: Observation) -> Observation:
        """Return an observation as it comes through these senses; all else is as it was."""
        if self._estimator is not None:
            observation = self._estimator.corrected(observation)
        changed = dict(observation)
        for arm in self._brief.arms:
            if self._config.touch == "none":
                for key in (f"{arm}_tactile", f"{arm}_in_hand"):
                    if key in changed:
                        changed[key] = np.zeros_like(changed[key])
            if not self._config.wrist and f"{arm}_wrench_tool" in changed:
                changed[f"{arm}_wrench_tool"] = self._sprung(arm, observation)
        return changed

    def _sprung(self, arm: str, observation: Observation) -> Float32:
        """Return what a hand on springs must be felt by if it stays behind its target.

        At rest the spring's force, the push and what the hand feels add up to nothing:
        w = -(k e + f), with e from tool to target along the tool axes. While a hand speeds up, that
        is wrong by its inertia.
        """
        tool, target = (
            Pose(
                observation[f"{arm}_position_world_{name}"].astype(np.float64),
                observation[f"{arm}_quaternion_world_{name}"].astype(np.float64),
            )
            for name in ("tool", "target")
        )
        share, push = self._asked[arm]
        behind = tool.inverse() @ target
        apart = np.concatenate([behind.position, behind.rotation_vector()])
        spring = self._brief.stiffness(share) * apart
        spring[2] += push
        felt: Float32 = (-spring).astype(np.float32)
        return felt
