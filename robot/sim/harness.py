"""A stiff cable from a fixed clip to a plug: how it pulls, how it hangs, and when it is harmed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from typing_extensions import override

from robot.arrays import Array
from robot.errors import ConfigError, EpisodeSetupError
from robot.sim import harness_contact as contact
from robot.sim import harness_kernel as kernel
from robot.sim import harness_rod as rod
from robot.sim.force_element import ForceElement
from robot.sim.harness_config import HarnessConfig, HarnessHarm, fill_parameters
from robot.sim.harness_shape import first_guess
from robot.sim.world import World
from robot.spatial import Pose

Obstacle = tuple[Pose, tuple[float, float, float]]

# Contacts with obstacles at most.
_PAIRS = 256
# How often, in steps, a plug that is still is looked at.
_LOOK = 4
# A plug that has moved this much more than one that is quiet wakes the rod.
_WAKE = 2.0
# Distance of its ends, in lengths, to which a cable can be laid: stretched by some 100 N.
_REACH = 1.02
# Longest time of relaxing, in s.
_RELAX_TIME = 6.0
# Squared speed of a node beyond which the rod has blown up, in (m/s)^2.
_RUNAWAY = 1e6


class Harness(ForceElement):
    """A discrete elastic rod between a clip on the station and a body that is free to move.

    After `reset` it hangs at rest; how is worked out when it is first needed, so that the plug may
    be put somewhere after the reset. While plug and rod are still the rod is left alone and its
    last wrench goes on acting; it wakes when the plug moves by a tenth of a millimetre. Only what
    `set_obstacles` names, which does not move, is in its way. The plug's mass is read when it is
    laid.

    Attributes:
        config: What it is made of.
        body: Name of the plug.
    """

    config: HarnessConfig
    body: str

    def __init__(
        self,
        world: World,
        body: str,
        pose_world_clip: Pose,
        pose_body_cable: Pose,
        config: HarnessConfig | None = None,
    ) -> None:
        """Hang a harness between a clip and a body; add it to the world with `add_element`.

        Args:
            world: Where the body is.
            body: Name of the plug, added by shape.
            pose_world_clip: Where the cable leaves the clip; z is the outward tangent.
            pose_body_cable: Where the cable leaves the plug, in its frame; z likewise. The x axes
                of both only say from where twist is counted.
            config: What it is made of.

        Raises:
            UnknownName: If the world has no such body.
            ConfigError: If the substeps cannot follow so stiff a cable.
        """
        self._world, self._client = world, world.client
        self._frame = world.client.WORLD_FRAME
        self._pose_world_clip, self._pose_body_cable = pose_world_clip, pose_body_cable
        self._boxes = np.zeros((0, contact.BOX))
        self._pairs = np.zeros((_PAIRS, 2), dtype=np.int64)
        self._memory = np.zeros(kernel.MEMORY)
        self._parameters = np.zeros(rod.PARAMETERS)
        self._parameters[rod.FLOOR] = -math.inf
        self._active, self._settled, self._stepped, self._frozen = True, False, False, False
        self.body, self._body = body, world.body(body)
        self.configure(config or HarnessConfig())
        self._warm_up()

    def configure(self, config: HarnessConfig, pose_world_clip: Pose | None = None) -> None:
        """Replace the cable, and move the clip if asked to; resets.

        Raises:
            ConfigError: If the substeps cannot follow so stiff a cable.
        """
        config.require_stable(self._world.physics_dt)
        self.config = config
        if pose_world_clip is not None:
            self._pose_world_clip = pose_world_clip
        self._rod = np.zeros((config.segments + 2, rod.COLUMNS))
        self.reset()

    def attach(self, body: str, pose_body_cable: Pose | None = None) -> None:
        """Hang the cable on another body; resets.

        Args:
            body: Name of the plug, added by shape.
            pose_body_cable: Where the cable leaves it, in its frame; as before if omitted.

        Raises:
            UnknownName: If the world has no such body.
        """
        self.body, self._body = body, self._world.body(body)
        if pose_body_cable is not None:
            self._pose_body_cable = pose_body_cable
        self.reset()

    def set_obstacles(self, boxes: Sequence[Obstacle], floor: float | None = None) -> None:
        """Replace what is in the cable's way; wakes it, `reset` lays it anew.

        Args:
            boxes: Pose in the world of the centre, and half of each edge, in m.
            floor: Height of a horizontal plane nothing is below, in m.

        Raises:
            ConfigError: If half of an edge is not positive.
        """
        rows = np.zeros((len(boxes), contact.BOX))
        for row, (pose, half) in zip(rows, boxes, strict=True):
            if min(half) <= 0.0:
                raise ConfigError(f"obstacle half_extents: expected more than 0 m, got {half}")
            rotation = pose.rotation
            row[:3], row[3:12], row[12:15] = pose.position, rotation.ravel(), half
            row[15:18] = np.abs(rotation) @ np.array(half)
        self._boxes = rows
        self._parameters[rod.FLOOR] = -math.inf if floor is None else floor
        # Lay it anew if it has not moved yet, else let it move on.
        self._settled = self._settled and self._stepped
        self._frozen = False
        self._memory[kernel.QUIET] = 0.0

    def set_active(self, active: bool) -> None:
        """Take the cable out of the world, at no cost, or put it back; putting it back resets.

        Args:
            active: Whether it pulls on its plug.
        """
        if active and not self._active:
            self.reset()
        self._active = active

    @property
    def active(self) -> bool:
        """Whether it pulls on its plug."""
        return self._active

    @property
    def frozen(self) -> bool:
        """Whether plug and rod are still, so that the rod is left alone."""
        return self._frozen

    @property
    def tug(self) -> tuple[float, float]:
        """Force on the plug out of it along the cable, and across, mean of a step, in N."""
        self._settle()
        return float(self._memory[kernel.ALONG]), float(self._memory[kernel.ACROSS])

    @property
    def bend_radius(self) -> float:
        """The smallest radius to which it is bent, averaged over a segment, in m."""
        self._settle()
        return 1.0 / max(float(self._memory[kernel.CURVATURE]), 1e-9)

    @property
    def twist(self) -> float:
        """Angle by which the plug's end is turned against the clip's about the cable, in rad."""
        self._settle()
        return float(self._memory[kernel.ANGLE])

    @property
    def harm(self) -> HarnessHarm:
        """What it suffered since it was reset."""
        bent, tugged = self._memory[kernel.HARM : kernel.HARM + 8].reshape(2, 4)
        return HarnessHarm(int(bent[2]), int(tugged[2]), float(bent[3]), float(tugged[3]))

    def nodes(self) -> Array:
        """Return both ends and the middle of each segment, from the clip on, in the world, in m.

        Shape (segments + 2, 3).
        """
        self._settle()
        points = self._rod[:, :3].copy()
        # The outermost nodes lie inside clip and plug; the ends are half way.
        points[0] = 0.5 * (points[0] + points[1])
        points[-1] = 0.5 * (points[-1] + points[-2])
        return points

    def wrench(self) -> Array:
        """Return force and torque on the plug about its centre, mean of a step, world axes.

        In N and N·m. Shape (6,).
        """
        self._settle()
        return self._memory[kernel.LAST_WRENCH : kernel.LAST_WRENCH + 6].copy()

    def clip_wrench(self) -> Array:
        """Return force and torque of the cable on the clip about its origin, world axes.

        In N and N·m. Shape (6,).
        """
        self._settle()
        forces, arms = self._rod[:2, rod.F : rod.F + 3], self._rod[:2, :3]
        torque = np.cross(arms - self._pose_world_clip.position, forces).sum(axis=0)
        p = self._parameters
        torque += p[rod.TWIST] * self._memory[kernel.ANGLE] * p[rod.CLIP_TANGENT]
        return np.concatenate([forces.sum(axis=0), torque])

    @override
    def reset(self) -> None:
        self._settled = self._stepped = self._frozen = False
        self._look = 0
        self._memory[:] = 0.0
        self._force: tuple[float, ...] = (0.0, 0.0, 0.0)
        self._torque: tuple[float, ...] = (0.0, 0.0, 0.0)
        self._position: tuple[float, ...] = (0.0, 0.0, 0.0)
        self._settled_at: Any = None

    @override
    def apply(self, world: World) -> None:
        if not self._active:
            return
        client, body = self._client, self._body
        if not self._frozen or self._look <= 0:
            position, quaternion = client.getBasePositionAndOrientation(body)
            if not self._stepped:
                self._settle()
                self._stepped = True
            if not self._frozen or kernel.has_moved(position, quaternion, self._memory, _WAKE):
                self._advance(world, position, quaternion)
            self._position, self._look = position, _LOOK
        self._look -= 1
        client.applyExternalForce(body, -1, self._force, self._position, self._frame)
        client.applyExternalTorque(body, -1, self._torque, self._frame)

    @override
    def state(self) -> Array:
        # Nodes, memory, and whether and how long it has been left alone.
        self._settle()
        flags = [self._active, self._frozen, self._stepped, self._look]
        return np.concatenate(
            [self._rod.ravel(), self._memory, flags, self._force, self._torque, self._position]
        )

    def restore(self, state: Array) -> None:
        """Continue from what `state` returned, with the configuration of then.

        Args:
            state: Shape (15 segments + 82,).
        """
        self._set_parameters()
        size = self._rod.size
        self._rod[:] = state[:size].reshape(self._rod.shape)
        self._memory[:] = state[size : size + kernel.MEMORY]
        rest = state[size + kernel.MEMORY :].tolist()
        self._active, self._frozen, self._stepped = (value > 0.0 for value in rest[:3])
        self._look = int(rest[3])
        self._force, self._torque = tuple(rest[4:7]), tuple(rest[7:10])
        self._position = tuple(rest[10:13])
        self._settled = True

    def _advance(self, world: World, position: Any, quaternion: Any) -> None:
        """Make a step of the rod."""
        self._frozen = False
        linear, angular = self._client.getBaseVelocity(self._body)
        *wrench, fastest = kernel.advance(
            position, quaternion, linear, angular,
            self._rod, self._memory, self._parameters, self._boxes, self._pairs,
            world.physics_dt, self.config.substeps,
        )  # fmt: skip
        if fastest < 0.0:
            # The plug was put elsewhere: hang there at rest.
            self._settled = self._stepped = False
            self._settle()
            self._stepped = True
            return
        if not fastest < _RUNAWAY:
            raise RuntimeError(
                f"harness on '{self.body}' blew up at {world.time:.3f} s: the plug moves at "
                f"{math.hypot(*linear):.3g} m/s; more substeps or a lower axial_stiffness help, "
                "unless the plug itself was thrown"
            )
        self._force, self._torque = tuple(wrench[:3]), tuple(wrench[3:])
        if self._memory[kernel.QUIET] > kernel.QUIET_STEPS:
            self._frozen, self._look = True, 0

    def _settle(self) -> None:
        """Lay the rod at rest, unless it has been and the plug has not been put elsewhere since."""
        if self._stepped or not self._active:
            return
        pose = self._client.getBasePositionAndOrientation(self._body)
        if self._settled and pose == self._settled_at:
            return
        self._set_parameters()
        c, p, (position, quaternion) = self.config, self._parameters, pose
        gravity = p[rod.GRAVITY]
        down = gravity / max(float(np.linalg.norm(gravity)), 1e-9)
        pose_world_end = Pose(np.array(position), np.array(quaternion)) @ self._pose_body_cable
        start = self._pose_world_clip.position
        distance = float(np.linalg.norm(pose_world_end.position - start))
        if not distance < _REACH * c.length:
            raise EpisodeSetupError(
                f"harness on '{self.body}': its end is {distance:.2f} m from the clip, the cable "
                f"is {c.length:.2f} m long; put the plug within reach or use set_active(False)"
            )
        self._rod[:] = 0.0
        self._rod[1:-1, :3] = first_guess(
            c, self._pose_world_clip, pose_world_end, down, self._boxes, float(p[rod.FLOOR])
        )
        ahead = 0.5 * c.piece * p[rod.CLIP_TANGENT]
        self._rod[:2, :3] = start - ahead, start + ahead
        step = c.longest_substep
        most = int(_RELAX_TIME / step)
        *wrench, made = kernel.relax(
            position, quaternion, self._rod, self._memory, p, self._boxes, self._pairs,
            float(c.twist), step, most,
        )  # fmt: skip
        self._force, self._torque = tuple(wrench[:3]), tuple(wrench[3:])
        self._position, self._settled_at = position, pose
        self._settled, self._frozen, self._look = True, made < most, 0

    def _set_parameters(self) -> None:
        """Gather what the kernel needs: of the cable, the clip, the plug and the world."""
        info = self._client.getDynamicsInfo(self._body, -1)
        engine = self._client.getPhysicsEngineParameters()
        gravity = np.array([engine[f"gravityAcceleration{axis}"] for axis in "XYZ"])
        fill_parameters(
            self._parameters, self.config, self._pose_world_clip, self._pose_body_cable,
            info[0], info[2], gravity,
        )  # fmt: skip

    def _warm_up(self) -> None:
        """Compile the kernels, or load them from the cache, before time matters."""
        still, upright = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)
        nodes, memory = self._rod.copy(), self._memory.copy()
        work = (nodes, memory, self._parameters, self._boxes, self._pairs)
        kernel.relax(still, upright, *work, 0.0, 1e-6, 0)
        kernel.advance(still, upright, still, still, *work, self._world.physics_dt, 1)
        kernel.has_moved(still, upright, memory, _WAKE)
