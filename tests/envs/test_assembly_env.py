"""The assembly environment: spaces, seeds, ends of episodes, and who may know what."""

import dataclasses

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from envs.actions import ACTION_SIZE
from envs.assembly_env import AssemblyEnv
from robot.errors import ConfigError, DeviceFault, EpisodeSetupError
from robot.mock import MockStation
from robot.spatial import Pose
from robot.state import Lifecycle
from robot.station import StationOutputs

IDLE = np.zeros(2 * ACTION_SIZE, np.float32)


def test_gymnasium_finds_nothing_wrong(env):
    check_env(env, skip_render_check=True)


def test_observations_lie_in_their_space_and_carry_what_is_documented(env):
    observation, _ = env.reset(seed=0)
    assert observation.keys() == env.observation_space.spaces.keys()
    assert env.observation_space.contains(observation)
    for arm in ("left", "right"):
        assert observation[f"{arm}_wrench_tool"].shape == (6,)
        assert observation[f"{arm}_quaternion_world_tool"][3] >= 0.0


def test_a_seed_is_an_episode(env):
    def episode(seed):
        rng = np.random.default_rng(0)
        observations = [env.reset(seed=seed)[0]]
        observations += [
            env.step(rng.uniform(-1, 1, IDLE.shape).astype(np.float32))[0] for _ in range(5)
        ]
        return observations

    first, other, again = episode(3), episode(4), episode(3)
    for here, there in zip(first, again, strict=True):
        assert all(np.array_equal(here[key], there[key]) for key in here)
    assert first[0].keys() == other[0].keys()
    layouts = [env.reset(seed=seed)[1]["layout"].as_json() for seed in (3, 4, 3)]
    assert layouts[0] == layouts[2] != layouts[1]


def test_a_layout_with_which_nothing_begins_is_drawn_again_unless_it_was_asked_for(
    env, monkeypatch
):
    apply, refused = env.scene.apply, []

    def reluctant(layout):
        if len(refused) < 2:
            refused.append(layout.as_json())
            raise EpisodeSetupError("a nut that does not come to rest")
        return apply(layout)

    monkeypatch.setattr(env.scene, "apply", reluctant)
    with pytest.raises(EpisodeSetupError):
        env.reset(seed=3)
    with pytest.raises(EpisodeSetupError):
        env.reset(options={"layout": env.layout})
    refused.clear()
    _, info = env.reset()
    assert len(refused) == 2
    assert info["layout"].as_json() not in refused


def test_the_time_limit_truncates_and_does_not_terminate(env):
    env.reset(seed=0)
    ends = []
    for _ in range(60):
        _, _, terminated, truncated, _ = env.step(IDLE)
        assert not terminated
        ends.append(truncated)
        if truncated:
            break
    assert ends[-1]
    assert len(ends) == 50


def test_success_terminates_and_pays(env):
    env.reset(seed=0)
    parts = env.scene.parts
    for arm in env.task.arms:
        parts[f"nut_{arm}_0"] = parts[f"pin_{arm}"] @ env.task.size.pose_pin_nut
    rewards, terminated = [], False
    for _ in range(30):
        _, reward, terminated, truncated, info = env.step(IDLE)
        rewards.append(reward)
        assert not (terminated and truncated)
        if terminated:
            break
    assert terminated
    assert info["outcome"].success
    assert info["is_success"]
    assert rewards[-1] > 9.0
    assert sum(info["reward_terms"].values()) == pytest.approx(rewards[-1])


def test_a_failure_terminates_with_its_reason(env):
    env.reset(seed=0)
    env.scene.seen["fallen"] = 1.0
    _, _, terminated, truncated, info = env.step(IDLE)
    assert terminated
    assert not truncated
    assert info["outcome"].failure == "fell"


def test_a_robot_that_was_halted_ends_the_episode(env):
    env.reset(seed=0)
    last, *_ = env.step(IDLE)
    env.loop.cell.station.set(safe=False)
    observation, reward, terminated, truncated, info = env.step(IDLE)
    assert terminated
    assert not truncated
    assert info["outcome"].failure.startswith("guard_stop: station: the safety chain is open")
    assert reward < -4.0
    assert all(np.array_equal(observation[k], last[k]) for k in last if "target" not in k)
    with pytest.raises(RuntimeError, match="before reset"):
        env.step(IDLE)


