"""The scripted policy on a pin made of three rules: where the tip is, when it lets in and seats.

No physics: the tool follows its target until the rules stop it, and pushes back like a spring. This
shows the script's logic, side by side for two arms; that it works with contact is shown elsewhere.
"""

import math

import numpy as np
import pytest

from policies import policy_named
from policies.policy import Brief
from policies.scripted import ScriptedConfig, ScriptedPolicy
from robot.errors import UnknownName
from robot.spatial import Pose
from tasks.nut_insertion import NutInsertion, NutInsertionConfig
from tasks.nut_variation import NUT_LEVELS
from tasks.phases import Motion

DT = 0.04
SCALE = {"translation_m": 0.02, "rotation_rad": 0.08, "push_n": 30.0, "opening_m": 0.05}
STIFFNESS = 1000.0
CAPTURE, MESH_ANGLE = 0.8e-3, math.radians(4.0)


class RulePin:
    """One arm before a nest and a pin that are elsewhere than believed."""

    def __init__(self, plan, offset=(0.0, 0.0, 0.0), yaw=0.0, empty_first=0, drops=0):
        self.goal = next(p.pose_world_tool for p in plan if p.motion is Motion.INSERT)
        self.pick = next(p.pose_world_tool for p in plan if p.motion is Motion.GRASP)
        self.offset, self.yaw = np.array(offset), yaw
        self.target = plan[-1].pose_world_tool
        self.opening = 0.025
        self.held = False
        self.empty_first, self.drops = empty_first, drops
        self.deepest = -1.0
        self.push = 0.0

    def step(self, action):
        a = np.clip(np.asarray(action, dtype=float), -1.0, 1.0)
        self.target = self.target @ Pose.from_rotation_vector(0.08 * a[3:6], 0.02 * a[:3])
        wanted = 0.025 * (a[6] + 1.0)
        self.push = 30.0 * a[8]
        near_nut = np.linalg.norm(self.target.position - self.pick.position) < 4e-3
        closing = wanted < 0.01 and self.opening > 0.02
        if closing and not self.held and near_nut:
            if self.empty_first > 0:
                self.empty_first -= 1
            else:
                self.held = True
        if wanted > 0.02:
            self.held = False
        self.opening = max(wanted, 0.012) if self.held else wanted

    def observe(self, arm):
        rel = self.goal.inverse() @ self.target
        x, y, z = rel.position - self.offset
        z += self.push / STIFFNESS
        lateral = math.hypot(x, y)
        yaw = rel.rotation_vector()[2] - self.yaw
        phase = abs((yaw + math.pi / 6) % (math.pi / 3) - math.pi / 6)
        floor = -8e-3
        if lateral < CAPTURE or self.deepest > -7.9e-3:
            floor = 0.0 if phase < MESH_ANGLE or self.deepest > -6e-3 else -7.2e-3
        if not self.held or lateral > 8e-3 or z < -0.02:
            floor = 1.0
            self.deepest = -1.0
        reached = min(z, floor)
        self.deepest = max(self.deepest, reached) if self.held and lateral < 8e-3 else -1.0
        if self.held and self.drops > 0 and floor < 1.0:
            self.drops -= 1
            self.held, self.opening = False, 0.0
        push = STIFFNESS * max(0.0, z - floor)
        # On the pin the tool cannot leave sideways; before it, it can.
        caught = min(1.0, CAPTURE / max(lateral, 1e-9)) if self.deepest > -7.9e-3 else 1.0
        side = np.array([x, y]) * caught
        pull = STIFFNESS * (1.0 - caught) * lateral
        position = [*(side + self.offset[:2]), reached + self.offset[2]]
        tool = self.goal @ Pose.from_rotation_vector(rel.rotation_vector(), position)
        self.seated = self.held and reached > -0.3e-3
        return {
            f"{arm}_position_world_tool": tool.position.astype(np.float32),
            f"{arm}_quaternion_world_tool": tool.quaternion.astype(np.float32),
            f"{arm}_position_world_target": self.target.position.astype(np.float32),
            f"{arm}_quaternion_world_target": self.target.quaternion.astype(np.float32),
            f"{arm}_wrench_tool": np.array([pull, 0, -push, 0, 0, 0], np.float32),
            f"{arm}_gripper_opening": np.array([self.opening], np.float32),
            f"{arm}_in_hand": np.zeros(4, np.float32),
        }


