"""The loop that measures how fast an environment steps: one file that runs in any interpreter.

It is started by its path in the virtual environment of whatever is measured, with `-P`, so that the
modules beside it do not hide those of Python. It imports nothing but Python's own, and brings in
what it measures by the names it is told. It answers each line it is sent with one line of JSON:

1. what to build, as JSON -> periods and versions, after a warm-up;
2. any number of times: how long to measure, in s -> steps, resets, and how long they took.

Between two lines it waits, so that several of these take turns on one machine.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from importlib import metadata
from typing import Any

# Actions are drawn before the clock runs, and used in turn: drawing is not stepping.
_ACTIONS = 512
_SEED = 1


@dataclass(frozen=True)
class Stepped:
    """An environment, whatever its interface.

    Attributes:
        inner: What the periods are read from.
        reset: Starts an episode.
        step: Takes an action; returns whether the episode ended.
        draw: Draws an action.
    """

    inner: Any
    reset: Callable[[], Any]
    step: Callable[[Any], bool]
    draw: Callable[[], Any]


def with_gymnasium(make: str, options: Mapping[str, Any]) -> Stepped:
    """Build a registered environment.

    Args:
        make: Its id.
        options: Further arguments of `gymnasium.make`.
    """
    env = importlib.import_module("gymnasium").make(make, **options)
    env.action_space.seed(_SEED)
    # The first episode is seeded, and with it every further one.
    env.reset(seed=_SEED)

    def step(action: Any) -> bool:
        _, _, terminated, truncated, _ = env.step(action)
        return bool(terminated or truncated)

    return Stepped(env.unwrapped, env.reset, step, env.action_space.sample)


def with_robosuite(make: str, options: Mapping[str, Any]) -> Stepped:
    """Build an environment of robosuite: state observations, nothing drawn.

    Args:
        make: Its name.
        options: Further arguments of `robosuite.make`; `controller` names a composite controller.
    """
    robosuite = importlib.import_module("robosuite")
    controllers = importlib.import_module("robosuite.controllers")
    arguments = dict(options)
    controller = arguments.pop("controller", None)
    if controller is not None:
        arguments["controller_configs"] = controllers.load_composite_controller_config(
            controller=controller, robot=arguments["robots"]
        )
    numpy = importlib.import_module("numpy")
    numpy.random.seed(_SEED)  # robosuite draws its episodes from there
    env = robosuite.make(
        make,
        has_renderer=False,
        has_offscreen_renderer=False,
        use_camera_obs=False,
        use_object_obs=True,
        **arguments,
    )
    low, high = env.action_spec
    rng = numpy.random.default_rng(_SEED)

    def step(action: Any) -> bool:
        _, _, done, _ = env.step(action)
        return bool(done)

    return Stepped(env, env.reset, step, lambda: rng.uniform(low, high))


INTERFACES: Mapping[str, Callable[[str, Mapping[str, Any]], Stepped]] = {
    "gymnasium": with_gymnasium,
    "robosuite": with_robosuite,
}
"""How to build an environment, by the name of its interface."""


class StepLoop:
    """Steps an environment with random actions, one episode after the other."""

    def __init__(self, env: Stepped) -> None:
        """Draw the actions and begin the first episode."""
        self._env = env
        self._actions = [env.draw() for _ in range(_ACTIONS)]
        self._next = 0
        env.reset()

    def measure(self, seconds: float) -> dict[str, float]:
        """Step for some time.

        Args:
            seconds: Of this process's own time, so that what others do on the machine disturbs
                it little. A step or a reset that began in time is made to its end.

        Returns:
            `steps`; `resets`; `core_s`, own time, and `reset_core_s`, that of the resets in it;
            `wall_s`, real time.
        """
        env, actions, now = self._env, self._actions, time.process_time
        steps = resets = 0
        reset_s = 0.0
        wall, began = time.perf_counter(), now()
        while now() - began < seconds:
            steps += 1
            self._next = (self._next + 1) % len(actions)
            if env.step(actions[self._next]):
                resets += 1
                reset_began = now()
                env.reset()
                reset_s += now() - reset_began
        return {
            "steps": steps,
            "resets": resets,
            "core_s": now() - began,
            "reset_core_s": reset_s,
            "wall_s": time.perf_counter() - wall,
        }


def build(spec: Mapping[str, Any]) -> tuple[StepLoop, dict[str, Any]]:
    """Build and warm up what is measured.

    Args:
        spec: `interface`, one of `INTERFACES`; `imports`, what registers the environment; `make`
            and `options`, see the interface; `control_period` and `physics_period`, dotted
            attributes of the environment, in s; `distributions`, whose versions are asked for;
            `warm_up_s`.

    Returns:
        The loop; its `control_dt` and `physics_dt`, in s, and `versions`.
    """
    for name in spec["imports"]:
        importlib.import_module(name)
    env = INTERFACES[spec["interface"]](spec["make"], spec["options"])
    loop = StepLoop(env)
    # Compiles what is compiled at the first call, and fills the caches.
    loop.measure(spec["warm_up_s"])
    return loop, {
        "control_dt": _number_at(env.inner, spec["control_period"]),
        "physics_dt": _number_at(env.inner, spec["physics_period"]),
        "versions": {name: _version(name) for name in spec["distributions"]},
    }


def _number_at(value: Any, dotted: str) -> float:
    return float(reduce(getattr, dotted.split("."), value))


def _version(name: str) -> str | None:
    """Return the version of a distribution; None for a checkout that was not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def main() -> None:
    """Answer on standard output; whatever libraries print goes to standard error."""
    # It is the file descriptor that is turned away, because C++ writes past `sys.stdout`.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        random.seed(_SEED)
        loop, facts = build(json.loads(sys.stdin.readline()))
        print(json.dumps(facts), file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps(loop.measure(float(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
