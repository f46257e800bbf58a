"""One cycle: the handshake with the station around one episode, and what is written down of it."""

from __future__ import annotations

import time as system_time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from envs.assembly_env import SETTLE_TIME, AssemblyEnv
from envs.residual_env import CONFIRM_TIME
from policies.policy import Observation, Policy
from robot.errors import (
    NOT_BEGUN,
    EpisodeSetupError,
    NoSolution,
    SafetyStop,
    StationTimeout,
    stop_reason,
)
from robot.sim.stopwatch import Stopwatch
from robot.state import Lifecycle
from robot.station import StationInputs, StationOutputs
from tasks.task import Outcome
from workcell.briefing import brief_of
from workcell.records import CycleRecord, SideRecord
from workcell.traces import ForceWatch

# How long the station may take to answer a handshake, in s.
_ANSWER_TIME = 5.0
# What ends a cycle as a failure, and leaves the cell fit for the next one.
_Ending = EpisodeSetupError | SafetyStop | NoSolution


class CycleRunner:
    """Runs cycles one after the other on one cell, and keeps the books."""

    def __init__(
        self,
        env: AssemblyEnv,
        policy: Policy,
        *,
        robot: str,
        level: str,
        force_watch: ForceWatch,
        request_start: Callable[[bool], None] = lambda wanted: None,
        counters: Callable[[], Mapping[str, int]] = dict,
        on_step: Callable[[], None] = lambda: None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """Join what a cycle needs.

        Args:
            env: The task on its cell.
            policy: Who acts.
            robot: Name of the robot, for the record.
            level: Name of the level of variation, for the record.
            force_watch: Listens on the control loop.
            request_start: Sets or clears the station's `start`; a real PLC does so by itself.
            counters: Returns guard stops, clamps and unsolved ticks of this cycle.
            on_step: Called after every policy step, e.g. to film it.
            on_close: Called at the end, to close what was opened.
        """
        self.env = env
        self._policy = policy
        self._robot = robot
        self._level = level
        self._force = force_watch
        self._request_start = request_start
        self._counters = counters
        self._on_step = on_step
        self._on_close = on_close
        # Whether the policy has been briefed for this cycle: before, what it reports is the past.
        self._briefed = False

    def close(self) -> None:
        """Bring the robot to rest and close the cell."""
        loop = self.env.loop
        driver = loop.cell.driver
        try:
            # Before the servos go off: nobody commands them any more.
            loop.close()
            # A run that is broken off between two cycles leaves the servos on.
            if driver.lifecycle is Lifecycle.ACTIVE:
                driver.deactivate()
        finally:
            self._on_close()

    def time_parts(self, watch: Stopwatch) -> None:
        """Let a stopwatch time what a cycle would take without the books.

        Args:
            watch: Counts the environment as `environment`, the policy as `policy`.
        """
        for part, name, methods in (
            (self.env, "environment", ("reset", "step", "hold")),
            (self._policy, "policy", ("reset", "act")),
        ):
            for method in methods:
                setattr(part, method, watch.timed(name, getattr(part, method)))

    def run(self, seed: int) -> CycleRecord:
        """Run one cycle from `ready` to `ready`.

        One that cannot be set up, or is stopped before it begins, has failed like any other: were
        it left out, or an end to the whole run, a rate would count the easy draws alone.

        Args:
            seed: Of the episode; the same seed is the same cycle.

        Raises:
            WorkcellError: If the cell itself broke, or was halted and nobody has recovered it.

        Whatever is raised, `KeyboardInterrupt` too: the robot has been halted and the station's
        outputs are off.
        """
        began = system_time.perf_counter(), system_time.process_time()
        try:
            return self._run(seed, began)
        except BaseException as error:
            # Whatever went wrong, the robot rests.
            self.env.abandon(error)
            raise

    def _run(self, seed: int, began: tuple[float, float]) -> CycleRecord:
        env, cell = self.env, self.env.loop.cell
        driver, self._briefed = cell.driver, False
        halted = driver.lifecycle is not Lifecycle.ACTIVE
        epoch = driver.epoch
        self._force.reset()
        try:
            observation, outcome = self._prepare(seed)
        except NOT_BEGUN as error:
            if isinstance(error, SafetyStop) and halted and driver.epoch == epoch:
                # Halted before, and nobody has recovered it since: that says nothing of this draw.
                raise
            return self._not_begun(seed, error, began)
        failure: str | None = None
        start = cell.clock.time
        env.tell(StationOutputs(busy=True))
        finished_at: float | None = None
        try:
            while True:
                observation, _, terminated, truncated, info = env.step(
                    self._policy.act(observation)
                )
                outcome = info["outcome"]
                self._on_step()
                if terminated:
                    failure = outcome.failure
                    break
                if truncated:
                    failure = "time_out"
                    break
                if self._at_end():
                    outcome = env.task.score(outcome, self._verdicts())
                    if outcome.success or outcome.failure is not None:
                        failure = outcome.failure
                        break
                    finished_at = finished_at or cell.clock.time
                    if cell.clock.time - finished_at > CONFIRM_TIME:
                        failure = "gave_up" if self._gave_up() else "unfinished"
                        break
            outcome = env.task.score(outcome, self._verdicts())
            success = outcome.success and failure is None
            disagree = self._disagreements(outcome)
            if success:
                success, failure = self._hand_over()
        except (SafetyStop, NoSolution) as error:
            env.halt()
            success, disagree, failure = False, [], _reason(error)
        done = cell.clock.time
        env.tell(StationOutputs(done=True, passed=success))
        self._request_start(False)
        return self._record(
            seed, success, failure, outcome, done - start, disagree,
            wall_s=system_time.perf_counter() - began[0],
            core_s=system_time.process_time() - began[1],
            sim_s=env.elapsed + SETTLE_TIME,
        )  # fmt: skip

    def _prepare(self, seed: int) -> tuple[Observation, Outcome]:
        """Set the episode up and wait for `start`; return what is seen then, and judged."""
        env = self.env
        env.reset(seed=seed)
        self._force.reset()
        self._policy.reset(brief_of(env, seed))
        self._briefed = True
        env.tell(StationOutputs(ready=True))
        self._request_start(True)
        self._wait(lambda inputs: inputs.start and inputs.safe, "start")
        past = env.task.past_signals
        self._wait(
            lambda inputs: not any(inputs.signals[name] for name in past),
            f"end of {' and '.join(past)} of the last cycle",
        )
        # It may have waited for long: nothing that was seen or judged before counts.
        observation, info = env.begin()
        outcome: Outcome = info["outcome"]
        return observation, outcome

    def _not_begun(self, seed: int, error: _Ending, began: tuple[float, float]) -> CycleRecord:
        """Return the record of a cycle that ended before `start`."""
        env = self.env
        # Halted already after a safety stop; otherwise nothing else would do it.
        env.halt()
        env.tell(StationOutputs())
        self._request_start(False)
        # No piece of work was judged: there is no first look at the parts.
        nothing = Outcome(success=False, failure=None, progress=0.0, measures={})
        return self._record(
            seed, False, _reason(error), nothing, 0.0, [],
            wall_s=system_time.perf_counter() - began[0],
            core_s=system_time.process_time() - began[1],
            sim_s=env.elapsed + SETTLE_TIME if self._briefed else 0.0,
        )  # fmt: skip

    def _wait(self, ready: Callable[[StationInputs], bool], what: str) -> float:
        """Hold the robot still until the station answers; return how long it took, in s.

        Raises:
            StationTimeout: If it does not.
        """
        cell = self.env.loop.cell
        began = cell.clock.time
        while not ready(cell.station.read()):
            if cell.clock.time - began > _ANSWER_TIME:
                raise StationTimeout(
                    f"station: no '{what}' within {_ANSWER_TIME} s; inputs {cell.station.read()}"
                )
            self.env.hold()
            self._on_step()
        return cell.clock.time - began

    def _hand_over(self) -> tuple[bool, str | None]:
        """Let the station do what it does once the job is done: request, answer."""
        handover = self.env.task.handover
        if handover is None:
            return True, None
        names = ", ".join(handover.answers)
        try:
            # An answer that is there before it was asked for is to an earlier cycle.
            self._wait(
                lambda inputs: not any(inputs.signals[name] for name in handover.answers),
                f"end of an earlier {names}",
            )
            self.env.tell(StationOutputs(busy=True, signals={handover.request: True}))
            self._wait(lambda inputs: all(inputs.signals[name] for name in handover.answers), names)
        except StationTimeout:
            return False, handover.failure
        return True, None

    def _report(self) -> Mapping[str, Any]:
        """Return what the policy has to say about this cycle."""
        return self._policy.report() if self._briefed else {}

    def _at_end(self) -> bool:
        report = self._report()
        return bool(report) and all(report[arm]["finished"] for arm in self.env.task.arms)

    def _gave_up(self) -> bool:
        report = self._report()
        return any(report[arm]["gave_up"] for arm in self.env.task.arms)

    def _verdicts(self) -> dict[str, str]:
        """Return what the policy says it has found, by what it looked at."""
        found = self._findings()
        return {name: str(finding["verdict"]) for name, finding in found.items()}

    def _findings(self) -> dict[str, Mapping[str, Any]]:
        report = self._report()
        told = (report.get(arm, {}).get("findings", {}) for arm in self.env.task.arms)
        return {name: finding for findings in told for name, finding in findings.items()}

    def _disagreements(self, outcome: Outcome) -> list[str]:
        """Return the process signals that say something else than the truth at the end."""
        signals = self.env.loop.cell.station.read().signals
        return [
            name
            for name, value in signals.items()
            if name in outcome.measures and bool(value) != bool(outcome.measures[name])
        ]

    def _record(
        self,
        seed: int,
        success: bool,
        failure: str | None,
        outcome: Outcome,
        duration: float,
        disagree: list[str],
        *,
        wall_s: float,
        core_s: float,
        sim_s: float,
    ) -> CycleRecord:
        report = self._report()
        sides = {}
        for arm in self.env.task.arms:
            told = report.get(arm, {})
            sides[arm] = SideRecord(
                retries=dict(told.get("retries", {})),
                reasons=list(told.get("reasons", [])),
                phase_times_s=dict(told.get("phase_times_s", {})),
                ended_in=str(told.get("phase", "")),
            )
        # Before the cell was reset they are those of the cycle before.
        stopped = int((failure or "").startswith(("guard_stop:", "fell:")))
        counters = self._counters() if self._briefed else {"guard_stops": stopped}
        forces = self._force.records()
        assert self.env.layout is not None  # a record is written after a draw
        return CycleRecord(
            seed=seed,
            task=self.env.task.name,
            robot=self._robot,
            level=self._level,
            success=success,
            first_attempt=success and not any(side.retries for side in sides.values()),
            failure=failure,
            cycle_time_s=round(duration, 4),
            sides=sides,
            operations=outcome.operations,
            findings=self._findings(),
            disagreements=disagree,
            max_force_n=max((force.peak_n for force in forces.values()), default=0.0),
            time_above_limit_s=max((f.longest_above_s for f in forces.values()), default=0.0),
            force_limit_n=self._force.limit,
            forces=forces,
            fell=(failure or "").partition(":")[0] == "fell",
            guard_stops=counters.get("guard_stops", 0),
            guard_clamps=counters.get("guard_clamps", 0),
            unsolved_ticks=counters.get("unsolved_ticks", 0),
            layout=self.env.layout.as_json(),
            measures={k: float(np.round(v, 6)) for k, v in outcome.measures.items()},
            wall_s=wall_s,
            core_s=core_s,
            sim_s=sim_s,
            time_limit_s=self.env.task.time_limit,
            trace=self._force.trace() if forces else None,
        )


def _reason(error: _Ending) -> str:
    """Return why a cycle failed, for its record."""
    return stop_reason(error) if isinstance(error, SafetyStop | NoSolution) else f"setup: {error}"
