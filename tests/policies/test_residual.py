"""The script, corrected: nothing changes without a correction, and what is asked for with one."""

import dataclasses
import math

import numpy as np
import pytest

from policies.contact_state import ContactState
from policies.contract import Contract
from policies.correction import Authority, Heading, Offset
from policies.corrector import Corrector
from policies.network import Mlp, MlpSpec, Normalization
from policies.policy import Brief
from policies.residual import ResidualPolicy
from policies.residual_config import ResidualConfig
from policies.residual_view import ArmView, entries
from policies.scripted import ScriptedPolicy
from policies.sense import Sense
from robot.errors import UnknownName
from robot.spatial import Pose
from tasks.nut_insertion import NutInsertion, NutInsertionConfig
from tasks.nut_variation import NUT_LEVELS
from tests.policies.test_scripted import DT, SCALE, RulePin

ARMS = ("left", "right")


class RuleCell:
    """Both arms before their pins, as `test_scripted.play` has them, one step at a time."""

    def __init__(self):
        task = NutInsertion(NutInsertionConfig(), NUT_LEVELS["nominal"])
        plan = task.phases(task.sample_layout(np.random.default_rng(0)))
        of_arm = {arm: [p for p in plan if p.arm == arm] for arm in ARMS}
        # The left pin is elsewhere than believed, so that it has to be searched for.
        self.sides = {
            "left": RulePin(of_arm["left"], offset=(2e-3, 0.0, 0.0), yaw=0.3),
            "right": RulePin(of_arm["right"]),
        }
        self.signals = tuple(s.name for s in task.signals if s.direction.value == "input")
        self.brief = Brief(task.instruction, task.arms, plan, 0, SCALE, DT, self.signals)
        self.seated = dict.fromkeys(ARMS, False)

    def observe(self):
        observation = {}
        for arm, side in self.sides.items():
            observation |= side.observe(arm)
            self.seated[arm] = self.seated[arm] or side.seated
        values = [n.startswith("feeder") or self.seated.get(n[7:], False) for n in self.signals]
        return observation | {"signals": np.array(values, np.float32)}

    def step(self, action):
        for i, side in enumerate(self.sides.values()):
            side.step(action[9 * i : 9 * i + 9])


def contract(config, arms=ARMS):
    seen, done = config.observed(arms), config.corrected(arms)
    return Contract("nut_insertion", ("talos",), arms, DT, seen, done, SCALE, RuleCell().signals)


def zero_network(promised, bias=0.0):
    spec = MlpSpec(promised.inputs, (4,), promised.outputs)
    tensors = {name: np.zeros(shape) for name, shape in spec.tensors().items()}
    tensors["layers.1.bias"] += bias
    return Mlp(spec, tensors, Normalization.none(spec.inputs))


def residual(config=None, bias=0.0, arms=ARMS):
    config = config or ResidualConfig()
    promised = contract(config, arms)
    return ResidualPolicy(config, promised, zero_network(promised, bias))


@pytest.mark.parametrize("shared", [True, False])
def test_a_network_of_zeros_is_the_script_to_the_bit(shared):
    policy, script = residual(ResidualConfig(shared=shared)), ScriptedPolicy()
    one, other = RuleCell(), RuleCell()
    policy.reset(one.brief)
    script.reset(other.brief)
    corrected = 0
    for _ in range(400):
        action = policy.act(one.observe())
        assert np.array_equal(action, script.act(other.observe()))
        assert action.dtype == np.float32
        one.step(action)
        other.step(action)
        corrected += int(policy._corrector.active.any())
    assert policy.report() == script.report()
    assert all(one.seated.values())
    assert corrected > 20


def walk_to_contact(corrector, cell):
    """Let the script alone until the left hand is in a motion that is corrected."""
    corrector.reset(cell.brief)
    while True:
        corrector.look(cell.observe())
        if corrector.active[0]:
            return
        cell.step(corrector.act(np.zeros((len(corrector.arms), 7), np.float32)))


