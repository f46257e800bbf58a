import logging
import time as system_time

import numpy as np
import pytest

from robot.cell_state import CellState
from robot.errors import SafetyStop
from robot.spatial import Pose
from robot.state import RobotState, Target
from robot.station import StationInputs
from robot.zone_watch import HandShape
from robot.zones import HandScanner, KeepOut, ZoneConfig, ZoneGuard, tools_of
from tests.robot.hand_rig import (
    AHEAD,
    BERTH,
    CLOSED,
    CONFIG,
    DT,
    OPEN,
    POLICIES,
    ZONES,
    Rig,
    one,
    outside,
    uniform,
    wanted,
)
from tests.robot.planar import BENT, planar_model


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_no_policy_gets_a_hand_into_a_closed_zone(policy):
    refused = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        rig = outside(rng)
        target = policy(rng, rig)
        deepest = -np.inf
        for k in range(700):
            rig.tick(one(target(k)))
            deepest = max(deepest, rig.depth())
        # Less than the belief's margin by far, and no stop was needed.
        assert deepest < 1e-3, f"seed {seed}: {deepest}"
        refused += rig.guard.refusals
    assert refused > 0


def test_noise_of_the_measured_pose_neither_opens_a_way_in_nor_stops_the_robot():
    for seed in range(8):
        rng = np.random.default_rng(seed)
        rig = outside(rng)
        rig.noise = 0.2e-3
        target = POLICIES[seed](rng, rig)
        for k in range(700):
            rig.tick(one(target(k)))
            assert rig.depth() < 3e-3


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_every_one_of_these_policies_gets_in_where_nothing_guards(policy):
    deepest = -np.inf
    for seed in range(4):
        rng = np.random.default_rng(seed)
        rig = outside(rng)
        rig.signals = OPEN
        rig.seen = rig.state()
        target = policy(rng, rig)
        for k in range(700):
            rig.tick(one(target(k)))
            deepest = max(deepest, rig.depth())
    assert deepest > 5e-3


def test_an_open_zone_bends_nothing_and_asks_for_no_kinematics():
    def never(state):
        raise AssertionError("asked for poses although the zones are open")

    guard = ZoneGuard(never)
    guard.reset(ZONES)
    rig = Rig([0.7, 0.1, 0.9], signals=OPEN)
    target = one(wanted([0.7, 0.1, 0.9], wrench=(50.0,) * 6))
    assert guard.limit(target, rig.state()) is target
    guard.check(rig.state())
    assert guard.refusals == 0


def test_a_target_that_stays_clear_of_a_closed_zone_passes_as_it_is():
    rig = Rig([0.2, 0.3, 0.9])
    target = one(wanted([0.25, 0.4, 1.0], wrench=(5.0,) * 6, stiffness=(100.0, 5.0)))
    for _ in range(50):
        assert rig.tick(target) is target
    assert rig.guard.refusals == 0


def test_a_target_inside_is_cut_short_in_front_and_the_hand_waits_there():
    rig = Rig([0.4, 0.1, 0.9])
    target = one(wanted([0.7, 0.1, 0.9]))
    for _ in range(1000):
        allowed = rig.tick(target)
    assert -0.03 < rig.depth() < 0.0
    assert np.linalg.norm(rig.velocity) < 5e-3
    assert allowed.tools["left"].gripper_opening == target.tools["left"].gripper_opening
    assert rig.guard.refusals == 1000
    away = one(wanted([0.3, 0.1, 0.9]))
    for _ in range(500):
        rig.tick(away)
    np.testing.assert_allclose(rig.position, [0.3, 0.1, 0.9], atol=2e-3)


def test_a_hand_in_the_buffer_may_leave_it_and_pass_along_but_not_go_deeper():
    # 6 mm in front of the zone; targets are kept 10 mm away.
    start = np.array([0.5, 0.1, 0.9])
    while Rig(start).depth() < -6e-3:
        start[0] += 0.2e-3
    rig = Rig(start)
    assert -8e-3 < rig.depth() < -5e-3
    for _ in range(3):
        rig.tick(one(wanted(start)))

    def reached(target):
        return rig.guard.limit(one(wanted(target)), rig.seen).tools["left"].pose_world_tool.position

    away, along, deeper = (start + np.array(d) for d in ([-0.02, 0, 0], [0, 0.02, 0], [2e-3, 0, 0]))
    np.testing.assert_array_equal(reached(away), away)
    np.testing.assert_array_equal(reached(along), along)
    np.testing.assert_allclose(reached(deeper), start, atol=1e-6)


