"""A plug on a harness in an otherwise empty world, for tests of the harness."""

from __future__ import annotations

import numpy as np

from robot.geometry import Box
from robot.sim.harness import Harness
from robot.sim.harness_config import HarnessConfig
from robot.sim.world import World
from robot.spatial import Pose

# The cable leaves the clip along the world's x axis, 1 m above the floor.
CLIP = Pose.from_rotation_vector([0.0, 0.5 * np.pi, 0.0], [0.0, 0.0, 1.0])
# It leaves the plug back towards the clip, or downwards, below its centre.
BACK = Pose.from_rotation_vector([0.0, -0.5 * np.pi, 0.0])
DOWN = Pose.from_rotation_vector([0.0, np.pi, 0.0], [0.0, 0.0, -0.03])
# Where the plug is if nothing else is said, and where the cable back to the clip is taut.
HOME = Pose.translation([0.45, 0.0, 1.0])
TAUT = Pose.translation([0.802, 0.0, 1.0])
GRAVITY = 9.81


class Hanging:
    """One plug, one harness.

    Attributes:
        world: Steps of 1 ms, so that a tick is a physics step.
        harness: From `CLIP` to the plug.
    """

    def __init__(
        self,
        config: HarnessConfig | None = None,
        pose_world_plug: Pose | None = None,
        pose_plug_cable: Pose = DOWN,
        *,
        mass: float = 0.3,
        gravity: tuple[float, float, float] = (0.0, 0.0, -GRAVITY),
    ) -> None:
        self.world = World(dt=1e-3)
        self.world.client.setGravity(*gravity)
        self.world.add_body(
            "plug",
            [Box((5e-3, 5e-3, 5e-3))],
            mass=mass,
            inertia=np.full(3, 4e-4 * mass),
            pose_world_body=pose_world_plug or HOME,
            friction=0.5,
        )
        self.harness = Harness(self.world, "plug", CLIP, pose_plug_cable, config)
        self.world.add_element(self.harness)
        self._hand: tuple[float, Pose] | None = None
        self.world.add_actuator(self._push)

    def run(self, seconds: float) -> np.ndarray:
        """Return the wrench on the plug at each step. Shape (steps, 6)."""
        wrenches = []
        for _ in range(round(seconds / self.world.dt)):
            self.world.tick()
            wrenches.append(self.harness.wrench())
        return np.array(wrenches)

    def damp(self) -> None:
        """Let the plug lose its motion to the air, so that it comes to rest soon."""
        body = self.world.body("plug")
        self.world.client.changeDynamics(body, -1, linearDamping=0.99)
        self.world.client.changeDynamics(body, -1, angularDamping=0.99)

    def hold(self, pose_world_hand: Pose, stiffness: float = 3000.0) -> None:
        """Hold the plug like a hand: springs and dampers on position and orientation.

        Args:
            pose_world_hand: Where the hand wants it.
            stiffness: In N/m.
        """
        self._hand = (stiffness, pose_world_hand)

    def position(self) -> np.ndarray:
        return self.world.pose_world_body("plug").position

    def _push(self) -> None:
        if self._hand is None:
            return
        stiffness, goal = self._hand
        mass, _, inertia = self.world.client.getDynamicsInfo(self.world.body("plug"), -1)[:3]
        pose, twist = self.world.pose_world_body("plug"), self.world.twist_world_body("plug")
        force = stiffness * (goal.position - pose.position)
        force += [0.0, 0.0, GRAVITY * mass] - 1.4 * np.sqrt(stiffness * mass) * twist[:3]
        angular = 0.15 * inertia[0] / 1e-6  # An eighth of what one step of 1 ms could follow.
        turn = pose.rotation @ (pose.inverse() @ goal).rotation_vector()
        torque = angular * turn - 1.4 * np.sqrt(angular * inertia[0]) * twist[3:]
        self.world.add_wrench("plug", np.concatenate([force, torque]))
