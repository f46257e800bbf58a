"""The environment that has the script inside, on a cell without physics and on a simulated one."""

import dataclasses

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from envs import CORRECTED, RESIDUAL_ENVIRONMENTS
from envs.privileged import PRIVILEGED_SIZE
from envs.residual_env import TRAINING_SEEDS, ResidualEnv
from envs.residual_reward import ResidualReward
from policies.network import Mlp, MlpSpec, Normalization
from policies.scripted import ScriptedPolicy
from robot.errors import ConfigError, EpisodeSetupError, UnknownName
from robot.spatial import Pose
from tests.envs.typed_guide import TypedGuide, ones, residual
from workcell.briefing import brief_of
from workcell.environments import refuse_other_motions
from workcell.residual import ScriptGuide, save_residual


def test_gymnasium_finds_nothing_wrong(env):
    check_env(residual(env, ("", "", "L", "R", "", "LR")), skip_render_check=True)


def test_what_needs_no_correction_passes_inside_a_step(env):
    made = residual(env, ("", "", "L", "", "", "R", "LR"))
    made.reset(seed=0)
    guide = made.guide
    assert (guide.at, len(guide.corrections)) == (2, 2)
    _, _, _, _, info = made.step(ones(made))
    assert guide.at == 5
    assert [correction.max() for correction in guide.corrections] == [0.0, 0.0, 1.0, 0.0, 0.0]
    assert info["reward_terms"]["time"] == pytest.approx(-1.0 * 3 * env.dt)
    made.step(ones(made))
    assert guide.at == 6


def test_a_seed_is_the_episode_that_the_task_has_for_it(env):
    made = residual(env)
    first, info = made.reset(seed=1_000_003)
    assert info["seed"] == made.guide.begun[-1][0] == 1_000_003
    _, expected = env.reset(seed=1_000_003)
    assert info["layout"].as_json() == expected["layout"].as_json()
    again, _ = made.reset(seed=1_000_003)
    assert all(np.array_equal(first[key], again[key]) for key in first)


def test_episodes_that_nobody_asked_for_are_of_the_training_seeds(env):
    made = residual(env)
    made.reset(seed=1_000_003)
    seeds = [made.reset()[1]["seed"] for _ in range(20)]
    assert max(seeds) < TRAINING_SEEDS
    assert len(set(seeds)) == 20


def test_episodes_that_are_drawn_differ_as_far_as_is_asked_for(env):
    made = residual(env)
    asked = []

    def layout(rng):
        asked.append(env.task.sample_layout(rng))
        return asked[-1]

    made.layouts = layout
    made.reset(seed=1_000_003)
    made.reset(options={"layout": env.layout})
    assert asked == []
    _, info = made.reset()
    assert info["layout"].as_json() == asked[-1].as_json()


def test_one_that_is_asked_for_is_not_replaced_if_it_is_over_before_its_first_contact(env):
    made = residual(env, ("",), end=3)
    observation, _ = made.reset(seed=1_000_003)
    assert [seed for seed, *_ in made.guide.begun] == [1_000_003]
    periods = made.guide.at
    again, reward, terminated, truncated, info = made.step(ones(made))
    assert (reward, terminated, truncated) == (0.0, True, False)
    assert (info["failure"], info["is_success"]) == ("gave_up", False)
    # It is not looked at once it has ended.
    assert info["elapsed_s"] == pytest.approx((periods + 1) * env.dt)
    assert not info["corrected_by_arm"].any()
    assert made.guide.at == periods, "something was asked of the robot"
    assert all(np.array_equal(observation[key], again[key]) for key in again)


def test_a_draw_that_cannot_be_brought_about_is_drawn_again_one_that_was_asked_for_is_not(
    env, monkeypatch
):
    made, apply, refused = residual(env), env.scene.apply, []

    def refuse_twice(layout):
        if len(refused) < 2:
            refused.append(layout)
            raise EpisodeSetupError("the nest is on the floor")
        return apply(layout)

    monkeypatch.setattr(env.scene, "apply", refuse_twice)
    made.reset()
    assert len(refused) == 2
    refused.clear()
    with pytest.raises(EpisodeSetupError, match="on the floor"):
        made.reset(seed=3)


def test_a_seed_may_decide_what_is_drawn(env):
    made = residual(env)
    made.layouts = env.task.sample_layout
    found = []
    for _ in range(2):
        _, first = made.reset(seed=7, options={"draw": True})
        found.append((first["seed"], made.reset()[1]["seed"]))
    assert found[0] == found[1]
    assert first["seed"] != 7
    assert first["seed"] < TRAINING_SEEDS


def test_what_is_drawn_here_is_not_what_decided_the_layout(env):
    made = residual(env)
    made.reset(seed=5)
    limit = made.guide.begun[-1][1]
    assert limit != pytest.approx(np.random.default_rng(5).uniform(*made.reward.force_limit_n))