def test_a_hand_at_the_border_that_sways_out_is_free_to_go():
    rig = Rig([0.5, 0.1, 0.9])
    while rig.depth() < 1e-3:
        rig.position[0] += 0.2e-3
    rig.seen = rig.state()
    target = one(wanted(rig.position - [0.1, 0.0, 0.0]))
    for _ in range(10):
        held = rig.tick(target)
        assert held is not target
    out = rig.position - [4e-3, 0.0, 0.0]
    for _ in range(10):
        rig.position, rig.velocity = out.copy(), np.zeros(3)
        rig.seen = rig.state()
        allowed = rig.tick(target)
    assert allowed is target
    for _ in range(500):
        rig.tick(target)
    assert rig.depth() < -0.05


def test_a_hand_at_1_m_per_s_stops_in_front_of_a_zone_that_closes():
    distance = CONFIG.stop_distance + 5e-3
    start = 0.7 - (BERTH + 0.03 + distance)
    rig = Rig([start, 0.1, 0.9], signals=OPEN, velocity=[1.0, 0.0, 0.0])
    deepest = -np.inf
    for _ in range(500):
        if rig.depth() > -distance:
            rig.signals = CLOSED
        rig.tick(one(wanted([0.9, 0.1, 0.9])))
        deepest = max(deepest, rig.depth())
    assert rig.signals == CLOSED
    assert deepest < 0.0


def test_a_hand_that_is_not_measured_may_not_be_told_to_move():
    rig = Rig([0.4, 0.1, 0.9])
    with pytest.raises(SafetyStop, match="tool 'right': not measured"):
        rig.guard.limit(Target({"right": wanted([0.4, -0.1, 0.9])}), rig.seen)


def test_a_refusal_is_named_once_per_second_with_its_reason(caplog):
    rig = Rig([0.5, 0.1, 0.9])
    with caplog.at_level(logging.WARNING):
        for _ in range(600):
            rig.tick(one(wanted([0.7, 0.1, 0.9])))
    assert rig.guard.refusals == 600
    kept = [r for r in caplog.records if "kept out of" in r.getMessage()]
    assert len(kept) == 2
    assert "tool 'left' kept out of zone 'port_a', closed: 'hv_off' is false" in caplog.text


@pytest.mark.parametrize(("distance", "velocity", "named"), [(0.02, 0.0, False), (0.06, 1.0, True)])
def test_a_hand_near_a_zone_that_closes_is_named_only_if_it_was_seen_to_go_in(
    distance, velocity, named, caplog
):
    start = [0.7 - BERTH - distance, 0.1, 0.9]
    target = one(wanted([0.9 if named else 0.4, 0.1, 0.9]))
    rig = Rig(start, signals=OPEN, velocity=[velocity, 0.0, 0.0])
    rig.tick(target)
    rig.signals = CLOSED
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            rig.tick(target)
    assert rig.guard.refusals > 0
    assert ("in front of" in caplog.text) == named


def test_a_reset_forgets_zones_hands_and_counts():
    rig = Rig([0.66, 0.1, 0.9])
    target = one(wanted([0.7, 0.1, 0.9]))
    rig.tick(target)
    rig.guard.reset(())
    assert rig.guard.refusals == 0
    assert rig.guard.limit(target, rig.seen) is target


def test_zones_that_protect_nothing_are_refused():
    with pytest.raises(ValueError, match="open_signals"):
        ZoneConfig(open_signals=())
    with pytest.raises(ValueError, match="margin"):
        ZoneConfig(margin=-0.01)
    for name in ("margin", "hand_radius", "entry_depth", "rest_distance", "near", "buffer"):
        with pytest.raises(ValueError, match=f"{name}: expected .* got nan"):
            ZoneConfig(**{name: np.nan})
    with pytest.raises(ValueError, match="zone 'flat'"):
        KeepOut("flat", Pose.identity(), np.array([0.1, 0.1, 0.0]))


