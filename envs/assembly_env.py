"""One task and one control loop as a Gymnasium environment."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from typing_extensions import override

from envs.actions import ACTION_SIZE, ActionScale, decode_all, resting
from envs.felt import Felt
from envs.observations import Observation, entries, observe, space
from envs.teller import Teller
from robot.cell_state import CellState
from robot.driver import StopCategory, stop_after
from robot.errors import NOT_BEGUN, NoSolution, SafetyStop, stop_reason
from robot.loop import ControlLoop
from robot.sensor import CameraFrame
from robot.state import Target
from robot.station import Signal, StationOutputs, require_signals
from tasks.scene import Scene
from tasks.task import Layout, Outcome, Snapshot, Task

logger = logging.getLogger(__name__)

Action = NDArray[np.float32]

# How long the robot stands before a cycle starts, in s: a teleported robot comes to rest in 0.2 s.
SETTLE_TIME = 0.3
# How many layouts are drawn until an episode begins with one, if nobody asked for a certain one.
_DRAWS = 10


class AssemblyEnv(gym.Env[Observation, Action]):
    """Judges, rewards and observes one task while a control loop runs the cell.

    The environment neither knows nor asks whether the cell is simulated. One `step` is one
    policy period, i.e. a whole number of control periods.

    ### Action

    Nine numbers in [-1, 1] for each arm of the task, in the order of `Task.arms`: a step of the
    tool target along its own axes (3), a turn about them (3), the gripper opening, the stiffness
    with which the target is held, and a push along the tool's z axis. See `envs.actions.decode`.

    ### Observation

    | key                             | shape      | meaning                                       |
    | ------------------------------- | ---------- | --------------------------------------------- |
    | `joint_position`                | (n,)       | joints, rad                                   |
    | `joint_velocity`                | (n,)       | joints, rad/s                                 |
    | `<arm>_position_world_tool`     | (3,)       | tool, m                                       |
    | `<arm>_quaternion_world_tool`   | (4,)       | tool, (x, y, z, w), w not negative            |
    | `<arm>_position_world_target`   | (3,)       | tool target, m                                |
    | `<arm>_quaternion_world_target` | (4,)       | tool target, (x, y, z, w), w not negative     |
    | `<arm>_gripper_opening`         | (1,)       | distance between the pads, m                  |
    | `<arm>_wrench_tool`             | (6,)       | felt by the tool, mean of the period, N, N·m  |
    | `<arm>_tactile`                 | (2, 11, 9) | taxel pressure, kPa                           |
    | `<camera>_rgb`                  | (h, w, 3)  | picture, uint8; only with cameras switched on |
    | task keys                       |            | see `Task.observation`                        |

    ### End of an episode

    `terminated` on success or on a failure that cannot be undone, a robot that was halted among
    them; `truncated` on the time limit, never both. `info["outcome"]` holds the judgement,
    `info["is_success"]` its short form and `info["reward_terms"]` the terms.
    """

    # Not a class variable for mypy, because it is none in Gymnasium.
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(
        self,
        task: Task,
        scene: Scene,
        loop: ControlLoop,
        ticks_per_step: int = 20,
        scale: ActionScale | None = None,
        *,
        render: Callable[[], NDArray[np.uint8]] | None = None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """Join a task, its scene and a control loop.

        Args:
            task: What to do.
            scene: Where the parts are.
            loop: What moves the robot; the cell must be connected.
            ticks_per_step: Control periods in one policy period.
            scale: What an action of one means.
            render: Returns a picture of the cell, shape (height, width, 3); None if there is none.
            on_close: Called by `close()`.

        Raises:
            ConfigError: If the station lacks a signal the task needs.
        """
        require_signals(loop.cell.station, task.signals)
        self.task = task
        self.scene = scene
        self.loop = loop
        self.ticks_per_step = ticks_per_step
        self.scale = scale or ActionScale()
        self.metadata = {
            "render_modes": ["rgb_array"] if render else [],
            "render_fps": round(1.0 / self.dt),
        }
        self.layout: Layout | None = None
        self._render = render
        self._on_close = on_close
        self._entries = entries(task, loop.cell.model, loop.cell.sensors)
        # Gymnasium's type of a Dict space does not say what its values are.
        self.observation_space = space(task, self._entries)  # type: ignore[assignment]
        self.action_space = spaces.Box(-1.0, 1.0, (ACTION_SIZE * len(task.arms),), np.float32)
        self._target = Target(tools={})
        self._outcome: Outcome | None = None
        self._last: Snapshot | None = None
        # What was measured when the robot was last held, until it is moved.
        self._resting: CellState | None = None
        self._start = 0.0
        self._felt = Felt()
        self._teller = Teller(loop.cell.station)
        loop.add_listener(self._felt.feel)

    @property
    def dt(self) -> float:
        """The policy period, in s."""
        return self.ticks_per_step * self.loop.cell.clock.dt

    @property
    def elapsed(self) -> float:
        """Time since the episode began, on the cell's clock, in s."""
        return self.loop.cell.clock.time - self._start

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each array of the observation, by key."""
        assert isinstance(self.observation_space, spaces.Dict)  # __init__ has made it
        return {key: box.shape or () for key, box in self.observation_space.spaces.items()}

    @property
    def meanings(self) -> dict[str, str]:
        """What each array of the observation holds, with units and frame, by key."""
        found = {entry.key: entry.meaning for entry in self._entries}
        return found | {observed.key: observed.meaning for observed in self.task.observation}

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw a layout, bring it about and return the first observation.

        Args:
            seed: Seeds every random draw of this and the following episodes. Without one, a layout
                with which no episode begins is drawn again: nobody has asked for it.
            options: `{"layout": Layout}` replays a given layout instead of drawing one.

        Raises:
            EpisodeSetupError, SafetyStop, NoSolution: If the episode that was asked for cannot
                begin, or none of ten that were drawn.
            ValueError: If an option is unknown.
        """
        super().reset(seed=seed)
        unknown = set(options or {}) - {"layout"}
        if unknown:
            raise ValueError(f"options: unknown {sorted(unknown)}, known: ['layout']")
        layout = (options or {}).get("layout")
        for _ in range(_DRAWS - 1 if seed is None and layout is None else 0):
            try:
                return self._bring_about(None)
            except NOT_BEGUN as error:
                logger.warning("drawn again, since the episode did not begin: %s", error)
        return self._bring_about(layout)

    def _bring_about(self, layout: Layout | None) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode of a layout, or of one that is drawn."""
        # Of the last episode. Should this one not begin, nothing may go on from there; nor may the
        # station go on with what was asked of it, while the robot moves.
        self._outcome = self._last = self._resting = None
        if self._teller.asks:
            self._teller.withdraw()
        # What was drawn is known also if it cannot be brought about.
        self.layout = layout or self.task.sample_layout(self.np_random)
        self.layout = self.scene.apply(self.layout)
        if self.loop.zones is not None:
            self.loop.zones.reset(self.task.zones(self.layout))
        self.loop.reset(self.np_random)
        self._target = resting(self.task.pose_world_home, self.task.arms, self.scale)
        settle = round(SETTLE_TIME / self.loop.cell.clock.dt) - self.ticks_per_step
        self.loop.run(self._target, max(0, settle))
        self._rest()
        self._teller.forget()
        return self.begin()

    def begin(self) -> tuple[Observation, dict[str, Any]]:
        """Begin the work here and now, as it stands; `reset` does, too.

        For whoever holds the robot after a reset until a station lets it start.

        Raises:
            RuntimeError: If the environment was not reset.
        """
        if self._resting is None or self.layout is None:
            raise RuntimeError("AssemblyEnv.begin() before reset(), or after the robot was halted")
        self._start = self.loop.cell.clock.time
        self.scene.begin()
        self.scene.events()  # what happened before is not the work's
        self.task.begin(self.layout)
        snapshot = self._snapshot(self._resting)
        self._outcome = self.task.evaluate(snapshot)
        return self._observe(snapshot), {"outcome": self._outcome, "layout": self.layout}

    @override
    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Run one policy period.

        Args:
            action: Nine numbers in [-1, 1] for each arm. Shape (9 * len(arms),).

        Raises:
            RuntimeError: If the environment was not reset, or an error has ended it since.
            ValueError: If the action has another shape or is not finite.

        Any other error has halted the robot and taken every output back.
        """
        if self._outcome is None or self._last is None:
            raise RuntimeError(
                "AssemblyEnv.step() before reset(), or after the robot was halted: reset() first"
            )
        numbers = np.asarray(action, dtype=np.float32)
        if numbers.shape != self.action_space.shape:
            raise ValueError(
                f"action: expected shape {self.action_space.shape}, got {numbers.shape}"
            )
        self._target = decode_all(numbers, self.task.arms, self._target, self.scale)
        self._felt.forget()
        self._resting = None
        before, snapshot = self._outcome, self._last
        try:
            snapshot = self._snapshot(self.loop.run(self._target, self.ticks_per_step))
            after = self._outcome = self.task.evaluate(snapshot)
            self._teller.tell(self._teller.outputs, self._requests())
        except (SafetyStop, NoSolution) as error:
            # The end of the episode, as of any other failure. There is nothing newer to observe.
            self.halt()
            after = dataclasses.replace(before, success=False, failure=stop_reason(error))
        except BaseException as error:
            self.abandon(error)
            raise
        terms = dict(self.task.reward(before, after, np.asarray(numbers, dtype=np.float64)))
        terminated = after.success or after.failure is not None
        truncated = not terminated and self.elapsed >= self.task.time_limit
        info = {"outcome": after, "reward_terms": terms, "is_success": after.success}
        return self._observe(snapshot), float(sum(terms.values())), terminated, truncated, info

    @override
    def render(self) -> NDArray[np.uint8] | None:
        """Return a picture of the whole cell if the render mode is `rgb_array`, else None."""
        if self._render is None or self.render_mode is None:
            return None
        return self._render()

    @override
    def close(self) -> None:
        """End what the environment was built on; it can be closed twice."""
        self._on_close()
        super().close()

    def hold(self) -> None:
        """Let one policy period pass without a policy: the tools stay at their last targets."""
        try:
            self._rest()
        except BaseException as error:
            self.abandon(error)
            raise

    def _rest(self) -> None:
        # What the wrists felt before, in the last episode or while the robot came to rest, is past.
        self._felt.forget()
        self._resting = self.loop.run(self._target, self.ticks_per_step)

    def halt(self) -> None:
        """Halt the robot and take its requests back: what they were made of is no longer so.

        No step is taken until the next reset.
        """
        self._outcome = self._last = self._resting = None
        self.loop.cell.driver.stop(StopCategory.HOLD)
        self._teller.withdraw()

    def abandon(self, error: BaseException) -> None:
        """Halt the robot and take every output back, because of an error on its way up.

        Args:
            error: What happened. It stays the one that is told: should the robot or the station
                fail now, too, that is noted on it.
        """
        self._outcome = self._last = self._resting = None
        stop_after(error, self.loop.cell.driver)
        try:
            self.tell(StationOutputs())
        except Exception as second:
            error.add_note(f"The station could not be told of it: {second!r}")

    def tell(self, outputs: StationOutputs) -> None:
        """Tell the station where the cycle stands.

        The task's own requests go along with it, but not before a cycle nor after it: nobody would
        take them back.

        Args:
            outputs: What is to be told from now on.
        """
        self._teller.tell(outputs, self._requests())

    def _requests(self) -> Mapping[str, Signal]:
        """Return what the task asks of the station as its work stands; nothing outside of it."""
        if self._last is None or self.layout is None:
            return {}
        return self.task.requests(self._last, self.layout)

    def _snapshot(self, state: CellState) -> Snapshot:
        cell = self.loop.cell
        robot = state.robot
        configuration = cell.model.measured(robot)
        felt = self._felt.means(state.readings, state.time)
        self._last = Snapshot(
            cell=CellState(robot, felt, state.station),
            pose_world_tools={
                arm: configuration.pose_world(cell.model.tool_frames[arm]) for arm in self.task.arms
            },
            pose_world_parts=self.scene.pose_world_parts(),
            events=self.scene.events(),
            pose_world_cameras={
                name: configuration.pose_world(reading.link) @ reading.pose_link_camera
                for name, reading in state.readings.items()
                if isinstance(reading, CameraFrame) and reading.link
            },
        )
        return self._last

    def _observe(self, snapshot: Snapshot) -> Observation:
        assert self.layout is not None  # reset() has set it before any snapshot is taken
        targets = {arm: tool.pose_world_tool for arm, tool in self._target.tools.items()}
        return observe(self.task, self._entries, snapshot, self.layout, targets)
