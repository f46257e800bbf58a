"""The spline fit: how a nut and its pin touch, which Bullet's own contact does badly and slowly.

Points on each part are tested against the other's signed distance (`fit_distance`), with stiff
springs and friction bristles, in a backward Euler step (`fit_solver`), so that a 7 g nut on 1e5 N/m
per point is quiet at 1 kHz. Both directions are needed: a tilted nut wedges between its own mouth
and the pin's tip. Bullet's contact between nut and fixture is masked while this element speaks for
the pair, and given back when the nut is far away or lies on its side.

A nut between fingers. Bullet holds it by impulses that are found after this element's force was
fixed. Nut, fingers and hand then move as one body that answers this force with its whole mass, or,
when the nut slips, with the nut's alone. One prediction serves both only if the nut is heavy enough
for the contact's stiffness: k dt^2 of the order of m. So near the pin a held nut has the mass
`held_mass` (mass scaling, as in explicit finite elements; the extra weight is carried by a force),
and the points share `held_stiffness`. It moves at less than 0.1 m/s there and what the hand feels
of it is 0.5 N for each m/s^2; 30 N push a nut some 60 micrometres into the pin.

Away from the pin, Bullet's solver does not converge on a body this small between two pads at low
friction (the pads sink in and the nut spins). There its mass is true and its moment of inertia
`far_inertia`. A free nut near the pin has its own mass and moments; what the magnet makes too fast
for a step of 1 ms is followed in parts of it (`fit_flight`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from typing_extensions import override

from robot.arrays import Array
from robot.errors import UnknownName
from robot.sim import fit_distance as distance
from robot.sim import fit_flight as flight
from robot.sim import fit_kernel as kernel
from robot.sim import fit_solver as solver
from robot.sim.fit_points import contact_points
from robot.sim.fit_state import Mode, NutState, SplineFitConfig, is_still
from robot.sim.fit_truth import FitTruth, fit_truth
from robot.sim.force_element import ForceElement
from robot.sim.magnet import Magnet
from robot.sim.world import World
from robot.spatial import Pose
from robot.spline import Spline

# A nut faster than this does not occur: it falls less than 1.3 m. Far nuts are looked at again when
# one this fast could have come near, and at the latest after this many steps.
_FASTEST = 5.0
_LONGEST_SLEEP = 20
# Beyond touching distance, in m: room to mask the pair and change the mass before contact.
_MARGIN = 0.004
_HYSTERESIS = 0.002
# A nut tilted by more than 60 degrees has no business on the pin and is left to Bullet, unless its
# hull and the pin overlap by more than this, in m: Bullet would throw it out.
_COS_LYING = 0.5
_HULL_OVERLAP = 3e-4
# Still for so many steps, a free nut that touches is computed every few steps only: it is seated.
_CALM_STEPS = 20
_CALM_PERIOD = 8


class SplineFit(ForceElement):
    """Contact between one pin with its plate and any number of nuts that may come to it."""

    def __init__(
        self,
        pin: str,
        nuts: Sequence[str],
        spline: Spline,
        magnet: Magnet | None = None,
        config: SplineFitConfig | None = None,
    ) -> None:
        """Describe the pair; the bodies are looked up when the first step is made.

        Args:
            pin: Name of the fixture's body, whose frame is the pin frame. It must not move between
                resets.
            nuts: Names of the nuts' bodies.
            spline: Dimensions of both.
            magnet: What pulls the same nuts, so that its pull on a free one is known; add it to the
                world before the fit.
            config: How contact is computed.
        """
        self._pin = pin
        self._magnet = magnet
        self._spline = spline
        self._config = config or SplineFitConfig()
        self._parameters = np.zeros(distance.FOLD + 2 * spline.teeth)
        self._world: World | None = None
        self._pin_body = -1
        self._pin_position = np.zeros(3)
        self._pin_rotation = np.eye(3)
        self._middle: tuple[float, ...] = (0.0, 0.0, 0.0)
        self._gravity = np.zeros(3)
        self._reach = _MARGIN + 0.5 * (
            math.hypot(spline.nut_length, 2.0 * spline.nut_radius)
            + math.hypot(spline.pin_height, 2.0 * spline.tip_radius)
        )
        self.configure(clearance=1.5e-4, chamfer=7.5e-4, friction=0.2)
        if not nuts:
            raise ValueError("nuts: expected at least one name")
        on_bore, on_rim, on_pin = map(len, self._points)
        self._nuts = [NutState(name, on_bore + 2 * on_rim + on_pin) for name in nuts]

    def configure(self, *, clearance: float, chamfer: float, friction: float) -> None:
        """Set what varies from part to part; takes effect at once.

        Args:
            clearance: Radial, between pin and bore, also between flanks, in m.
            chamfer: Of pin and nut, at 45 degrees, in m.
            friction: Coulomb coefficient between nut and fixture.

        Raises:
            ValueError: If a value makes no fit.
        """
        if not 0.0 < clearance < self._spline.tooth_height:
            raise ValueError(
                f"clearance: expected 0 to {self._spline.tooth_height} m, got {clearance}"
            )
        if not 0.0 < chamfer < min(self._spline.root_radius, 0.5 * self._spline.pin_height):
            raise ValueError(f"chamfer: expected more than 0 and less than the pin, got {chamfer}")
        if friction < 0.0:
            raise ValueError(f"friction: expected at least 0, got {friction}")
        s, c = self._spline, self._config
        flank = ((s.tip_radius, s.tip_half_angle), (s.root_radius, s.root_half_angle))
        teeth = ((1.0, 2.0 * s.half_pitch * tooth) for tooth in range(s.teeth))
        self._parameters[:] = (
            *(s.teeth, s.root_radius, s.tip_radius),
            *(s.pin_height, s.nut_length, s.nut_radius, s.plate_half_width),
            *(clearance, chamfer, friction, c.stiffness, c.damping, c.shear),
            *(r * turn(a) for r, a in (*flank, *teeth) for turn in (math.cos, math.sin)),
        )
        nut, rim, pin = contact_points(s, clearance, chamfer)
        # A point of the rim may touch plate and pin at once. Compiled code does not look where it
        # writes.
        if len(nut) + 2 * len(rim) + len(pin) > solver.MOST:
            raise ValueError(f"teeth: expected fewer than {s.teeth}: their points are too many")
        self._points = (nut, rim, pin)

    @override
    def reset(self) -> None:
        for nut in self._nuts:
            if self._world is not None:
                self._set(nut, Mode.FAR)
            nut.forget()
            nut.sleep = 0
        if self._world is not None:
            self._find_pin(self._world)

    @override
    def apply(self, world: World) -> None:
        if self._world is not world:
            self._attach(world)
        client = world.client
        for nut in self._nuts:
            if nut.in_parts:
                nut.hand_over(client)
            if nut.sleep > 0:
                nut.sleep -= 1
                continue
            position, quaternion = client.getBasePositionAndOrientation(nut.body)
            gap = math.dist(position, self._middle) - self._reach
            if nut.mode == Mode.FAR:
                if gap > 0.0:
                    nut.sleep = min(_LONGEST_SLEEP, int(gap / (_FASTEST * world.physics_dt)))
                    continue
                nut.forget()
                self._near(world, nut, position, quaternion)
            elif gap > _HYSTERESIS:
                self._give_back(nut, Mode.FAR)
            else:
                self._near(world, nut, position, quaternion)

    @override
    def state(self) -> Array:
        parts = [self._parameters[distance.CLEARANCE : distance.FRICTION + 1]]
        for nut in self._nuts:
            counts = (nut.mode, nut.held, nut.sleep, nut.calm, nut.pressed, nut.in_parts)
            parts.append(np.array(counts, dtype=np.float64))
            parts += [*nut.arrays(), nut.bristles.ravel()]
        return np.concatenate(parts)

    def restore(self, state: Array) -> None:
        """Continue from what `state` returned, after the world's bodies were restored.

        Args:
            state: As returned by `state` of an element with the same nuts.
        """
        clearance, chamfer, friction = (float(value) for value in state[:3])
        self.configure(clearance=clearance, chamfer=chamfer, friction=friction)
        at = 3
        for nut in self._nuts:
            mode, held, *counts, in_parts = (int(value) for value in state[at : at + 6])
            nut.sleep, nut.calm, nut.pressed = counts
            nut.in_parts = bool(in_parts)
            self._set(nut, Mode(mode), bool(held))
            at += 6
            for target in (*nut.arrays(), nut.bristles.reshape(-1)):
                target[:] = state[at : at + target.size]
                at += target.size

    def truth(self, name: str) -> FitTruth:
        """Return how a nut sits, from its true pose and the last step's contact.

        Args:
            name: Of the nut's body.

        Raises:
            UnknownName: If this fit has no such nut.
        """
        nuts = {nut.name: nut for nut in self._nuts}
        if name not in nuts:
            raise UnknownName("nut", name, nuts)
        if self._world is None:
            raise RuntimeError("the fit has not made a step yet, so it knows no poses")
        pose_world_pin = Pose.from_rotation(self._pin_rotation, self._pin_position)
        pose_pin_nut = pose_world_pin.inverse() @ self._world.pose_world_body(name)
        clearance, chamfer = self._parameters[[distance.CLEARANCE, distance.CHAMFER]]
        return fit_truth(
            self._spline,
            self._spline.rest_depth(float(clearance), float(chamfer)),
            pose_pin_nut,
            points=float(nuts[name].report[solver.POINTS]),
            force=float(np.linalg.norm(nuts[name].memory[kernel.WRENCH][:3])),
            penetration=float(nuts[name].report[solver.PENETRATION]),
            held=nuts[name].held,
        )

    def _near(self, world: World, nut: NutState, position: Any, quaternion: Any) -> None:
        """Decide who computes the contact of a nut near the pin; compute it if it is this one."""
        client = world.client
        upright = abs(kernel.cosine_to_pin(quaternion, self._pin_rotation)) > _COS_LYING
        engaged = nut.mode == Mode.FIT and nut.report[solver.HULL_DEPTH] > _HULL_OVERLAP
        if not (upright or engaged):
            if nut.mode != Mode.LYING:
                self._give_back(nut, Mode.LYING)
            return
        linear, angular = client.getBaseVelocity(nut.body)
        if nut.calm >= _CALM_STEPS:
            nut.calm += 1
            if nut.calm % _CALM_PERIOD and is_still(linear, angular):
                self._push(nut, position)
                return
        self._set(nut, Mode.FIT, self._is_held(nut))
        known, p, dt = self._known_wrench(nut), self._parameters, world.physics_dt
        parts = 1
        if not nut.held:
            touched = nut.report[solver.POINTS] > 0.0
            parts = flight.parts_of_step(
                linear, angular, known, nut.inertia, nut.memory, self._pin_rotation, touched, p, dt
            )
        where = (position, quaternion, linear, angular, self._pin_position, self._pin_rotation)
        rest = (*self._points, nut.memory, nut.bristles, nut.report)
        if parts == 1:
            most = self._config.held_stiffness if nut.held else math.inf
            nut.push[:] = kernel.advance(*where, nut.inertia, known, nut.held, most, p, dt, *rest)
        else:
            nut.in_parts = True
            nut.push[:], nut.lacks[:] = flight.fly(*where, nut.inertia, known, p, dt, parts, *rest)
        if nut.held:
            nut.push[:3] -= (nut.inertia[0] - nut.true_inertia[0]) * self._gravity
        touching = nut.report[solver.POINTS] > 0.0
        nut.calm = nut.calm + 1 if touching and not nut.held and is_still(linear, angular) else 0
        if touching or nut.held or parts > 1:
            self._push(nut, position)

    def _push(self, nut: NutState, position: Any) -> None:
        """Hand the wrench of this step to Bullet."""
        assert self._world is not None  # Only asked during a step.
        client = self._world.client
        client.applyExternalForce(nut.body, -1, nut.push[:3], position, client.WORLD_FRAME)
        client.applyExternalTorque(nut.body, -1, nut.push[3:], client.WORLD_FRAME)

    def _known_wrench(self, nut: NutState) -> Array:
        """Return weight and magnetic pull of a nut, about its centre, world axes. Shape (6,)."""
        known = np.zeros(6) if self._magnet is None else self._magnet.applied(nut.name)
        known[:3] += nut.true_inertia[0] * self._gravity
        return known

    def _is_held(self, nut: NutState) -> bool:
        """Return whether anything but the fixture presses on a nut, fingers above all."""
        assert self._world is not None  # Only asked during a step.
        points = self._world.client.getContactPoints(nut.body)
        force = sum(point[9] for point in points if point[2] != self._pin_body)
        return nut.is_gripped(force, self._config.held_force)

    def _give_back(self, nut: NutState, mode: Mode) -> None:
        """Leave a nut to Bullet."""
        assert self._world is not None  # Only asked during a step.
        if nut.inertia == nut.true_inertia:
            # The moment grows: keep the angular momentum, since keeping the spin would add energy.
            linear, spin = self._world.client.getBaseVelocity(nut.body)
            share = nut.inertia[1] / self._config.far_inertia
            slow = [share * value for value in spin]
            self._world.client.resetBaseVelocity(nut.body, linear, slow)
        self._set(nut, mode)
        nut.forget()

    def _set(self, nut: NutState, mode: Mode, held: bool = False) -> None:
        """Give the contact to this element or to Bullet, and the nut the mass that goes with it."""
        assert self._world is not None  # Only asked for once the bodies are known.
        client, c = self._world.client, self._config
        if (mode == Mode.FIT) != (nut.mode == Mode.FIT):
            enabled = int(mode != Mode.FIT)
            client.setCollisionFilterPair(nut.body, self._pin_body, -1, -1, enabled)
        nut.mode, nut.held = mode, held
        if held:
            inertia = (c.held_mass, c.held_inertia, c.held_inertia)
        elif mode == Mode.FIT:
            inertia = nut.true_inertia
        else:
            inertia = (nut.true_inertia[0], c.far_inertia, c.far_inertia)
        nut.give_inertia(client, inertia)

    def _attach(self, world: World) -> None:
        """Look the bodies up, once they exist."""
        self._world = world
        self._pin_body = world.body(self._pin)
        self._find_pin(world)
        for nut in self._nuts:
            nut.body = world.body(nut.name)
            nut.look_at(world.client)
            self._set(nut, Mode.FAR)
        self._warm_up(world)

    def _warm_up(self, world: World) -> None:
        """Compile the kernel, or load it from the cache, before time matters; changes nothing."""
        nut, client = self._nuts[0], world.client
        position, quaternion = client.getBasePositionAndOrientation(nut.body)
        linear, angular = client.getBaseVelocity(nut.body)
        where = (position, quaternion, linear, angular, self._pin_position, self._pin_rotation)
        inertia, known, p, dt = (1.0, 1.0, 1.0), np.zeros(6), self._parameters, world.physics_dt
        rest = (*self._points, nut.memory.copy(), nut.bristles.copy(), nut.report.copy())
        kernel.cosine_to_pin(quaternion, self._pin_rotation)
        kernel.advance(*where, inertia, known, False, math.inf, p, dt, *rest)
        flight.parts_of_step(linear, angular, known, inertia, nut.memory, where[-1], True, p, dt)
        flight.fly(*where, inertia, known, p, dt, 2, *rest)

    def _find_pin(self, world: World) -> None:
        """Read where the pin is, and gravity."""
        pose_world_pin = world.pose_world_body(self._pin)
        self._pin_position = np.array(pose_world_pin.position)
        self._pin_rotation = np.array(pose_world_pin.rotation)
        middle = pose_world_pin.transform((0.0, 0.0, 0.5 * self._spline.pin_height))
        self._middle = tuple(middle.tolist())
        parameters = world.client.getPhysicsEngineParameters()
        self._gravity = np.array(
            [parameters[f"gravityAcceleration{axis}"] for axis in ("X", "Y", "Z")]
        )
