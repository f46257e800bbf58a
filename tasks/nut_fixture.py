"""The simulated station of the nut insertion: fits, magnets, feeders, switches and its PLC."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from typing_extensions import override

from robot.sim.feeder import Feeder, ProximitySwitch
from robot.sim.fit import SplineFit
from robot.sim.fit_truth import FitTruth
from robot.sim.magnet import Magnet
from robot.sim.station import Answer, SimStation
from robot.sim.tactile import HeldShape
from robot.spatial import Pose
from robot.station import Signal
from tasks.nut_insertion import NutInsertion
from tasks.sim_scene import SimFixture, SimHands, dropped
from tasks.task import Layout

# Spare nuts wait here, out of sight and out of reach, in m.
_MAGAZINE = (0.0, 0.0, -2.0)
# A feeder presents a part only while the hand is at least this far away, in m.
_HAND_CLEAR = 0.04


class NutFixture(SimFixture):
    """What acts on nuts besides gravity and hands, and what the PLC knows of them."""

    def __init__(self, hands: SimHands, task: NutInsertion) -> None:
        """Set up both sides.

        Args:
            hands: The robot, in a world with the task's parts; its hands must be clear before a
                feeder moves, and their grip differs from cycle to cycle.
            task: The job.
        """
        world = self._world = hands.world
        self._hands = hands
        self._task = task
        self._layout: Layout | None = None
        shape = HeldShape(task.size.spline.nut_radius, task.size.spline.nut_length)
        self.held = {arm: dict.fromkeys(task.nuts(arm), shape) for arm in task.arms}
        spline = task.size.spline
        self._fits: dict[str, SplineFit] = {}
        self._magnets: dict[str, Magnet] = {}
        self._feeders: dict[str, Feeder] = {}
        self._switches: dict[str, ProximitySwitch] = {}
        for arm in task.arms:
            nuts, pin = task.nuts(arm), f"pin_{arm}"
            self._magnets[arm] = Magnet(pin, nuts, spline)
            self._fits[arm] = SplineFit(pin, nuts, spline, magnet=self._magnets[arm])
            # The magnet pulls first: the fit must know of every other force on a free nut.
            world.add_element(self._magnets[arm])
            world.add_element(self._fits[arm])
            self._feeders[arm] = Feeder(
                world, nuts, Pose.translation(_MAGAZINE), clear=self._hand_clear(arm)
            )
            self._switches[arm] = ProximitySwitch(
                world, self._pin_pose(pin), nuts, spline.nut_length
            )
        inputs: dict[str, Callable[[], Signal] | Answer] = {}
        for arm in task.arms:
            inputs[f"feeder_{arm}_ready"] = self._feeders[arm].ready
            inputs[f"seated_{arm}"] = self._switches[arm]
            inputs[f"tightened_{arm}"] = Answer("tighten", condition=self._switches[arm])
        self.station = SimStation(world, task.signals, inputs)

    def _hand_clear(self, arm: str) -> Callable[[], bool]:
        def clear() -> bool:
            if self._layout is None:
                return True
            nest = self._layout.pose_world_parts[f"nest_{arm}"].position
            tool = self._hands.pose_world_tool(arm).position
            return bool(((tool - nest) ** 2).sum() > _HAND_CLEAR**2)

        return clear

    def _pin_pose(self, pin: str) -> Callable[[], Pose]:
        def pose() -> Pose:
            assert self._layout is not None  # the switches are asked after the first layout
            return self._layout.pose_world_parts[pin]

        return pose

    @override
    def apply(self, layout: Layout) -> None:
        self._layout = layout
        p = layout.parameters
        steel = p["friction_steel"]
        # Bullet multiplies the factors of both bodies: nuts have 1, all else the coefficient.
        for arm in self._task.arms:
            for nut in self._task.nuts(arm):
                self._world.set_friction(nut, 1.0)
            self._world.set_friction(f"nest_{arm}", steel)
            self._world.set_friction(f"pin_{arm}", steel)
            self._fits[arm].configure(
                clearance=1e-3 * p["clearance_mm"],
                chamfer=1e-3 * p["chamfer_mm"],
                friction=steel,
            )
            self._fits[arm].reset()
            self._magnets[arm].configure(force_at_contact=p[f"magnet_force_{arm}_n"])
            self._magnets[arm].reset()
            self._switches[arm].reset()
            self._feeders[arm].reset(
                [layout.pose_world_parts[nut] for nut in self._task.nuts(arm)],
                wait=p[f"feeder_wait_{arm}_s"],
            )
            self._hands.set_grip(
                arm,
                force=self._task.demands.grip_force * p[f"grip_share_{arm}"],
                pad_friction=p["friction_pads"],
            )
        self.station.reset()

    @override
    def events(self) -> Mapping[str, float]:
        assert self._layout is not None  # asked only during an episode
        events = {"clearance_mm": self._layout.parameters["clearance_mm"]}
        for arm in self._task.arms:
            presented = self._task.nuts(arm)[: self._task.config.magazine - self._feeders[arm].left]
            events[f"lost_{arm}"] = float(dropped(self._world, presented, self._task.station.floor))
        return events

    def truth(self, arm: str) -> FitTruth:
        """Return how the nut that is closest to an arm's pin really meets it, for scoring alone.

        Args:
            arm: Which arm's.
        """
        pin = self._pin_pose(f"pin_{arm}")().position

        def distance(nut: str) -> float:
            away = self._world.pose_world_body(nut).position - pin
            return float(away @ away)

        return self._fits[arm].truth(min(self._task.nuts(arm), key=distance))