def test_a_robot_that_was_halted_asks_the_station_for_nothing(env, monkeypatch):
    monkeypatch.setattr(env.task, "requests", lambda snapshot, layout: {"tighten": True})
    station = env.loop.cell.station
    env.reset(seed=0)
    env.tell(StationOutputs(busy=True))
    assert station.outputs.signals == {"tighten": True}
    station.set(safe=False)
    env.step(IDLE)
    assert station.outputs == StationOutputs(busy=True)
    env.tell(StationOutputs(done=True))
    assert station.outputs == StationOutputs(done=True)


@pytest.mark.parametrize(
    "error", [DeviceFault("no answer"), ValueError("nan"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("place", ["step", "hold", "judge"])
def test_after_an_error_nothing_goes_on_until_a_reset(env, monkeypatch, error, place):
    monkeypatch.setattr(env.task, "requests", lambda snapshot, layout: {"tighten": True})
    cell = env.loop.cell
    env.reset(seed=0)
    env.tell(StationOutputs(busy=True))

    def fail(*_):
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(
            *((env.task, "evaluate") if place == "judge" else (cell.driver, "read")), fail
        )
        with pytest.raises(type(error)):
            _ = env.hold() if place == "hold" else env.step(IDLE)
    assert cell.driver.lifecycle is Lifecycle.FAULT
    assert cell.station.outputs == StationOutputs()
    with pytest.raises(RuntimeError, match="before reset"):
        env.step(IDLE)
    cell.driver.recover()
    cell.driver.activate()
    env.reset(seed=0)
    env.step(IDLE)


def test_a_station_that_fails_as_well_does_not_hide_what_came_first(env, monkeypatch):
    env.reset(seed=0)

    def fail(outputs):
        raise DeviceFault("the PLC does not answer")

    monkeypatch.setattr(env.loop.cell.station, "write", fail)
    error = KeyError("pose")
    env.abandon(error)
    assert "the PLC does not answer" in error.__notes__[0]
    assert env.loop.cell.driver.lifecycle is Lifecycle.FAULT


def test_closing_frees_what_the_environment_was_built_on(env):
    closed = []
    closing = AssemblyEnv(env.task, env.scene, env.loop, on_close=lambda: closed.append(True))
    closing.close()
    assert closed == [True]


def test_without_a_picture_there_is_no_render_mode(env):
    assert env.metadata["render_modes"] == []
    assert env.render() is None


def test_doing_nothing_does_not_succeed(env):
    env.reset(seed=0)
    outcomes = [env.step(IDLE)[4]["outcome"] for _ in range(40)]
    assert len(outcomes) == 40
    assert not any(outcome.success for outcome in outcomes)


def test_the_policy_does_not_see_where_parts_really_are(env):
    first, _ = env.reset(seed=0)
    layout = env.layout
    hidden = dataclasses.replace(
        layout,
        pose_world_parts={
            name: pose @ Pose.translation([0.05, 0.02, 0.01])
            for name, pose in layout.pose_world_parts.items()
        },
    )
    second, _ = env.reset(options={"layout": hidden})
    for key in first:
        assert np.array_equal(first[key], second[key]), key


def test_a_step_moves_the_target_along_the_tools_own_axes(env):
    env.reset(seed=0)
    before = env.loop.controller.targets[-1].tools["left"].pose_world_tool
    action = IDLE.copy()
    action[2], action[6], action[7] = 0.5, -1.0, 1.0
    env.step(action)
    after = env.loop.controller.targets[-1].tools["left"]
    moved = before.inverse() @ after.pose_world_tool
    assert np.allclose(moved.position, [0.0, 0.0, 0.01], atol=1e-9)
    assert after.gripper_opening == pytest.approx(0.0)
    assert after.stiffness[0] == pytest.approx(env.scale.stiff_n_m)


@pytest.mark.parametrize("action", [np.zeros(5), np.full(16, np.nan)])
def test_an_action_of_another_shape_is_refused(env, action):
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action: expected"):
        env.step(action)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_an_action_that_is_not_finite_is_refused(env, wrong):
    env.reset(seed=0)
    action = IDLE.copy()
    action[4] = wrong
    with pytest.raises(ValueError, match="expected 9 finite numbers"):
        env.step(action)


def test_a_step_before_a_reset_says_so(env):
    with pytest.raises(RuntimeError, match="before reset"):
        env.step(IDLE)


def test_a_station_without_the_tasks_signals_is_refused_with_both_lists(env):
    cell = dataclasses.replace(env.loop.cell, station=MockStation(()))
    env.loop.cell = cell
    with pytest.raises(ConfigError, match=r"feeder_left_ready.*station has"):
        AssemblyEnv(env.task, env.scene, env.loop)


def test_an_unknown_option_is_refused(env):
    with pytest.raises(ValueError, match="layuot"):
        env.reset(seed=0, options={"layuot": None})
