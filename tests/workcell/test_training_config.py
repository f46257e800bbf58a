"""What a training is, and what came of it: seeds, levels on the way, margins over the script."""

from types import SimpleNamespace

import numpy as np
import pytest

from envs import CORRECTED
from policies.residual_config import ResidualConfig
from robot.errors import ConfigError
from tests.workcell.fake_bench import Toy
from workcell import benches
from workcell.catalog import Choice, resolve_choice
from workcell.training_config import (
    CurriculumConfig,
    TrainingConfig,
    resolve_training,
    task_at,
    trials_config,
)
from workcell.validation import Trial, margin


@pytest.mark.parametrize("task", CORRECTED)
def test_what_comes_along_validates_and_measures_apart(task):
    training = resolve_training(task, "factory", ()).get("training", TrainingConfig)
    validation = training.validation
    assert not set(validation.seeds) & set(validation.confirm_seeds)
    assert min(validation.seeds) >= 900_000
    assert max(validation.confirm_seeds) < 1_000_000
    assert "talos" in training.drives


@pytest.mark.parametrize("task", CORRECTED)
def test_it_learns_on_the_bolted_robot_and_is_chosen_on_the_one_that_stands(task):
    changed = ("robot.base.position=[-0.03, 0.0, 1.02]", "cell.dt=0.004", "cell.ticks_per_step=10")
    config = resolve_training(task, "factory", changed)
    tried = trials_config(config)
    assert (config.names["robot"], tried.names["robot"]) == ("talos_fixed", "talos")
    assert tried.values["robot"] == resolve_choice(Choice(task), changed).values["robot"]
    assert tried.values["cell"].dt == config.values["cell"].dt == 0.004
    assert tried.values["residual"] is config.values["residual"]
    stored = config.as_json()
    assert (stored["validation_robot"]["name"], stored["robot"]["name"]) == ("talos", "talos_fixed")


class Room(Toy):
    """Built for a robot, and counts what it is asked for."""

    def __init__(self, config):
        self.robot, self.guide = config.names["robot"], SimpleNamespace(arms=("left", "right"))
        self.resets, self.closed = [], False

    def reset(self, *, seed=None, options=None):
        self.resets.append(seed)
        return super().reset(seed=seed, options=options)

    def close(self):
        self.closed = True


@pytest.mark.parametrize("robots", [("talos_fixed", "talos"), ("talos_fixed",)])
def test_whole_episodes_are_on_the_robot_that_it_is_tried_on(monkeypatch, robots):
    rooms = []

    def built(config):
        rooms.append(Room(config))
        return rooms[-1]

    monkeypatch.setattr(benches, "built_residual", built)
    asked = (f"training.validation.robot={robots[-1]}",)
    bench = benches.ResidualBench(resolve_training("nut_insertion", "factory", asked))
    assert tuple(room.robot for room in rooms) == robots
    bench.begin(5, 1.0)
    assert bench.run(900_000, None).seed == 900_000
    assert rooms[0].resets[0] == 5
    assert rooms[-1].resets[-1] == 900_000
    assert len(rooms[0].resets) == 3 - len(robots)
    bench.close()
    assert all(room.closed for room in rooms)


def test_a_simulation_is_ended_if_the_other_cannot_be_built(monkeypatch):
    rooms = []

    def built(config):
        if rooms:
            raise ConfigError("robot talos: its package is not installed")
        rooms.append(Room(config))
        return rooms[0]

    monkeypatch.setattr(benches, "built_residual", built)
    with pytest.raises(ConfigError, match="not installed"):
        benches.ResidualBench(resolve_training("nut_insertion", "factory", ()))
    assert rooms[0].closed


def test_how_hard_a_plug_is_pushed_is_the_scripts_alone():
    residual = resolve_training("hv_plugging", "factory", ()).get("residual", ResidualConfig)
    authority = residual.authority
    assert (authority.translation_m[2], authority.stiffness) == (0.0, 0.0)
    assert not {"lock", "unlock", "extract"} & set(authority.motions)


def test_episodes_differ_more_once_most_succeed_and_less_when_few_do():
    curriculum = CurriculumConfig(start=0.5, beyond=0.25, step=0.25, episodes=4)
    assert curriculum.bounds("factory") == (0.5, 1.25)
    assert curriculum.bounds("nominal") == (0.0, 0.25)
    moved = [
        curriculum.moved(place, tries, "factory")
        for place, tries in (
            (0.5, [True] * 3),
            (0.5, [True] * 4),
            (1.25, [True] * 4),
            (0.75, [True, True, True, False]),
            (0.75, [True, False, False, False]),
            (0.5, [False] * 4),
        )
    ]
    assert moved == [0.5, 0.75, 1.25, 0.75, 0.5, 0.5]


def test_what_was_asked_for_by_name_holds_at_every_place_of_the_ladder():
    asked = ("level.shove_chance=0", "level.pin_offset=0.0005")
    changed, usual = (
        [task_at(resolve_training("nut_insertion", "factory", sets), p) for p in (0.5, 1.0)]
        for sets in (asked, ())
    )
    for found, stock in zip(changed, usual, strict=True):
        draws = [task.sample_layout(np.random.default_rng(3)).parameters for task in (found, stock)]
        assert draws[0].keys() == draws[1].keys()
        shoves = [abs(d["shove_x_ns"]) + abs(d["shove_y_ns"]) for d in draws]
        assert shoves[0] == 0.0
        assert found.variation.pin_offset == 0.0005
        assert found.variation.friction == stock.variation.friction
        assert stock.variation.pin_offset > 0.0005


def trials(*times):
    return [Trial(i, time is not None, time or 99.0, 10.0) for i, time in enumerate(times)]


def test_success_counts_before_time_up_to_the_scripts():
    script = trials(5.0, 5.0, None, 5.0)
    slow = margin(script, trials(5.0, 5.0, 5.0, 5.0))
    fast = margin(script, trials(4.0, 4.0, None, 4.0))
    failing = margin(script, trials(1.0, 1.0, None, None))
    assert failing.rank < slow.rank < fast.rank
    assert fast.better
    assert not failing.better


def test_seeds_of_another_list_are_not_compared():
    with pytest.raises(ValueError, match="same ones"):
        margin(trials(1.0), [Trial(7, True, 1.0, 1.0)])