def target(observation, arm="left"):
    return Pose(
        observation[f"{arm}_position_world_target"].astype(float),
        observation[f"{arm}_quaternion_world_target"].astype(float),
    )


def test_a_correction_moves_the_target_of_the_script_and_does_not_add_up():
    config = ResidualConfig(authority=Authority(rise_s=0.16))
    corrector, cell = Corrector(config, ("left",)), RuleCell()
    walk_to_contact(corrector, cell)
    asked = np.array([[1.0, -0.5, 0.0, 0.0, 0.0, 1.0, -1.0]], np.float32)
    shifts = []
    for _ in range(8):
        wanted = corrector._wanted["left"]
        script = corrector._action
        action = corrector.act(asked)
        # The right arm is not among those that are corrected.
        assert np.array_equal(action[9:], script[9:])
        cell.step(action)
        observation = cell.observe()
        shift = wanted.inverse() @ target(observation)
        shifts.append([*shift.position, *shift.rotation_vector()])
        corrector.look(observation)
    # A quarter of the largest with every step of 40 ms, and then what was asked for, but no more.
    np.testing.assert_allclose(shifts[0][:2], [0.75e-3, -0.75e-3], atol=2e-6)
    for shift in shifts[4:]:
        np.testing.assert_allclose(shift, [3e-3, -1.5e-3, 0, 0, 0, 0.15], atol=1e-5)
    assert action[7] == pytest.approx(max(-1.0, script[7] - 0.5))


def test_a_correction_is_taken_back_when_the_contact_is_over():
    policy, cell = residual(bias=0.2), RuleCell()
    policy.reset(cell.brief)
    corrector = policy._corrector
    was_corrected = False
    for _ in range(600):
        cell.step(policy.act(cell.observe()))
        was_corrected = was_corrected or not corrector._offsets["right"].none
        if corrector.script.report()["right"]["finished"]:
            break
    assert was_corrected
    assert corrector._offsets["right"].none


def test_the_script_sees_its_own_target():
    corrector, cell = Corrector(ResidualConfig(), ARMS), RuleCell()
    walk_to_contact(corrector, cell)
    seen = []
    act = corrector.script.act
    corrector.script.act = lambda observation: (seen.append(observation), act(observation))[1]
    asked = np.zeros((2, 7), np.float32)
    asked[0, 0] = 1.0
    for _ in range(6):
        wanted = corrector._wanted["left"]
        cell.step(corrector.act(asked))
        corrector.look(cell.observe())
        np.testing.assert_allclose(target(seen[-1]).position, wanted.position, atol=1e-6)
    assert np.linalg.norm(target(cell.observe()).position - target(seen[-1]).position) > 2e-3


def test_a_heavy_push_is_never_made_harder():
    corrector, cell = Corrector(ResidualConfig(), ("left",)), RuleCell()
    heavy = tuple(dataclasses.replace(phase, heavy=True) for phase in cell.brief.phases)
    cell.brief = dataclasses.replace(cell.brief, phases=heavy)
    walk_to_contact(corrector, cell)
    for _ in range(8):
        wanted, script = corrector._wanted["left"], corrector._action
        action = corrector.act(np.ones((1, 7), np.float32))
        cell.step(action)
        observation = cell.observe()
        # Stiffness and push are the script's, and the target is no further along the push.
        assert np.array_equal(action[7:9], script[7:9])
        shift = wanted.inverse() @ target(observation)
        assert shift.position[2] == pytest.approx(0.0, abs=1e-6)
        assert shift.position[0] > 0.5e-3
        corrector.look(observation)


