"""The main jobs from start to end, with what comes along, in the simulation."""

import json

import pytest

from workcell.build import build_cycle
from workcell.catalog import Choice, resolve_choice
from workcell.cli import main
from workcell.policy_folder import read_policy


def cycle(choice, seed, *overrides):
    runner = build_cycle(resolve_choice(choice, overrides))
    try:
        return runner.run(seed)
    finally:
        runner.close()


@pytest.mark.parametrize("policy", ["scripted", "nut_residual"])
def test_a_robot_on_its_feet_puts_two_nuts_on_their_pins(policy):
    record = cycle(Choice("nut_insertion", "factory", "talos", policy), 100)
    assert record.success, record.failure
    assert all(record.operations[f"insert_{arm}"].success for arm in ("left", "right"))
    assert (record.fell, record.guard_stops, record.disagreements) == (False, 0, [])
    # What is drawn differs from where the robot believes it, so both pins were looked for.
    for side in record.sides.values():
        assert {"reach", "grasp", "align"} <= set(side.phase_times_s), side.phase_times_s
    assert 5.0 < record.max_force_n < record.force_limit_n == 60.0


def test_a_pack_is_plugged_tested_and_unplugged():
    changes = ('task.models=["city"]', "task.tester.pulse_time=1.0")
    record = cycle(Choice("hv_plugging", "nominal", "talos_fixed"), 100, *changes)
    assert record.success, record.failure
    assert len(record.operations) == 4
    assert all(operation.success for operation in record.operations.values())
    assert (record.guard_stops, record.guard_clamps, record.disagreements) == (0, 0, [])
    assert record.force_limit_n == 120.0


def test_a_correction_is_learned_of_the_script_at_work_and_can_be_run(capfd, tmp_path):
    small = ("segment_steps=32", "ppo.rollout=16", "ppo.hidden=[8]", "ppo.batch=16")
    small += ("validation.episodes=1", "validation.confirm_episodes=1", "validation.every=1")
    changes = [word for value in small for word in ("--set", f"training.{value}")]
    out = tmp_path / "training"
    words = ["train", "nut_insertion", "--steps", "32", "--out", str(out), "--json", *changes]
    assert main(words) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["steps"] >= 32
    assert result["validation"]["n"] == result["confirmation"]["n"] == 1
    stored = read_policy(out / "policy")
    assert stored.manifest.kind == "residual"
    assert stored.manifest.training.steps >= 32
    assert stored.manifest.training.robot == "talos_fixed"
    assert {record.robot for record in stored.manifest.evaluation} == {"talos"}
    record = cycle(Choice("nut_insertion", "factory", "talos_fixed", str(out / "policy")), 101)
    assert record.success, record.failure
