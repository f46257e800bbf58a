"""Touch networks: what comes along, how it is taught and measured, and what is refused."""

import dataclasses
import json

import numpy as np
import pytest

from policies.senses import SensesConfig, SensingPolicy
from policies.tactile.features import TAXELS
from robot.errors import ConfigError
from robot.sim.grasp_rig import GraspRig
from robot.sim.noise import NOISE_LEVELS
from robot.spatial import Pose
from tests.policies.test_senses import Remembers
from tests.workcell.policies import write
from workcell.briefing import sensing
from workcell.catalog import Choice, resolve_choice
from workcell.contact_figures import Confusion
from workcell.environments import make_environment
from workcell.suites import load_suite
from workcell.touch import touch_pads
from workcell.touch_data import SENSORS, Pads, grasps, in_hand_of, readings
from workcell.touch_network import shipped_touch, touch_named
from workcell.touch_parts import touch_cases, variation_of
from workcell.touch_regrasp import GOAL, RegraspTrial

TASKS = ("nut_insertion", "hv_plugging")


@pytest.fixture(scope="module")
def nuts():
    return touch_cases("nut_insertion", "hard")


@pytest.fixture(scope="module")
def made(nuts):
    """Eight grasps of one nut."""
    return list(grasps(nuts[:1], touch_pads()[0], variation_of("nut_insertion", "hard"), 8, 5))


@pytest.mark.parametrize("task", TASKS)
def test_a_touch_network_comes_along_for_the_pads_of_the_robots_it_names(task):
    policy = touch_named(task)
    _, robots = touch_pads()
    assert policy.contract.task == task
    assert set(policy.contract.robots) == set(robots)
    assert set(policy.config.parts) == {case.name for case in touch_cases(task, "hard")}
    numbers = sum(array.size for array in policy.network.tensors.values())
    assert 50_000 <= numbers <= 150_000


def test_what_comes_along_tells_grasps_it_never_saw(made):
    policy = touch_named("nut_insertion")
    samples = readings(made, SENSORS["worn"], 1_000_000, each=4)
    off = []
    for pressure, opening, truth in zip(
        samples.pressure_kpa, samples.opening, samples.in_hand, strict=True
    ):
        off.append(np.abs(policy.estimate(pressure, opening).mean - truth))
    x, z, angle = np.median(off, axis=0)
    assert np.hypot(x, z) < 0.3e-3
    assert angle < np.radians(2.0)


def test_grasps_are_off_by_what_the_level_says_and_no_more(made, nuts):
    off = np.abs([grasp.in_hand for grasp in made])
    assert (off[:, :2] <= np.array(nuts[0].offset) + 0.5e-3).all()
    assert off.max(axis=0)[0] > 1e-3


def test_the_same_seed_makes_the_same_grasps_and_readings(made, nuts):
    variation = variation_of("nut_insertion", "hard")
    again = list(grasps(nuts[:1], touch_pads()[0], variation, 8, 5))
    one, other = (readings(of, SENSORS["worn"], 3, each=2, jitter=True) for of in (made, again))
    np.testing.assert_array_equal(one.pressure_kpa, other.pressure_kpa)
    np.testing.assert_array_equal(one.in_hand, other.in_hand)


def test_readings_moved_about_a_grasp_say_where_the_part_then_lies(made):
    still, moved = (readings(made, SENSORS["new"], 3, jitter=jitter) for jitter in (False, True))
    np.testing.assert_allclose(still.in_hand, [grasp.in_hand for grasp in made])
    apart = np.abs(moved.in_hand - still.in_hand)
    assert apart.max() > 1e-4
    assert (apart <= np.array(made[0].case.jitter)).all()


def test_pads_remember_what_they_felt_until_they_are_let_go(made):
    worn = SENSORS["worn"](np.random.default_rng(1))
    pads = Pads(worn, np.random.default_rng(0))
    first, opening = pads.read(made[0])
    assert first.sum() > 0.0
    assert opening == pytest.approx(made[0].grasped.opening, abs=5 * NOISE_LEVELS["B"].opening)
    pads.let_go(2.0)
    second, _ = pads.read(made[0])
    assert first.size == TAXELS
    # The same dead taxels, the same gains: of one episode.
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.95


def test_a_part_in_its_nominal_place_is_not_off(nuts):
    for case in nuts:
        nominal = case.pose_tool_part
        np.testing.assert_allclose(in_hand_of(nominal, nominal), 0.0, atol=1e-12)
        placed = case.placed(1e-3, -2e-3, (0.0, 0.1, 0.0))
        np.testing.assert_allclose(in_hand_of(placed, nominal), [1e-3, -2e-3, 0.1], atol=1e-9)


def test_a_plug_cannot_be_learned_from_where_its_walls_keep_fingers_out():
    plugs = touch_cases("hv_plugging", "hard")
    for case in plugs:
        assert not case.slides
        assert case.wider().offset[0] >= 6e-3
        assert case.wider().offset[1] < 5e-3
    rig = GraspRig(touch_pads()[0], plugs[0].part)
    try:
        rng = np.random.default_rng(0)
        attempt = plugs[0].draw(rng, variation_of("hv_plugging", "nominal"))
        assert attempt.force > 0.0
        assert rig.grasp(attempt).held
    finally:
        rig.close()


def test_a_trial_is_judged_on_distance_and_angle_after_so_many_regrasps():
    near, far = np.array([0.6e-3, 0.6e-3, 0.0]), np.array([0.9e-3, 0.9e-3, 0.0])
    turned = np.array([0.0, 0.0, 1.1 * GOAL[1]])
    trial = RegraspTrial("m8", np.array([far, turned, near]), np.full(3, True), stopped=True)
    assert [trial.reached(k) for k in range(5)] == [False, False, True, True, True]