def test_the_same_targets_are_bent_the_same_to_the_bit():
    def run():
        rng = np.random.default_rng(5)
        rig = outside(rng)
        target = uniform(rng, rig)
        for k in range(300):
            rig.tick(one(target(k)))
        return rig

    first, second = run(), run()
    assert first.position.tobytes() == second.position.tobytes()
    assert first.guard.refusals == second.guard.refusals > 0


def at(x):
    return {"left": Pose(np.array([x, 0.1, 0.9]), AHEAD.quaternion)}


def test_a_scanner_finds_a_hand_clear_only_if_it_could_stop_outside():
    scanner = HandScanner()
    assert not scanner.clear({}, 0.0, False)
    scanner.reset(ZONES)
    edge = 0.7 - BERTH - 0.03
    # A hand at rest has to be seen twice before it is known to be at rest.
    assert not scanner.clear(at(edge), 0.0, False)
    assert scanner.clear(at(edge), 0.01, False)
    scanner.reset(ZONES)
    for k in range(10):
        assert not scanner.clear(at(edge - 0.1 + 0.01 * k), 0.01 * k, False)


@pytest.mark.parametrize(("closed", "allowed"), [(False, 0.0), (True, 0.01)])
def test_a_clear_hand_may_sway_across_the_border_once_it_was_told_to_keep_out(closed, allowed):
    scanner = HandScanner()
    scanner.reset(ZONES)
    scanner.clear(at(0.2), 0.0, False)
    assert scanner.clear(at(0.2), 0.01, False)
    seen = []
    for k in range(1, 800):
        x = 0.2 + 0.5e-3 * k
        # Seen so seldom that its speed is not known, and counts as high.
        seen.append((Rig([x, 0.1, 0.9]).depth(), scanner.clear(at(x), 0.2 * k, closed)))
    clear = [depth for depth, clear in seen if clear]
    assert max(clear) <= allowed
    assert max(clear) > allowed - CONFIG.stop_distance - 1e-3
    assert not seen[-1][1]
    # Having been inside, it is not clear again before it could stop outside.
    assert not scanner.clear(at(0.7 - BERTH), 1e3, closed)


def test_tool_poses_come_from_the_model():
    model = planar_model()
    none = np.zeros(2)
    state = CellState(RobotState(0.0, BENT, none, none), {}, StationInputs())
    poses = tools_of(model)(state)
    expected = model.at(BENT).pose_world("tool")
    np.testing.assert_array_equal(poses["left"].position, expected.position)


def test_looking_takes_microseconds():
    rig = Rig([0.4, 0.1, 0.9])
    target = one(wanted([0.45, 0.1, 0.9]))
    states = []
    for k in range(2000):
        rig.time = k * DT
        states.append(rig.state())
    rig.guard.limit(target, states[0])
    start = system_time.process_time()
    for state in states:
        rig.guard.check(state)
        rig.guard.limit(target, state)
    taken = (system_time.process_time() - start) / len(states)
    assert taken < 100e-6, f"{1e6 * taken:.0f} us for one hand and two zones"


def test_a_hand_is_inside_as_soon_as_one_of_its_spheres_touches_a_box():
    config = ZoneConfig(margin=0.02, hand_radius=0.04, hand_points=((0.0, 0.0, 0.05),))
    turned = Pose.from_rotation_vector([0.0, 0.0, 0.3], [0.5, 0.0, 1.0])
    boxes = config.boxes([KeepOut("far", Pose.translation([9.0, 0.0, 0.0]), np.full(3, 0.1)),
                          KeepOut("near", turned, np.array([0.1, 0.2, 0.3]))])  # fmt: skip
    hand = HandShape(config)
    # The forward sphere ends 0.09 m ahead of the tool, the box 0.32 m below its centre.
    touches = 0.3 + 0.02 + 0.05 + 0.04
    assert hand.inside(turned @ Pose.translation([0.0, 0.0, -touches + 1e-6]), boxes)
    assert not hand.inside(turned @ Pose.translation([0.0, 0.0, -touches - 1e-6]), boxes)