def play(left=None, right=None, config=None, seconds=60.0):
    """Return the report and the two sides after an episode on rules."""
    task = NutInsertion(NutInsertionConfig(), NUT_LEVELS["nominal"])
    plan = task.phases(task.sample_layout(np.random.default_rng(0)))
    sides = {
        "left": RulePin([p for p in plan if p.arm == "left"], **(left or {})),
        "right": RulePin([p for p in plan if p.arm == "right"], **(right or {})),
    }
    signals = tuple(s.name for s in task.signals if s.direction.value == "input")
    policy = ScriptedPolicy(config)
    policy.reset(Brief(task.instruction, task.arms, plan, 0, SCALE, DT, signals))
    seated = dict.fromkeys(task.arms, False)
    for _ in range(int(seconds / DT)):
        observation = {}
        for arm, side in sides.items():
            observation |= side.observe(arm)
            seated[arm] = seated[arm] or side.seated
        values = [n.startswith("feeder") or (n[7:] in seated and seated[n[7:]]) for n in signals]
        observation["signals"] = np.array(values, np.float32)
        action = policy.act(observation)
        assert action.shape == (18,)
        assert np.all(np.abs(action) <= 1.0)
        for i, side in enumerate(sides.values()):
            side.step(action[9 * i : 9 * i + 9])
        report = policy.report()
        if all(report[arm]["finished"] for arm in task.arms):
            break
    return report, seated


def test_an_easy_pin_is_done_at_the_first_attempt():
    report, seated = play()
    assert all(seated.values())
    for arm in ("left", "right"):
        assert report[arm]["finished"], report[arm]
        assert not report[arm]["gave_up"], report[arm]
        assert report[arm]["retries"] == {}


@pytest.mark.parametrize("offset", [(2e-3, 0.0, 0.0), (-2e-3, 2e-3, 1e-3), (0.5e-3, -2e-3, -2e-3)])
@pytest.mark.parametrize("yaw_deg", [0.0, 29.0, -20.0])
def test_a_pin_elsewhere_is_found_and_its_teeth_too(offset, yaw_deg):
    report, seated = play(left={"offset": offset, "yaw": math.radians(yaw_deg)})
    assert seated["left"], report["left"]
    assert not report["left"]["gave_up"]


def test_an_empty_grasp_is_tried_again():
    report, seated = play(left={"empty_first": 1})
    assert seated["left"]
    assert report["left"]["retries"] == {"regrasp": 1}


def test_a_lost_nut_is_replaced():
    report, seated = play(right={"drops": 1})
    assert seated["right"]
    assert report["right"]["retries"] == {"fetch": 1}


def test_one_arms_trouble_does_not_touch_the_other():
    quiet, _ = play()
    troubled, _ = play(left={"empty_first": 2})
    assert troubled["left"]["retries"] == {"regrasp": 2}
    assert troubled["right"]["phase_times_s"] == quiet["right"]["phase_times_s"]


def test_it_gives_up_after_a_bounded_number_of_attempts_and_says_why():
    config = ScriptedConfig(regrasps=1, fetches=1)
    report, _ = play(left={"empty_first": 100}, config=config)
    assert report["left"]["gave_up"]
    assert report["left"]["retries"] == {"regrasp": 1, "fetch": 1}
    assert report["left"]["reasons"][-1] == "grasp:empty_grasp"


def test_a_misspelled_policy_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'scripted'"):
        policy_named("scriptd")


@pytest.mark.parametrize("use_contact", [True, False])
def test_a_part_that_is_felt_to_be_seated_is_not_pushed_for_longer(use_contact):
    report, _ = play({}, config=ScriptedConfig(use_contact=use_contact))
    waited = report["left"]["phase_times_s"]["insert"]
    assert (waited < 0.6) is use_contact
