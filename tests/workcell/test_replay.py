"""A seed is an episode, to the bit: of every task, whatever the same cell did before."""

import numpy as np
import pytest

from policies.scripted import ScriptedPolicy
from robot.station import StationOutputs
from tasks import TASKS
from workcell.briefing import brief_of
from workcell.build import build_sim
from workcell.catalog import Choice, resolve_choice
from workcell.robot_cell import CellConfig

# Policy steps in which the first part is gripped and lifted, and the next one presented.
STEPS = 62


@pytest.fixture(params=TASKS)
def cell(request):
    config = resolve_choice(Choice(request.param, level="factory"))
    task, level, robot = (config.values[name] for name in ("task", "level", "robot"))
    cell = build_sim(request.param, task, level, robot, CellConfig())
    yield cell
    cell.close()


def episode(cell, seed, steps):
    """Return every observation, and where every body truly was, of the start of an episode."""
    env, policy = cell.env, ScriptedPolicy()
    observation, _ = env.reset(seed=seed)
    policy.reset(brief_of(env, seed))
    env.tell(StationOutputs(busy=True))
    seen = []
    for _ in range(steps):
        observation, *_ = env.step(policy.act(observation))
        places = [pose.position for pose in env.scene.pose_world_parts().values()]
        seen.append({**observation, "places": np.array(places)})
    return seen


def test_what_a_cell_did_before_leaves_no_trace_in_an_episode(cell):
    first, second = (episode(cell, 42, STEPS) for _ in range(2))
    for step, (here, there) in enumerate(zip(first, second, strict=True)):
        for key in here:
            assert np.array_equal(here[key], there[key]), f"{key}, step {step}"