def test_a_correction_never_exceeds_its_authority():
    rng = np.random.default_rng(0)
    authority = Authority(translation_m=(1e-3, 0.0, 2e-3), rise_s=0.1)
    offset = Offset(authority)
    largest, before = np.zeros(7), offset.value
    for _ in range(300):
        offset.move(rng.normal(0.0, 3.0, 7), DT)
        assert np.all(np.abs(offset.value) <= authority.bounds)
        assert np.all(np.abs(offset.value - before) <= authority.bounds * DT / 0.1 + 1e-12)
        before = offset.value
        largest = np.maximum(largest, np.abs(offset.value))
    np.testing.assert_allclose(largest, authority.bounds, atol=1e-12)
    assert offset.share[1] == 0.0
    for _ in range(5):
        offset.move(np.zeros(7), DT)
    assert offset.none


def size_of(config):
    return sum(e.size for e in entries(config.authority.motions, config.history))


def test_what_is_seen_is_what_is_described():
    config = ResidualConfig(history=3)
    corrector, cell = Corrector(config, ARMS), RuleCell()
    walk_to_contact(corrector, cell)
    cell.step(corrector.act(np.ones((2, 7), np.float32)))
    seen = corrector.look(cell.observe())
    assert seen.shape == (2, size_of(config))
    assert seen.dtype == np.float32
    named, at = {}, 0
    for entry in config.observed(ARMS):
        named[entry.name] = seen[0, at : at + entry.size].reshape(entry.shape)
        at += entry.size
    phase = corrector.phase("left")
    expected = phase.pose_world_tool.inverse() @ Pose(
        cell.observe()["left_position_world_tool"].astype(float),
        cell.observe()["left_quaternion_world_tool"].astype(float),
    )
    np.testing.assert_allclose(named["tool_position"], 1e3 * expected.position, atol=1e-3)
    assert named["side"] == 1.0
    assert seen[1, 0] == -1.0
    assert named["motion"].sum() == 1.0
    np.testing.assert_allclose(named["correction"], 0.25)
    assert named["force_limit"] == config.force_limit_n
    felt = corrector.script.contact("left")
    assert felt is not None
    assert named["contact"].tolist() == [float(felt is state) for state in ContactState]
    assert named["opening"] == pytest.approx(12.0)