def test_senses_of_the_cell_leave_a_policy_as_it_is():
    task = make_task()
    policy = Remembers()
    assert sensing(policy, SensesConfig(), task, "talos") is policy
    assert isinstance(sensing(policy, SensesConfig(touch="none"), task, "talos"), SensingPolicy)
    assert isinstance(sensing(policy, SensesConfig(touch="network"), task, "talos"), SensingPolicy)


def test_a_touch_network_is_refused_on_pads_and_parts_it_does_not_know(monkeypatch):
    feel = SensesConfig(touch="network")
    with pytest.raises(ConfigError, match=r"cell.senses.touch: .*made for .*talos.*drive x9"):
        sensing(Remembers(), feel, make_task(), "x9")
    cases = touch_cases("nut_insertion", "nominal")
    more = (*cases, dataclasses.replace(cases[0], name="m99"))
    monkeypatch.setattr("workcell.briefing.touch_cases", lambda task, level: more)
    with pytest.raises(ConfigError, match=r"not m99\. Teach it again: workcell touch train nut_"):
        sensing(Remembers(), feel, make_task(), "talos")


def make_task(name="nut_insertion"):
    from tasks import task_named

    config = resolve_choice(Choice(name))
    return task_named(name).make(config.values["task"], config.values["level"])


def test_a_task_without_a_touch_network_is_refused():
    with pytest.raises(ConfigError, match="workcell touch train"):
        sensing(Remembers(), SensesConfig(touch="network"), make_task("hv_inspection"), "talos")


def test_an_environment_does_not_pretend_to_have_other_senses():
    with pytest.raises(ConfigError, match=r"cell\.senses"):
        make_environment("nut_insertion", "talos_fixed", overrides=["cell.senses.wrist=false"])


def test_every_arm_of_the_ablation_is_another_way_to_feel():
    suite = load_suite("touch_ablation")
    resolved = [
        resolve_choice(Choice("nut_insertion"), overrides).values
        for overrides in suite.ablations.values()
    ]
    felt = [(values["cell"].senses, values["policy"].use_contact) for values in resolved]
    assert len(set(felt)) == len(felt) == 6
    assert suite.episodes >= 300


def test_training_does_not_use_what_is_measured_with(workcell, tmp_path):
    out = str(tmp_path / "net")
    code, _, err = workcell("touch", "train", "nut_insertion", out, "--seed", "1000000")
    assert code == 2
    assert "larger ones are for measuring" in err
    code, _, err = workcell("touch", "train", "hv_inspection", out)
    assert code == 2
    assert "expected one whose hands hold parts, nut_insertion or hv_plugging" in err


def test_a_policy_that_acts_is_no_touch_network(workcell, tmp_path):
    write(tmp_path / "policy")
    code, _, err = workcell("touch", "test", str(tmp_path / "policy"))
    assert code == 2
    assert "expected a touch network" in err
    code, _, err = workcell("touch", "regrasp", "hv_inspection")
    assert code == 2
    assert str(shipped_touch("hv_inspection")) in err


@pytest.mark.parametrize(
    ("right", "told"),
    [(0, "no policy step was judged"), (3, "100.0 % of 3 policy steps told right")],
)
def test_contact_is_told_also_of_episodes_in_which_none_was(workcell, monkeypatch, right, told):
    counts = np.diag([right, 0, 0, 0, 0, 0])
    found = Confusion(counts, right)
    monkeypatch.setattr("workcell.contact_figures.measure_contact", lambda *_, **__: found)
    code, out, err = workcell("touch", "contact")
    assert (code, err) == (0, "")
    assert told in out
    code, out, _ = workcell("touch", "contact", "--json")
    assert code == 0
    assert json.loads(out)["counts"] == counts.tolist()


@pytest.mark.parametrize("task", TASKS)
def test_what_comes_along_tells_more_than_the_rule_and_knows_how_sure_it_is(workcell, task):
    code, out, _ = workcell("touch", "test", task, "--grasps", "25", "--json")
    assert code == 0
    for found in json.loads(out)["figures"]:
        if found["part"] != "all":
            continue
        assert found["position_mm"] < 0.75 * found["rule_position_mm"] < 0.3
        felt = [axis for axis in found["axes"].values() if axis["felt"]]
        assert len(felt) >= 2
        for axis in felt:
            # Never of what it is not; new pads are better than it was taught to expect.
            assert 0.85 <= axis["inside"] <= (0.99 if found["sensor"] == "worn" else 1.0)


@pytest.mark.parametrize("command", ["test", "regrasp"])
def test_figures_are_printed_with_their_number_and_intervals(workcell, command):
    counted = "--grasps" if command == "test" else "--trials"
    code, out, _ = workcell("touch", command, "nut_insertion", counted, "10", "--json")
    assert code == 0
    figures = json.loads(out)["figures"]
    assert {part["part"] for part in figures} == {"m8", "m6", "m10", "all"}
    assert {part["n"] for part in figures} == {10, 30}
    for part in figures:
        low, high = part["position_interval" if command == "test" else "interval"]
        value = part["position_mm" if command == "test" else "reached"]
        assert low <= value <= high


def test_a_part_that_no_draw_holds_is_named_and_not_waited_for(monkeypatch):
    monkeypatch.setattr("workcell.touch_data._MISSES", 3)
    case = touch_cases("nut_insertion", "nominal")[0]
    # A hand that closes beside it.
    off = dataclasses.replace(case, pose_tool_part=Pose.translation((0.2, 0.0, 0.0)))
    pads, _ = touch_pads()
    variation = variation_of("nut_insertion", "nominal")
    with pytest.raises(ConfigError, match=f"{case.name}: none of 3 grasps in a row"):
        next(grasps([off], pads, variation, 1, 0))
