import _thread
import signal
import threading
import time

import numpy as np
import pytest
from typing_extensions import override

from robot import background
from robot.background import BackgroundLoop
from robot.cell import Cell
from robot.cell_state import CellState
from robot.control.controller import Controller
from robot.driver import StopCategory
from robot.errors import CommandRejected, DeviceFault, SafetyStop, StaleState
from robot.loop import ControlLoop, Tick
from robot.sensor import WrenchReading
from robot.spatial import Pose
from robot.state import Lifecycle, RobotCommand, Target, ToolTarget
from tests.robot.planar import BENT, active_cell, hold

HOLD = Target(tools={})


def reach(x: float) -> Target:
    tool = ToolTarget(Pose.translation([x, 0.0, 0.0]), np.zeros(6), np.zeros(6), 0.02)
    return Target({"left": tool})


class Shoulder(Controller):
    """Turns the shoulder to the x coordinate of its target, and holds its posture without one."""

    def __init__(self) -> None:
        self.posture = BENT
        self.updates = 0

    @override
    def reset(self, state: CellState) -> None:
        self.posture = state.robot.joint_position

    @override
    def update(self, state: CellState, target: Target, dt: float) -> RobotCommand:
        self.updates += 1
        goal = self.posture.copy()
        if "left" in target.tools:
            goal[0] = target.tools["left"].pose_world_tool.position[0]
        return hold(goal)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_loop_tracks_its_target():
    loop = ControlLoop(active_cell(), Shoulder())
    loop.reset(rng())
    state = loop.run(reach(0.5), 1000)
    np.testing.assert_allclose(state.robot.joint_position, [0.5, BENT[1]], atol=1e-3)


def test_an_arm_without_a_target_holds_its_posture():
    loop = ControlLoop(active_cell(), Shoulder())
    loop.reset(rng())
    np.testing.assert_allclose(loop.run(HOLD, 500).robot.joint_position, BENT, atol=1e-12)


def test_one_tick_measures_decides_sends_and_waits_in_this_order(monkeypatch):
    events = []
    cell = active_cell()

    def note(owner, name, label):
        original = getattr(owner, name)

        def noted(*args, **kwargs):
            events.append(label)
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, noted)

    controller = Shoulder()
    note(controller, "update", "update")
    note(cell.guard, "clamp", "clamp")
    note(cell.driver, "write", "write")
    note(cell.clock, "tick", "tick")
    note(cell.driver, "read", "read")
    note(cell.guard, "check", "check")
    loop = ControlLoop(cell, controller, [lambda tick: events.append("listen")])
    loop.reset(rng())
    events.clear()
    loop.run(HOLD, 1)
    assert events == ["update", "clamp", "write", "listen", "tick", "read", "check"]


def test_a_listener_hears_of_what_was_measured_wanted_and_sent():
    ticks: list[Tick] = []
    cell = active_cell()
    loop = ControlLoop(cell, Shoulder(), [ticks.append])
    first = loop.reset(rng())
    target = reach(0.4)
    loop.run(target, 3)
    assert ticks[0].state is first
    assert all(tick.target is target for tick in ticks)
    assert [tick.sent.sequence for tick in ticks] == [1, 2, 3]
    np.testing.assert_allclose(np.diff([tick.state.time for tick in ticks]), cell.clock.dt)


def test_a_loop_that_was_not_reset_says_so():
    with pytest.raises(RuntimeError, match="before reset"):
        ControlLoop(active_cell(), Shoulder()).run(HOLD, 1)