def test_the_past_is_seen_oldest_first():
    view = ArmView("left", ("search",), 3, 30.0)
    phase = next(p for p in RuleCell().brief.phases if p.motion.value == "search")
    script, offset = Pose.identity(), Offset(Authority())
    for n in range(4):
        pads = np.zeros((2, 11, 9), np.float32)
        pads[0, 10, 4] = 100.0 * n
        wrench = np.full(6, float(n) + 7.0)
        sense = Sense(n * DT, DT, script, script, wrench, 0.01, np.zeros(4), {})
        still, asked = np.zeros(6), np.zeros(3)
        seen = view.vector(sense, {"left_tactile": pads}, phase, script, still, asked, offset)
    wrenches, touches = seen[-36:-18].reshape(3, 6), seen[-18:].reshape(3, 6)
    assert wrenches[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert touches[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert touches[2].tolist() == [3.0, 5.0, 0.0, 0.0, 0.0, 0.0]


def test_how_the_script_moves_is_told_along_its_own_axes():
    view = ArmView("left", ("search",), 3, 30.0)
    phase = next(p for p in RuleCell().brief.phases if p.motion.value == "search")
    told = {}
    start = 0
    for entry in entries(("search",), 3):
        told[entry.name] = slice(start, start + entry.size)
        start += entry.size
    script = Pose.from_rotation_vector([0.0, 0.0, 1.2], [0.4, 0.1, 0.9])
    sense = Sense(0.0, DT, script, script, np.zeros(6), 0.01, np.zeros(4), {})
    twist = np.array([0.025, -0.05, 0.0, 0.0, 0.0, 0.5])
    seen = view.vector(sense, {}, phase, script, twist, np.zeros(3), Offset(Authority()))
    assert seen[told["script_velocity"]].tolist() == [25.0, -50.0, 0.0]
    assert seen[told["script_turning"]].tolist() == [0.0, 0.0, 0.5]


def test_a_heading_is_where_the_target_goes_and_stays_when_it_stops():
    heading = Heading()
    ahead = np.array([1.0, 0.0, 0.2, 0.3, 0.0, 1.0, -0.5])
    assert heading.along_axes(ahead).tolist() == ahead.tolist()
    heading.follow(np.array([0.0, -0.02, 0.5, 0.0, 0.0, -0.3]))
    for _ in range(2):
        np.testing.assert_allclose(heading.along_axes(ahead), [0, -1, 0.2, 0, -0.3, -1, -0.5])
        # Slower than anything that goes anywhere.
        heading.follow(np.array([5e-4, 5e-4, 0.0, 0.0, 0.0, 0.01]))


def test_along_its_motion_a_correction_leads_the_script_wherever_it_goes():
    config = ResidualConfig(authority=Authority(along_motion=True))
    corrector, cell = Corrector(config, ("left",)), RuleCell()
    walk_to_contact(corrector, cell)
    asked = np.array([[0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]], np.float32)
    ahead, ways = [], []
    for _ in range(60):
        wanted = corrector._wanted["left"]
        cell.step(corrector.act(asked))
        observation = cell.observe()
        if corrector.phase("left") is None:
            break
        corrector.look(observation)
        went = (wanted.inverse() @ corrector._wanted["left"]).position[:2]
        shift = (wanted.inverse() @ target(observation)).position[:2]
        if np.linalg.norm(went) > 2e-4 and np.linalg.norm(shift) > 1e-3:
            ways.append(math.atan2(went[1], went[0]))
            ahead.append(float(shift @ went / np.linalg.norm(shift) / np.linalg.norm(went)))
    # A spiral goes all ways; the offset lags behind it by its own rise and by one step.
    assert np.ptp(ways) > 2.0
    assert np.mean(ahead) > 0.6


def test_a_configuration_other_than_the_networks_is_refused():
    config = ResidualConfig()
    promised = contract(config)
    with pytest.raises(ValueError, match=r"contract.observation: expected wrench \(3, 6\)"):
        ResidualPolicy(ResidualConfig(history=3), promised, zero_network(promised))
    with pytest.raises(ValueError, match=r"contract\.observation: expected left_side"):
        ResidualPolicy(dataclasses.replace(config, shared=False), promised, zero_network(promised))
    with pytest.raises(ValueError, match=r"translation_m: expected 0 or more, got \(-1"):
        Authority(translation_m=(-1.0, 0.0, 0.0))
    with pytest.raises(UnknownName, match="Did you mean 'search'"):
        Authority(motions=("serch",))


def test_a_network_may_be_shown_some_of_it_and_its_critic_all():
    whole = ResidualConfig(history=2)
    some = ResidualConfig(history=2, sees=("contact", "motion"))
    assert [e.name for e in some.observed(ARMS)] == ["motion", "contact"]
    corrector, cell = Corrector(some, ARMS), RuleCell()
    walk_to_contact(corrector, cell)
    seen = corrector.look(cell.observe())
    assert seen.shape == (2, sum(e.size for e in some.observed(ARMS)))
    at, named = 0, {}
    for entry in whole.observed(ARMS):
        named[entry.name] = corrector.sensed[:, at : at + entry.size]
        at += entry.size
    assert at == corrector.sensed.shape[1]
    np.testing.assert_array_equal(seen, np.hstack([named["motion"], named["contact"]]))


def test_what_is_not_there_cannot_be_seen():
    with pytest.raises(UnknownName, match="motions"):
        ResidualConfig(sees=("motions",))


@pytest.mark.parametrize("name", ["translation_m", "rotation_rad"])
def test_along_its_motion_the_bounds_do_not_depend_on_the_way(name):
    with pytest.raises(ValueError, match=rf"{name}: expected the same along x and y"):
        Authority(**{name: (0.003, 0.002, 0.0)}, along_motion=True)
    Authority(**{name: (0.003, 0.002, 0.0)})
