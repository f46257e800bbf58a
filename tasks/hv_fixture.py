"""The simulated station of high-voltage plugging: sockets, harnesses, tester, what may sleep."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
from typing_extensions import override

from robot.arrays import Array
from robot.geometry import Box
from robot.mating import Engagement, Socket
from robot.sim.force_element import ForceElement
from robot.sim.harness import Harness
from robot.sim.harness_config import HarnessConfig
from robot.sim.harness_visual import HarnessVisual
from robot.sim.latch import MatingElement
from robot.sim.picture import View
from robot.sim.station import SimStation
from robot.sim.tactile import HeldShape
from robot.sim.world import World
from robot.spatial import Pose
from robot.station import Signal
from robot.zone_watch import HandScanner
from tasks.hv_contacts import HvInputs, PlugContacts
from tasks.hv_figures import PackFigures
from tasks.hv_judging import HARMS, UNDER_VOLTAGE
from tasks.hv_observation import RIB_LENGTH, RIB_RADIUS
from tasks.hv_packs import SLOTS
from tasks.hv_plugging import ALLOWED, REFUSED, HvPlugging
from tasks.hv_signals import REQUEST
from tasks.hv_station import BENCH, Assigned
from tasks.hv_tester import HvTester
from tasks.hv_variation import Fault
from tasks.parts.hv_shapes import ORANGE, SIGNAL
from tasks.sim_scene import SimFixture, SimHands
from tasks.task import Layout

# The tester looks once in so many physics steps.
_SCAN_STEPS = 5
# A plug in a socket sleeps while its harness is still and no hand is as near as this, in m. Nearer
# the boxes about hand and plug meet, and Bullet would wake it itself, a step without contacts.
_HAND_NEAR = 0.13
# A cable thinner than this is a signal cable, in m.
_THIN = 0.012
# What the tester notices of single plugs that harms what it tests.
_HARMFUL = ("short_dwell", "interlock_opened_under_voltage")
# The pull with which a judge asks how firmly a plug sits, in N.
_PULL = 15.0


class _Plugs(ForceElement):
    """The mating elements of the plugs in use; parked plugs cost nothing."""

    def __init__(self) -> None:
        self.used: tuple[MatingElement, ...] = ()

    @override
    def reset(self) -> None:
        for element in self.used:
            element.reset()

    @override
    def apply(self, world: World) -> None:
        for element in self.used:
            element.apply(world)

    @override
    def state(self) -> Array:
        return np.concatenate([np.zeros(0), *(element.state() for element in self.used)])


def _bend_limit(diameter: float) -> float:
    """Return the least bend radius of a cable: 60 mm, or four diameters of one that is thin."""
    return 4.0 * diameter if diameter < _THIN else max(0.06, 4.0 * diameter)


class HvFixture(SimFixture):
    """What acts on plugs besides gravity and hands, and what tester and judge know of them."""

    # From the left, between robot and pack: docks, headers, cables and both hands are in sight.
    view = View((1.00, 1.28, 1.70), (0.40, 0.0, 1.01), 0.88)

    def __init__(self, hands: SimHands, task: HvPlugging) -> None:
        """Set up every slot.

        Args:
            hands: The robot, in a world with the task's parts.
            task: The job.
        """
        self._world = hands.world
        self._hands = hands
        self._task = task
        self._layout: Layout | None = None
        self._assigned: Mapping[str, Assigned] = {}
        self._used: dict[str, MatingElement] = {}
        shape = HeldShape(RIB_RADIUS, RIB_LENGTH)
        self.held = {arm: dict.fromkeys(task.station.plugs, shape) for arm in task.arms}
        clips = task.station.pose_world_clip
        some = next(iter(task.config.connectors.values()))
        self._harnesses = {
            slot: Harness(self._world, task.station.plugs[0], clips[slot], some.pose_plug_cable)
            for slot in SLOTS
        }
        self._visuals = {
            slot: HarnessVisual(self._world, harness, ORANGE)
            for slot, harness in self._harnesses.items()
        }
        self._plugs = _Plugs()
        # A harness pulls first: the latch must know how hard.
        for harness in self._harnesses.values():
            harness.set_active(False)
            self._world.add_element(harness)
        self._world.add_element(self._plugs)
        self._tester = HvTester(SLOTS, task.config.tester)
        self._hand_scanner = HandScanner()
        self._steps = 0
        self._world.add_sampler(self._after_step)
        self.station = SimStation(self._world, task.signals, self._inputs())

    def _inputs(self) -> dict[str, Callable[[], Signal]]:
        """Return what each input of the station says."""
        return {**self._tester.inputs(), ALLOWED: self._unplug_wanted}

    def _unplug_wanted(self) -> bool:
        tester = self._tester
        ended = tester.report is not None or bool(self.station.outputs.signals.get(REFUSED, False))
        return tester.unplug_allowed and ended

    @override
    def apply(self, layout: Layout) -> None:
        self._layout = layout
        p = layout.parameters
        world, task = self._world, self._task
        self._assigned = task.assigned(layout)
        in_use = {assigned.plug for assigned in self._assigned.values()}
        for plug in task.station.plugs:
            # Bullet multiplies the factors of both bodies: plugs have 1, all else the coefficient.
            world.set_friction(plug, 1.0)
            world.set_asleep(plug, plug not in in_use)
        self._used = {
            slot: self._element(slot, assigned, layout) for slot, assigned in self._assigned.items()
        }
        self._plugs.used = tuple(self._used.values())
        self._plugs.reset()
        for slot, harness in self._harnesses.items():
            harness.set_active(slot in self._used)
            if slot in self._used:
                self._hang(slot, harness, p)
        for arm in task.arms:
            self._hands.set_grip(
                arm,
                force=task.demands.grip_force * p[f"grip_share_{arm}"],
                pad_friction=p["friction_pads"],
                # The walls of a plug's neck keep it from turning.
                pad_spinning=0.0,
            )
        # The scanner looks at what is there, not at what the robot believes.
        headers = {
            slot: layout.pose_world_parts[assigned.header]
            for slot, assigned in self._assigned.items()
        }
        self._hand_scanner.reset(task.station.zones(headers, task.station.pack(p)))
        self._tester.reset(world.time, self._assigned, PackFigures.from_parameters(p))
        self._steps = 0
        self.station.reset()
        self._scan(self._pose_world_tools())

    def _element(self, slot: str, assigned: Assigned, layout: Layout) -> MatingElement:
        """Return what holds a plug in its dock and in whichever header it comes into."""
        p = layout.parameters
        plug, harness = assigned.plug_kind, self._harnesses[slot]
        sockets = [self._socket(assigned, name, other, p) for name, other in self._assigned.items()]
        for socket in sockets:
            self._world.set_friction(socket.name, p["friction_plastic"])
        element = MatingElement(
            assigned.plug,
            plug.tip,
            sockets,
            cable_force=lambda: harness.wrench()[:3],
        )
        sockets.append(Socket(assigned.dock, plug.dock, plug.opening))
        start, engagement = self._start(assigned, p)
        element.configure(sockets, start=start, engagement=engagement)
        return element

    def _socket(
        self, assigned: Assigned, name: str, other: Assigned, p: Mapping[str, float]
    ) -> Socket:
        """Return what the header of slot `name` is to a plug."""
        plug = assigned.plug_kind
        return Socket(
            other.header,
            plug.mating,
            other.header_kind.opening,
            matches=plug.mates_with(other.header_kind),
            clicks=other.fault is not Fault.DEAD_LATCH,
            stop=1e-3 * p[f"debris_{name}_mm"] if other.fault is Fault.DEBRIS else None,
            scale=p[f"mating_scale_{name}"],
        )

    def _start(self, assigned: Assigned, p: Mapping[str, float]) -> tuple[str, Engagement]:
        """Return the socket that a plug starts in, and how far in."""
        return assigned.dock, Engagement.MATED

    def _hang(self, slot: str, harness: Harness, p: Mapping[str, float]) -> None:
        assigned = self._assigned[slot]
        self._visuals[slot].color = ORANGE if assigned.plug_kind.voltage == "hv" else SIGNAL
        harness.attach(assigned.plug, assigned.plug_kind.pose_plug_cable)
        harness.set_obstacles(self._in_the_way(p), floor=0.0)
        harness.configure(
            HarnessConfig(
                length=p[f"harness_length_{slot}_m"],
                outer_diameter=1e-3 * p[f"harness_diameter_{slot}_mm"],
                mass_per_length=p[f"harness_mass_{slot}_kg_m"],
                bending_stiffness=p[f"harness_bending_{slot}_nm2"],
                torsion_stiffness=0.7 * p[f"harness_bending_{slot}_nm2"],
                bend_radius_min=_bend_limit(1e-3 * p[f"harness_diameter_{slot}_mm"]),
                twist=math.radians(p[f"harness_twist_{slot}_deg"]),
            )
        )

    def _in_the_way(self, p: Mapping[str, float]) -> list[tuple[Pose, tuple[float, float, float]]]:
        """Return the boxes that cables lie on: bench and pack."""
        assert self._layout is not None  # asked only while an episode is set up
        station = self._task.station
        names = (BENCH, f"pack_{station.pack(p).name}")
        poses = self._layout.pose_world_parts
        return [
            (poses[part.name] @ shape.pose_body_shape, shape.half_extents)
            for part in station.parts
            if part.name in names
            for shape in part.shapes
            if isinstance(shape, Box) and shape.collides
        ]

    def _after_step(self) -> None:
        self._steps += 1
        if self._steps % _SCAN_STEPS == 0 and self._layout is not None:
            tools = self._pose_world_tools()
            self._scan(tools)
            self._let_sleep(tools)

    def _pose_world_tools(self) -> dict[str, Pose]:
        return {arm: self._hands.pose_world_tool(arm) for arm in self._task.arms}

    def _scan(self, tools: Mapping[str, Pose]) -> None:
        """Let the tester look at every contact and at the hands."""
        plugs = {}
        for slot, element in self._used.items():
            # A port that is not said to hold anything is empty.
            if element.socket != self._assigned[slot].header:
                continue
            truth = element.truth()
            plugs[slot] = PlugContacts(truth.latched, truth.locked, truth.interlock, truth.power)
        now = self._world.time
        self._tester.scan(
            now,
            HvInputs(
                pack_in_place=True,
                plugs=plugs,
                hands_clear=self._hand_scanner.clear(
                    tools, now, closed=not self._tester.unplug_allowed
                ),
                requested=bool(self.station.outputs.signals.get(REQUEST, False)),
            ),
        )

    def _let_sleep(self, tools: Mapping[str, Pose]) -> None:
        """Let plugs that nobody is near rest where they are, and wake them before a hand comes."""
        hands = [tool.position.tolist() for tool in tools.values()]
        for slot, element in self._used.items():
            rests = (
                self._harnesses[slot].frozen
                and element.socket is not None
                and all(math.dist(element.position, hand) >= _HAND_NEAR for hand in hands)
                and self._may_sleep(slot)
            )
            element.set_asleep(self._world, rests)

    def _may_sleep(self, slot: str) -> bool:
        """Return whether a plug lies so well that it stays where it is."""
        return True

    @override
    def events(self) -> Mapping[str, float]:
        tester = self._tester
        events = dict(tester.events())
        aborted = tester.report is not None and tester.report.aborted is not None
        events["tested"] = float(tester.report is not None and not aborted)
        events["test_aborted"] = float(aborted)
        events["test_passed"] = float(tester.report is not None and tester.report.passed)
        violations = Counter((v.kind, v.port) for v in tester.contacts.violations)
        for slot, element in self._used.items():
            truth, harm = element.truth(), self._harnesses[slot].harm
            counted = {
                "over_bent": harm.over_bent,
                "over_tugged": harm.over_tugged,
                "over_pushed": truth.over_force,
                "bent_pin": truth.pin_bent,
                "latch_broken": truth.latch_broken,
                "forced_lock": truth.lock_forced,
                "forced_wrong_key": truth.key_forced,
                **{kind: violations[kind, slot] for kind in _HARMFUL},
            }
            events |= {f"{name}_{slot}": float(counted[name]) for name in HARMS}
            events |= {
                f"latched_{slot}": float(truth.latched),
                f"lock_in_{slot}": float(truth.locked),
                f"interlock_{slot}": float(truth.interlock),
                f"pull_play_mm_{slot}": 1e3 * element.pull_play(_PULL),
                f"{UNDER_VOLTAGE}_{slot}": float(violations[UNDER_VOLTAGE, slot] > 0),
            }
            if slot in tester.contacts.dwells:
                events[f"dwell_s_{slot}"] = tester.contacts.dwells[slot]
        return events
