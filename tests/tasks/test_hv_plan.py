"""The plan of high-voltage plugging: from beliefs only, in order, and never too hard."""

import dataclasses

import numpy as np
import pytest

from robot.mating import Engagement
from tasks.hv_plan_config import HvPlanConfig
from tasks.hv_plugging import ALLOWED
from tasks.phases import Motion
from tests.tasks.hv import draw, job


@pytest.fixture
def task():
    return job()


def test_the_plan_knows_only_what_is_believed(task):
    layout = draw(task)
    names = list(layout.pose_world_parts)
    swapped = dict(zip(names, reversed(layout.pose_world_parts.values()), strict=True))
    index = {"pack_index": layout.parameters["pack_index"]}
    hidden = dataclasses.replace(layout, pose_world_parts=swapped, parameters=index)
    for here, there in zip(task.phases(layout), task.phases(hidden), strict=True):
        assert here.name == there.name
        assert here.limits == there.limits
        assert np.array_equal(here.pose_world_tool.position, there.pose_world_tool.position)
        assert np.array_equal(here.pose_world_tool.quaternion, there.pose_world_tool.quaternion)


def test_plugs_come_out_in_the_reverse_order_after_the_test(task):
    layout = draw(task, pack="truck")
    for arm in task.arms:
        phases = [p for p in task.phases(layout) if p.arm == arm]
        work = list(dict.fromkeys(p.operation for p in phases if p.operation))
        assert work == [
            f"plug {arm}_0",
            f"plug {arm}_1",
            f"unplug {arm}_1",
            f"unplug {arm}_0",
        ]
        awaiting = next(i for i, p in enumerate(phases) if p.motion is Motion.AWAIT)
        assert phases[awaiting].signal == ALLOWED
        assert all(p.operation.startswith("plug") for p in phases[: awaiting - 1])
        for phase in phases[awaiting + 1 : -1]:
            assert phase.requires == phase.operation.replace("unplug", "plug")


def test_every_arm_has_a_plan_even_with_nothing_to_plug(task):
    layout = draw(task)
    for arm in task.arms:
        assert [p for p in task.phases(layout) if p.arm == arm]


def test_the_plan_brings_the_plug_to_header_and_dock(task):
    layout = draw(task, pack="sedan")
    for slot, a in task.assigned(layout).items():
        header, dock = (layout.pose_world_believed[f"{p}_{slot}"] for p in ("header", "dock"))
        phases = {p.name: p for p in task.phases(layout) if p.operation == f"plug {slot}"}
        for name, wanted in (
            ("mate", header @ a.kind.pose_header_plug(Engagement.MATED)),
            ("lock", header @ a.kind.pose_header_plug(Engagement.LOCKED)),
            ("grasp", dock @ a.kind.pose_dock_plug),
        ):
            phase = phases[name]
            plug = phase.pose_world_tool @ phase.pose_tool_part
            assert np.allclose(plug.position, wanted.position, atol=1e-12)
            assert plug.angle_to(wanted) < 1e-7
        # Before it is felt for, the nose is short of the mouth by more than any belief is wrong.
        nose = header.inverse() @ phases["approach"].pose_world_tool
        assert nose.transform((0.0, 0.0, a.kind.tip))[2] < -0.01


def test_the_plan_never_forces_a_wrong_key_and_keeps_within_its_demands(task):
    for pack in ("city", "sedan", "suv", "truck"):
        layout = draw(task, pack=pack)
        kinds = {slot: a.kind for slot, a in task.assigned(layout).items()}
        for phase in task.phases(layout):
            assert phase.limits.get("force_n", 0.0) <= task.demands.push_force
            if phase.name == "mate":
                mating = kinds[phase.operation.split()[1]].mating
                assert phase.limits["entry_n"] < mating.key_force
                assert phase.limits["force_n"] > mating.peak_force
            if phase.motion is Motion.UNLOCK:
                mating = kinds[phase.operation.split()[1]].mating
                assert mating.unlock_force < phase.limits["force_n"]
            if phase.name in ("mate", "lock", "unlock", "extract"):
                assert phase.heavy


def test_plans_that_hurt_are_refused():
    with pytest.raises(ValueError, match="mate_force_n"):
        HvPlanConfig(mate_force_n=130.0)
    with pytest.raises(ValueError, match="dwell_s"):
        HvPlanConfig(dwell_s=0.05)
    with pytest.raises(ValueError, match="open_m"):
        HvPlanConfig(open_m=0.02)