@pytest.mark.parametrize(
    "error", [StaleState("old"), DeviceFault("no answer"), ValueError("nan"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("place", ["read", "update", "listen"])
def test_whatever_ends_a_loop_halts_the_robot_and_what_was_measured_is_forgotten(
    monkeypatch, error, place
):
    cell, controller = active_cell(), Shoulder()

    def fail(*_: object) -> None:
        raise error

    loop = ControlLoop(cell, controller, [fail] if place == "listen" else [])
    loop.reset(rng())
    if place != "listen":
        monkeypatch.setattr(cell.driver if place == "read" else controller, place, fail)
    with pytest.raises(type(error)):
        loop.run(HOLD, 2)
    assert cell.driver.lifecycle is Lifecycle.FAULT
    with pytest.raises(RuntimeError, match="after an error"):
        loop.run(HOLD, 2)


def test_a_stop_that_fails_does_not_hide_what_led_to_it(monkeypatch):
    cell, controller = active_cell(), Shoulder()
    loop = ControlLoop(cell, controller)
    loop.reset(rng())

    def fail(error: Exception) -> None:
        raise error

    monkeypatch.setattr(controller, "update", lambda *_: fail(DeviceFault("no answer")))
    monkeypatch.setattr(cell.driver, "stop", lambda _: fail(OSError("no route")))
    with pytest.raises(DeviceFault, match="no answer") as caught:
        loop.run(HOLD, 1)
    assert "no route" in caught.value.__notes__[0]


def test_a_loop_does_not_go_on_from_before_a_stop_and_does_from_a_reset():
    cell = active_cell()
    loop = ControlLoop(cell, Shoulder())
    loop.reset(rng())
    cell.driver.stop(StopCategory.HOLD)
    cell.driver.recover()
    cell.driver.activate()
    with pytest.raises(CommandRejected, match="epoch"):
        loop.run(HOLD, 1)
    cell.driver.recover()
    cell.driver.activate()
    loop.reset(rng())
    loop.run(HOLD, 5)


def paced() -> Cell:
    """Return a cell whose clock takes about a tenth of a millisecond of real time per tick."""
    cell = active_cell()
    cell.clock.on_tick(lambda: time.sleep(1e-4))
    return cell


def test_a_background_loop_tracks_its_target():
    with BackgroundLoop(paced(), Shoulder()) as loop:
        loop.reset(rng())
        state = loop.run(reach(0.5), 1000)
        np.testing.assert_allclose(state.robot.joint_position, [0.5, BENT[1]], atol=1e-3)


def test_a_background_loop_goes_on_while_the_policy_thinks():
    controller = Shoulder()
    with BackgroundLoop(paced(), controller, patience=60.0) as loop:
        loop.reset(rng())
        before = loop.run(reach(0.5), 10)
        seen = controller.updates
        while controller.updates < seen + 500:
            time.sleep(1e-3)
        after = loop.run(reach(0.5), 1)
    assert after.time > before.time + 500 * 2e-3
    assert after.robot.joint_position[0] == pytest.approx(0.5, abs=0.02)


class Pause(Controller):
    """Turns the shoulder to its target, and holds where it is when the target goes away."""

    def __init__(self) -> None:
        self.without_target = threading.Event()
        self._goal = BENT

    @override
    def reset(self, state: CellState) -> None:
        self._goal = state.robot.joint_position
        self.without_target.clear()

    @override
    def update(self, state: CellState, target: Target, dt: float) -> RobotCommand:
        if "left" in target.tools:
            self._goal = np.array([target.tools["left"].pose_world_tool.position[0], BENT[1]])
            self.without_target.clear()
        elif not self.without_target.is_set():
            self._goal = state.robot.joint_position.copy()
            self.without_target.set()
        return hold(self._goal)


def test_a_background_loop_lets_go_of_a_target_when_its_policy_hangs(caplog):
    controller, ticks = Pause(), []
    with BackgroundLoop(paced(), controller, [ticks.append], patience=0.1) as loop:
        loop.reset(rng())
        asked = 20
        loop.run(reach(0.5), asked)
        assert controller.without_target.wait(10.0)
        # Whoever thinks no longer than that has its target tracked all along.
        tracked = sum("left" in tick.target.tools for tick in ticks)
        assert tracked == asked + round(0.1 / loop.cell.clock.dt)
        assert [r.levelname for r in caplog.records if "holds its posture" in r.message] == [
            "WARNING"
        ]
        state = loop.run(reach(0.4), 1000)
        np.testing.assert_allclose(state.robot.joint_position[0], 0.4, atol=1e-3)


@pytest.mark.parametrize("patience", [-0.1, np.inf, np.nan])
def test_patience_without_end_is_refused(patience):
    with pytest.raises(ValueError, match="patience: expected a finite number"):
        BackgroundLoop(paced(), Shoulder(), patience=patience)


def test_a_background_loop_keeps_hands_out_of_closed_zones():
    class Closed:
        """Zones that bend every target to none."""

        def check(self, state):
            self.checked = True

        def limit(self, target, state):
            return HOLD

    zones = Closed()
    with BackgroundLoop(paced(), Shoulder(), zones=zones) as loop:
        loop.reset(rng())
        state = loop.run(reach(0.5), 200)
    assert zones.checked
    np.testing.assert_allclose(state.robot.joint_position, BENT, atol=1e-3)


def test_a_background_loop_gives_every_target_its_ticks():
    tracked: list[Target] = []
    with BackgroundLoop(paced(), Shoulder(), [lambda tick: tracked.append(tick.target)]) as loop:
        loop.reset(rng())
        targets = [reach(0.1 * i) for i in range(4)]
        for target in targets:
            loop.run(target, 5)
    for target in targets:
        assert sum(seen is target for seen in tracked) >= 5


@pytest.fixture
def listening():
    """Let this process hear Ctrl-C: one that a script started in its background does not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listening")
def test_ctrl_c_while_somebody_waits_halts_the_robot_and_ends_the_loop():
    loop = BackgroundLoop(paced(), Shoulder(), patience=60.0)
    driver = loop.cell.driver
    with loop:
        loop.reset(rng())
        timer = threading.Timer(0.1, _thread.interrupt_main)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            loop.run(reach(0.5), 10_000)
        timer.join()
        assert driver.lifecycle is Lifecycle.FAULT
        with pytest.raises(RuntimeError, match="interrupted: nothing is ticking"):
            loop.run(HOLD, 1)
        resting = driver.read().joint_position
        driver.recover()
        driver.activate()
        state = loop.reset(rng())
        np.testing.assert_allclose(state.robot.joint_position, resting, atol=1e-3)
        loop.run(HOLD, 5)


def test_a_loop_that_is_closed_leaves_nobody_waiting():
    loop = BackgroundLoop(paced(), Shoulder(), patience=60.0)
    loop.reset(rng())
    timer = threading.Timer(0.1, loop.close)
    timer.start()
    with pytest.raises(RuntimeError, match="closed while"):
        loop.run(reach(0.5), 10_000)
    timer.join()


def test_a_device_that_hangs_is_found_and_the_robot_halted(monkeypatch):
    monkeypatch.setattr(background, "_HANGS_TIME", 0.2)
    cell = paced()
    loop = BackgroundLoop(cell, Shoulder())
    loop.reset(rng())
    loop.run(HOLD, 2)
    answers = threading.Event()
    monkeypatch.setattr(cell.driver, "read", lambda: answers.wait(30.0))
    with pytest.raises(DeviceFault, match=r"has not ticked for 0\.2 s"):
        loop.run(HOLD, 10)
    assert cell.driver.lifecycle is Lifecycle.FAULT
    hanging = loop._thread
    loop.close()
    answers.set()
    hanging.join()


def test_a_background_loop_is_quiet_before_reset_and_after_close():
    loop = BackgroundLoop(paced(), Shoulder())
    with pytest.raises(RuntimeError, match="nothing is ticking"):
        loop.run(HOLD, 1)
    threads = threading.active_count()
    loop.reset(rng())
    assert threading.active_count() == threads + 1
    loop.close()
    loop.close()
    assert threading.active_count() == threads


def test_a_stop_in_the_background_is_raised_where_somebody_waits():
    cell = active_cell(
        sensors={"wrist_left": lambda time: WrenchReading(time, np.full(6, 200.0 * (time > 0.1)))}
    )
    with BackgroundLoop(cell, Shoulder()) as loop:
        loop.reset(rng())
        with pytest.raises(SafetyStop, match="'wrist_left': 346 N"):
            loop.run(reach(0.5), 1000)
        assert cell.driver.lifecycle is Lifecycle.FAULT