def test_a_job_that_takes_too_long_has_failed(env):
    env.task.time_limit = 10 * env.dt
    made = residual(env)
    made.reset(seed=0)
    terminated = False
    while not terminated:
        _, _, terminated, truncated, info = made.step(ones(made))
        assert not truncated
    assert info["failure"] == "time_out"
    assert info["reward_terms"]["failure"] == made.reward.failure


def test_a_force_limit_is_drawn_and_told(env):
    made = residual(env, reward=ResidualReward(force_limit_n=(25.0, 35.0)))
    for seed in range(10):
        made.reset(seed=seed)
    limits = [limit for _, limit, _ in made.guide.begun]
    assert 25.0 <= min(limits) < max(limits) <= 35.0


def test_a_script_with_nothing_left_to_do_ends_the_episode_after_a_while(env):
    made = residual(env, end=5)
    made.reset(seed=0)
    steps, terminated = 0, False
    while not terminated:
        _, _, terminated, truncated, info = made.step(ones(made))
        steps += 1
    assert not truncated
    assert info["reward_terms"]["failure"] == made.reward.failure
    assert 1.5 < (steps - 4) * env.dt < 1.6


def test_a_force_limit_and_how_far_to_correct_can_be_given_for_an_episode(env):
    made = residual(env)
    made.reset(seed=0, options={"force_limit_n": 27.5, "learning": False})
    assert made.guide.begun[-1] == (0, 27.5, False)
    made.reset(seed=0)
    assert made.guide.begun[-1][2] is True


def test_an_actor_is_not_told_what_only_a_critic_may_know(monkeypatch):
    """The script at work in the simulation, judged by true poses that are a little off."""
    seen = []
    with gymnasium.make("workcell/NutInsertionResidualFixedPelvis-v0") as made:
        inner = made.unwrapped
        true = inner.env.scene.pose_world_parts
        for off in (0.0, 1e-3):
            shift = Pose.translation([0.0, 0.0, off])
            monkeypatch.setattr(
                inner.env.scene,
                "pose_world_parts",
                lambda shift=shift: {name: pose @ shift for name, pose in true().items()},
            )
            steps = [made.reset(seed=0)[0]]
            steps += [made.step(ones(inner))[0] for _ in range(12)]
            seen.append(steps)
    # An actor may be shown any of what is sensed, of which `policy` is what it is shown here.
    assert np.std([step["sensed"] for step in seen[0]], axis=0).astype(bool).sum() > 50
    for here, there in zip(*seen, strict=True):
        for shown in ("policy", "sensed"):
            assert np.array_equal(here[shown], there[shown])
        assert not np.array_equal(here["critic"], there["critic"])


def test_wrong_use_is_said(env):
    made = residual(env)
    with pytest.raises(RuntimeError, match="before reset"):
        made.step(ones(made))
    made.reset(seed=0)
    with pytest.raises(ValueError, match=r"expected \(14,\) finite numbers"):
        made.step(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="finite"):
        made.step(ones(made) * np.nan)
    with pytest.raises(ConfigError, match=r"authority.motions: 10 episodes in a row ended before"):
        residual(env, ("",)).reset()


def test_why_nothing_begins_is_said(env, monkeypatch, caplog):
    def fail(layout):
        raise EpisodeSetupError("the nest is on the floor")

    monkeypatch.setattr(env.scene, "apply", fail)
    with pytest.raises(EpisodeSetupError, match="the nest is on the floor"):
        residual(env).reset()
    assert caplog.text.count("the nest is on the floor") == 10


def test_there_are_two_for_every_task_that_is_corrected():
    assert len(RESIDUAL_ENVIRONMENTS) == 2 * len(CORRECTED)
    assert "workcell/NutInsertionResidualFixedPelvis-v0" in RESIDUAL_ENVIRONMENTS
    assert set(RESIDUAL_ENVIRONMENTS) <= set(gymnasium.registry)


@pytest.fixture(scope="module")
def nuts():
    overrides = ["reward.force_limit_n=[30, 30]", "residual.authority.stiffness=0.25"]
    with gymnasium.make(RESIDUAL_ENVIRONMENTS[1], overrides=overrides) as env:
        yield env.unwrapped


def test_values_are_checked_like_those_of_a_run(nuts):
    assert nuts.guide.config.authority.stiffness == 0.25
    with pytest.raises(ConfigError, match=r"reward.time_per: unknown key. Did you mean 'time_per_"):
        gymnasium.make(RESIDUAL_ENVIRONMENTS[1], overrides=["reward.time_per=1"])
    with pytest.raises(UnknownName, match="Did you mean 'left'"):
        gymnasium.make(RESIDUAL_ENVIRONMENTS[1], arms=["lft"])


