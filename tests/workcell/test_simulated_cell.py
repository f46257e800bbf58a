"""What is drawn reaches the physics, and what happens there reaches the books."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from robot.sim.fit_distance import CHAMFER, CLEARANCE, FRICTION
from robot.spatial import Pose
from tasks.hv_variation import Fault
from workcell.build import SimWorkcell, build_sim
from workcell.catalog import Choice, resolve_choice


def simulated(task: str, robot: str) -> SimWorkcell:
    values = resolve_choice(Choice(task, "factory", robot)).values
    return build_sim(task, values["task"], values["level"], values["robot"], values["cell"])


@pytest.fixture(scope="module")
def nuts():
    sim = simulated("nut_insertion", "talos")
    yield sim
    sim.close()


@pytest.fixture(scope="module")
def plugs():
    sim = simulated("hv_plugging", "talos_fixed")
    yield sim
    sim.close()


def friction(sim: SimWorkcell, body: int, link: int = -1) -> float:
    return float(sim.parts.world.client.getDynamicsInfo(body, link)[1])


def finger(sim: SimWorkcell, arm: str) -> int:
    return sim.parts.body.link(f"gripper_{arm}_finger_a_link")


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_drawn_of_nuts_and_pins_reaches_the_physics(nuts, seed):
    layout = nuts.env.reset(seed=seed)[1]["layout"]
    p, world, fixture = layout.parameters, nuts.parts.world, nuts.fixture
    for name, pose in layout.pose_world_parts.items():
        if name.startswith(("pin_", "nest_")):
            assert world.pose_world_body(name).position == pytest.approx(pose.position)
    for arm in nuts.env.task.arms:
        fit = fixture._fits[arm]._parameters
        assert fit[CLEARANCE] == pytest.approx(1e-3 * p["clearance_mm"])
        assert fit[CHAMFER] == pytest.approx(1e-3 * p["chamfer_mm"])
        assert fit[FRICTION] == pytest.approx(p["friction_steel"])
        assert friction(nuts, world.body(f"pin_{arm}")) == pytest.approx(p["friction_steel"])
        pads = friction(nuts, nuts.parts.body.body, finger(nuts, arm))
        assert pads == pytest.approx(p["friction_pads"])
        force = nuts.env.task.demands.grip_force * p[f"grip_share_{arm}"]
        assert nuts.parts.grippers[arm]._force == pytest.approx(force)


def test_a_magnet_that_is_drawn_twice_as_strong_pulls_twice_as_hard(nuts):
    layout = nuts.env.task.sample_layout(np.random.default_rng(1))
    nut, pin = nuts.env.task.nuts("left")[0], layout.pose_world_parts["pin_left"]
    pulls = []
    for force in (3.0, 6.0):
        changed = {**layout.parameters, "magnet_force_left_n": force}
        nuts.env.scene.apply(dataclasses.replace(layout, parameters=changed))
        nuts.parts.world.set_away(nut, False)
        nuts.parts.world.set_pose(nut, pin @ Pose.translation([0.0, 0.0, 0.03]))
        magnet = nuts.fixture._magnets["left"]
        magnet.reset()
        magnet.apply(nuts.parts.world)
        pulls.append(np.linalg.norm(magnet.applied(nut)[:3]))
    assert pulls[0] > 0.01
    assert pulls[1] == pytest.approx(2.0 * pulls[0])


def test_what_is_drawn_of_plugs_and_cables_reaches_the_physics(plugs):
    rng, world = np.random.default_rng(2), plugs.parts.world
    layout = plugs.env.task.sample_layout(rng)
    plugs.env.scene.apply(layout)
    p, fixture = layout.parameters, plugs.fixture
    assigned = plugs.env.task.assigned(layout)
    assert len(assigned) >= 2
    for slot, port in assigned.items():
        cable = fixture._harnesses[slot].config
        assert cable.length == p[f"harness_length_{slot}_m"]
        assert cable.outer_diameter == 1e-3 * p[f"harness_diameter_{slot}_mm"]
        assert cable.mass_per_length == p[f"harness_mass_{slot}_kg_m"]
        assert cable.bending_stiffness == p[f"harness_bending_{slot}_nm2"]
        assert fixture._harnesses[slot].body == port.plug
        header, plug = world.body(port.header), world.body(port.plug)
        assert friction(plugs, header) == pytest.approx(p["friction_plastic"])
        where = world.pose_world_body(port.header).position
        assert where == pytest.approx(layout.pose_world_parts[port.header].position)
        assert friction(plugs, plug) == 1.0


def test_what_is_wrong_with_a_port_reaches_its_socket(plugs):
    rng, task = np.random.default_rng(3), plugs.env.task
    for fault in (Fault.NONE, Fault.DEBRIS, Fault.DEAD_LATCH):
        layout = task.sample_layout(rng)
        slot = next(iter(task.assigned(layout)))
        faults = {k: 0.0 for k in layout.parameters if k.startswith("fault_")}
        faults[f"fault_{slot}"] = float(fault)
        changed = {**layout.parameters, **faults, f"mating_scale_{slot}": 0.87}
        layout = dataclasses.replace(layout, parameters=changed)
        plugs.env.scene.apply(layout)
        assigned = task.assigned(layout)
        socket = plugs.fixture._socket(assigned[slot], slot, assigned[slot], changed)
        assert socket.scale == 0.87
        assert socket.clicks == (fault is not Fault.DEAD_LATCH)
        assert (socket.stop is not None) == (fault is Fault.DEBRIS)


def test_a_robot_that_lies_on_the_floor_has_fallen(nuts):
    nuts.env.reset(seed=1)
    assert nuts.env.scene.events()["fallen"] == 0.0
    start, base = nuts.parts.start_posture
    nuts.parts.driver.place(start, base @ Pose.from_rotation_vector([0.0, 0.7, 0.0]))
    assert nuts.env.scene.events()["fallen"] == 1.0


@pytest.mark.parametrize("part", ["pin_left", "nest_right", "bench"])
def test_a_hand_that_runs_into_what_stands_there_is_felt_by_the_judge(nuts, part):
    nuts.env.reset(seed=1)
    world = nuts.parts.world
    assert nuts.env.scene.events()["contact_force_n"] < 0.1
    arm = "right" if part.endswith("right") else "left"
    hand = nuts.parts.body.pose_world_link(f"gripper_{arm}_finger_a_link")
    world.set_pose(part, hand)
    for _ in range(20):
        world.tick()
    assert nuts.env.scene.events()["contact_force_n"] > 1.0


def test_the_books_count_what_guard_and_controller_do(nuts):
    nuts.env.reset(seed=1)
    assert nuts.counters() == {"guard_stops": 0, "guard_clamps": 0, "unsolved_ticks": 0}
    nuts.env.loop.cell.guard.stops += 2
    nuts.env.loop.cell.guard.clamps += 3
    nuts.controller.unsolved += 4
    assert nuts.counters() == {"guard_stops": 2, "guard_clamps": 3, "unsolved_ticks": 4}


def test_guard_and_actions_are_as_the_job_needs_them(nuts, plugs):
    for sim in (nuts, plugs):
        demands, guard = sim.env.task.demands, sim.env.loop.cell.guard.config
        assert guard.force_limit == demands.wrist_force
        assert guard.force_peak == demands.wrist_peak
        assert sim.env.scale.push_n == demands.push_force
