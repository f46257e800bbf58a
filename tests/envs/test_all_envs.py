"""Every environment that can be asked for by name, as someone meets it who only knows Gymnasium."""

import dataclasses
import warnings
from functools import partial

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.vec_env import SubprocVecEnv

from envs import ENVIRONMENTS
from envs.actions import ACTION_SIZE
from policies import policy_named
from policies.policy import Brief
from policies.scripted import ScriptedConfig
from robot.errors import UnknownName
from robot.spatial import Pose
from robot.station import Direction

FIXED = "workcell/NutInsertionFixedPelvis-v0"
STEPS_IN_2_S = 50


def rollout(env, seed, steps):
    """Return observations and rewards of an episode under random actions."""
    rng = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    seen = [(observation, 0.0)]
    for _ in range(steps):
        action = rng.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)
        observation, reward, terminated, truncated, _ = env.step(action)
        assert env.observation_space.contains(observation)
        assert not (terminated and truncated)
        seen.append((observation, reward))
        if terminated or truncated:
            break
    return seen


def assert_same(one, other):
    assert len(one) == len(other)
    for (here, reward), (there, other_reward) in zip(one, other, strict=True):
        assert here.keys() == there.keys()
        for key in here:
            assert np.array_equal(here[key], there[key]), key
        assert reward == other_reward


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def env(request):
    with gymnasium.make(request.param) as env:
        yield env


@pytest.fixture(scope="module")
def fixed():
    with gymnasium.make(FIXED, level="nominal") as env:
        yield env


def test_there_are_two_for_every_task():
    assert "workcell/NutInsertion-v0" in ENVIRONMENTS
    assert FIXED in ENVIRONMENTS
    assert set(ENVIRONMENTS) <= set(gymnasium.registry)


def test_gymnasium_finds_nothing_wrong(env):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped, skip_render_check=True)


def test_random_actions_for_two_seconds_stay_in_the_space_and_an_episode_can_follow(env):
    assert len(rollout(env, 5, STEPS_IN_2_S)) > 5
    assert env.observation_space.contains(env.reset(seed=6)[0])


def test_a_seed_is_an_episode_whatever_ran_before(env):
    first = rollout(env, 3, 10)
    rollout(env, 4, 20)
    assert_same(first, rollout(env, 3, 10))


def test_a_seed_is_the_same_episode_in_another_process(env):
    steps, seed = 5, 7
    workers = gymnasium.make_vec(
        env.spec.id, 1, "async", vector_kwargs={"context": "spawn", "copy": True}
    )
    rng = np.random.default_rng(seed)
    observation, _ = workers.reset(seed=[seed])
    there = [(observation, [0.0])]
    for _ in range(steps):
        action = rng.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)
        there.append(workers.step(action[None])[:2])
    workers.close()
    unpacked = [({key: o[key][0] for key in o}, float(r[0])) for o, r in there]
    assert_same(rollout(env, seed, steps), unpacked)


def test_doing_nothing_does_not_succeed(env):
    env.reset(seed=0)
    idle = np.zeros(env.action_space.shape, np.float32)
    for _ in range(25):
        *_, terminated, truncated, info = env.step(idle)
        assert not terminated
        assert not truncated
    assert not info["is_success"]
    assert info["outcome"].progress == 0.0


def test_nobody_is_told_how_parts_really_lie(env):
    layout = env.reset(seed=0)[1]["layout"]
    # Nuts are turned where they lie; plugs move a little in their docks or headers.
    off = {
        "nut_": Pose.from_rotation_vector([0.0, 0.0, 1.0]),
        "plug_": Pose.from_rotation_vector([0.0, 0.0, 5e-3], [2e-4, 0.0, 0.0]),
    }
    moved = {
        name: pose @ off[kind]
        for name, pose in layout.pose_world_parts.items()
        for kind in off
        if name.startswith(kind)
    }
    assert moved
    hidden = dataclasses.replace(layout, pose_world_parts={**layout.pose_world_parts, **moved})
    # Drawing no layout leaves the same noise for both: nothing but the nuts differs.
    first, _ = env.reset(seed=0, options={"layout": layout})
    second, _ = env.reset(seed=0, options={"layout": hidden})
    for key in first:
        # A camera may see how parts lie, and what is told from its pictures.
        if not key.endswith(("_rgb", "_depth", "_cable")):
            assert np.array_equal(first[key], second[key]), key


def test_the_time_limit_is_the_tasks_own():
    with gymnasium.make(FIXED, overrides=["task.time_limit=0.4"]) as env:
        assert env.spec.max_episode_steps is None
        env.reset(seed=0)
        idle = np.zeros(2 * ACTION_SIZE, np.float32)
        ends = [env.step(idle)[2:4] for _ in range(10)]
    assert ends == [(False, False)] * 9 + [(False, True)]


def test_a_level_and_a_robot_can_be_asked_for(fixed):
    assert fixed.unwrapped.task.variation.pin_offset == 0.0
    with pytest.raises(UnknownName, match="factory"):
        gymnasium.make(FIXED, level="factroy")
    with pytest.raises(UnknownName, match="talos_fixed"):
        gymnasium.make(FIXED, robot="talos_fixd")
    with pytest.raises(UnknownName, match="rgb_array"):
        gymnasium.make(FIXED, render_mode="human")


def test_pictures_are_bytes_and_show_something():
    with gymnasium.make(FIXED, cameras=True, render_mode="rgb_array") as env:
        observation, _ = env.reset(seed=0)
        assert env.observation_space.contains(observation)
        for camera in ("head", "left_wrist", "right_wrist"):
            picture = observation[f"{camera}_rgb"]
            assert picture.shape == (96, 128, 3)
            assert picture.dtype == np.uint8
            assert picture.std() > 10.0
        picture = env.render()
        assert picture.shape == (480, 640, 3)
        assert picture.std() > 10.0


def test_closing_ends_the_simulation():
    env = gymnasium.make(FIXED)
    world = env.unwrapped.loop.cell.clock
    env.close()
    assert not world.client.isConnected()
    env.close()


def test_the_scripted_policy_does_the_job(fixed):
    observation, _ = fixed.reset(seed=1)
    env = fixed.unwrapped
    task = env.task
    inputs = tuple(s.name for s in task.signals if s.direction is Direction.INPUT)
    policy = policy_named("scripted", ScriptedConfig())
    policy.reset(
        Brief(
            task.instruction,
            task.arms,
            task.phases(env.layout),
            1,
            env.scale.as_mapping(),
            env.dt,
            inputs,
        )
    )
    terminated = truncated = False
    while not (terminated or truncated):
        action = policy.act(observation)
        observation, _, terminated, truncated, info = fixed.step(action)
    assert terminated
    assert info["is_success"], info["outcome"]


def test_stable_baselines_gets_the_same_episode_from_a_process_of_its_own(fixed):
    make = partial(gymnasium.make, f"workcell:{FIXED}", level="nominal")
    workers = SubprocVecEnv([make], start_method="spawn")
    try:
        workers.seed(7)
        there = workers.reset()
        action = np.full((1, *fixed.action_space.shape), 0.5, np.float32)
        stepped, rewards, _, infos = workers.step(action)
    finally:
        workers.close()
    here, _ = fixed.reset(seed=7)
    expected, reward, *_ = fixed.step(action[0])
    assert_same(
        [(here, 0.0), (expected, pytest.approx(reward))],
        [
            ({key: there[key][0] for key in there}, 0.0),
            ({key: stepped[key][0] for key in stepped}, rewards[0]),
        ],
    )
    assert infos[0]["is_success"] is False