@pytest.mark.parametrize("shared", [True, False])
def test_a_trained_policy_does_what_its_network_did_in_training(nuts, tmp_path, shared):
    guide, env = nuts.guide, nuts.env
    copies = 1 if shared else 2
    spec = MlpSpec(copies * guide.size, (16,), copies * 7)
    rng = np.random.default_rng(3)
    tensors = {name: rng.normal(0.0, 0.02, shape) for name, shape in spec.tensors().items()}
    network = Mlp(spec, tensors, Normalization.none(spec.inputs))
    facts = {"algorithm": "PPO", "steps": 1, "seed": 0, "wall_s": 1.0, "command": "by hand"}
    stored = save_residual(tmp_path / "p", nuts, network, robots=["talos_fixed", "talos"], **facts)
    assert stored.config.shared is shared
    assert stored.manifest.contract.robots == ("talos_fixed", "talos")

    seen, _ = nuts.reset(seed=5)
    steps, there = 12, []
    for _ in range(steps):
        blocks = seen["policy"].reshape(1 if not shared else 2, -1)
        action = np.concatenate([network(block) for block in blocks])
        seen, *_ = nuts.step(action)
        there.append(nuts._last)
    policy = stored.policy(dataclasses.replace(stored.config, force_limit_n=30.0))
    observation, _ = env.reset(seed=5)
    policy.reset(brief_of(env, 5))
    here = [observation]
    while not all(np.array_equal(here[-1][key], there[-1][key]) for key in there[-1]):
        assert len(here) < 200, "the policy never came to where it was in training"
        observation, *_ = env.step(policy.act(here[-1]))
        here.append(observation)
    assert len(here) > steps


def test_a_network_that_learned_from_one_arm_corrects_that_one_alone(nuts, tmp_path):
    guide = ScriptGuide(nuts.guide.config, ("left",), "talos_fixed", "factory")
    one_armed = ResidualEnv(nuts.env, guide, nuts.reward)
    spec = MlpSpec(guide.size, (), 7)
    tensors = {"layers.0.weight": np.zeros((7, guide.size)), "layers.0.bias": np.ones(7)}
    network = Mlp(spec, tensors, Normalization.none(guide.size))
    facts = {"algorithm": "PPO", "steps": 1, "seed": 0, "wall_s": 1.0, "command": "by hand"}
    stored = save_residual(tmp_path / "p", one_armed, network, **facts)
    assert stored.manifest.contract.arms == ("left",)
    policy, script = stored.policy(stored.config), ScriptedPolicy(stored.config.scripted)
    observation, _ = nuts.env.reset(seed=5)
    for one in (policy, script):
        one.reset(brief_of(nuts.env, 5))
    corrected, left = np.zeros(2), nuts.env.task.arms.index("left")
    for _ in range(200):
        action, alone = policy.act(observation), script.act(observation)
        corrected += (action != alone).reshape(2, -1).any(axis=1)
        if corrected[left] > 3:
            break
        observation, *_ = nuts.env.step(alone)
    assert list(corrected) == [4.0 * (arm == left) for arm in range(2)]


@pytest.mark.parametrize(("learning", "corrected"), [(False, False), (True, True), (None, True)])
def test_what_is_validated_is_corrected_in_as_many_attempts_as_the_policy_will_be(
    nuts, monkeypatch, learning, corrected
):
    monkeypatch.setattr(ScriptedPolicy, "attempt", lambda script, arm: 2)

    def walked(action, options):
        nuts.reset(seed=5, options=options)
        for _ in range(6):
            nuts.step(action)
        return nuts._last

    given = {} if learning is None else {"learning": learning}
    alone, other = walked(0.0 * ones(nuts), {}), walked(ones(nuts), given)
    same = all(np.array_equal(alone[key], other[key]) for key in alone)
    assert same is not corrected


def test_only_an_environment_with_the_real_script_makes_a_policy(env, tmp_path):
    made = residual(env)
    network = Mlp(
        MlpSpec(5, (), 7),
        {"layers.0.weight": np.zeros((7, 5)), "layers.0.bias": np.zeros(7)},
        Normalization.none(5),
    )
    facts = {"algorithm": "PPO", "steps": 1, "seed": 0, "wall_s": 1.0, "command": "by hand"}
    with pytest.raises(TypeError, match=ScriptGuide.__name__):
        save_residual(tmp_path / "p", made, network, **facts)


def test_a_critic_sees_all_where_an_actor_is_shown_some(env):
    class Choosy(TypedGuide):
        sensed_size = 9

    learning = ResidualEnv(env, Choosy(("LR",)))
    observation, _ = learning.reset(seed=3)
    assert {key: len(value) for key, value in observation.items()} == {
        "policy": 2 * 5,
        "critic": 2 * PRIVILEGED_SIZE,
        "sensed": 2 * 9,
    }
    assert learning.observation_space.contains(observation)
    assert "sensed" not in ResidualEnv(env, TypedGuide(("LR",))).reset(seed=3)[0]


def test_motions_that_the_task_does_not_have_are_refused_at_once(nuts):
    with pytest.raises(ConfigError, match=r"motions: expected one that this task has.*got mate"):
        refuse_other_motions(nuts.env.task, ["mate"])
    refuse_other_motions(nuts.env.task, ["mate", "search"])
