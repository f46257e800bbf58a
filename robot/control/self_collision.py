"""Parts of the robot that must not meet: distances, and the accelerations that keep them apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robot.arrays import Array
from robot.configuration import Configuration
from robot.control.kernels import compiled, cross
from robot.kinematic_tree import Geometry

# The fingers are no links of the model. This capsule around the tool's z axis holds them and their
# pads, open: where it begins and ends in the tool frame, and its radius, in m.
_FINGERS = (-0.09, 0.0, 0.035)
# Enough halvings of a segment of 0.5 m to be closer than a tenth of a millimetre.
_SEARCH_STEPS = 18
# Below this distance of two cores, in m, their direction is lost in rounding.
_LEAST_LENGTH = 1e-9


@dataclass(frozen=True)
class SelfCollisionConfig:
    """How parts of the robot are kept apart.

    Attributes:
        margin: Least distance, in m.
        attention: Distance within which a pair is watched at every tick, in m.
        rate: How fast a pair may use up what is left of its distance, in 1/s.
        rows: Most pairs that are watched at once; the nearest.
        screening_period: How often all pairs are looked at, in s.
        acceleration: Largest acceleration apart that is ever demanded, in m/s^2.
    """

    margin: float = 0.02
    attention: float = 0.06
    rate: float = 15.0
    rows: int = 6
    screening_period: float = 0.01
    acceleration: float = 20.0


@dataclass(frozen=True, eq=False)
class RoundedBox:
    """Every point within a radius of a box; a capsule where two of its half sizes are zero.

    Attributes:
        frame: Frame of the robot that carries it.
        center: In that frame, in m. Shape (3,).
        rotation: From the box's axes to the frame's. Shape (3, 3).
        half_sizes: In m. Shape (3,).
        radius: In m.
    """

    frame: str
    center: Array
    rotation: Array
    half_sizes: Array
    radius: float

    @classmethod
    def of(cls, frame: str, shape: Geometry) -> RoundedBox:
        """Return the box or capsule of a description.

        Args:
            frame: The link that carries it.
            shape: Of kind `box`, `capsule`, `cylinder` or `sphere`; a cylinder gets round caps.
        """
        pose = shape.pose_link_shape
        if shape.kind == "box":
            return cls(frame, pose.position, pose.rotation, 0.5 * np.array(shape.size), 0.0)
        length = 0.0 if shape.kind == "sphere" else shape.size[1]
        half = np.array([0.0, 0.0, 0.5 * length])
        return cls(frame, pose.position, pose.rotation, half, shape.size[0])

    def as_capsule(self) -> RoundedBox:
        """Return the capsule along the longest edge that holds this box."""
        longest = int(np.argmax(self.half_sizes))
        half = np.zeros(3)
        half[longest] = self.half_sizes[longest]
        thickness = float(np.linalg.norm(self.half_sizes - half))
        return RoundedBox(self.frame, self.center, self.rotation, half, self.radius + thickness)


def pairs_of(
    links: Sequence[tuple[str, str]],
    shapes: Mapping[str, Sequence[Geometry]],
    tool_frames: Sequence[str],
) -> tuple[tuple[RoundedBox, RoundedBox], ...]:
    """Return the pairs of shapes that must not meet, the first of each a capsule.

    Args:
        links: Pairs of links.
        shapes: Collision shapes by link.
        tool_frames: The fingers at these frames are kept apart from each other as well.
    """
    start, end, radius = _FINGERS
    fingers = [
        RoundedBox(
            frame,
            np.array([0.0, 0.0, 0.5 * (start + end)]),
            np.eye(3),
            np.array([0.0, 0.0, 0.5 * (end - start)]),
            radius,
        )
        for frame in tool_frames
    ]
    pairs = [(a, b) for i, a in enumerate(fingers) for b in fingers[i + 1 :]]
    for first, second in links:
        for a in [RoundedBox.of(first, shape) for shape in shapes.get(first, ())]:
            for b in [RoundedBox.of(second, shape) for shape in shapes.get(second, ())]:
                small, large = sorted((a, b), key=lambda box: float(np.linalg.norm(box.half_sizes)))
                pairs.append((small.as_capsule(), large))
    return tuple(pairs)


class SelfCollision:
    """Rows of the program that keep pairs apart.

    With the distance h beyond the margin of two points that are nearest to each other, a second
    order control barrier (Nguyen, Sreenath 2016) demands

        d2h/dt2 >= -2 rate dh/dt - rate^2 h,

    linear in the accelerations through the Jacobians of the two points. Only the arms are asked to
    obey: a hand pressed against the trunk would otherwise push the robot off its feet.
    """

    def __init__(
        self,
        pairs: Sequence[tuple[RoundedBox, RoundedBox]],
        columns: Array,
        config: SelfCollisionConfig,
    ) -> None:
        """Watch nothing yet.

        Args:
            pairs: The first of each a capsule; from `pairs_of`.
            columns: 1 for each generalized velocity that has to obey, 0 elsewhere. Shape (nv,).
            config: Margin and rate.
        """
        self._config = config
        self._columns = columns
        shapes = [shape for pair in pairs for shape in pair]
        self._frames = sorted({shape.frame for shape in shapes})
        self._rotations = np.zeros((len(self._frames), 3, 3))
        self._positions = np.zeros((len(self._frames), 3))
        # (pairs, 2, ...): of the capsule, then of the box.
        count = len(pairs)
        self._carriers = np.array([self._frames.index(shape.frame) for shape in shapes])
        self._carriers = self._carriers.reshape(count, 2)
        self._centers = np.array([shape.center for shape in shapes]).reshape(count, 2, 3)
        self._axes = np.array([shape.rotation for shape in shapes]).reshape(count, 2, 3, 3)
        self._halves = np.array([shape.half_sizes for shape in shapes]).reshape(count, 2, 3)
        self._radii = np.array([a.radius + b.radius for a, b in pairs])
        # Of each pair the nearest points of the cores, and the direction from second to first.
        self._nearest = np.zeros((count, 3, 3))
        self._distances = np.full(count, np.inf)
        self._least = math.inf
        self._age = math.inf
        self.rows = min(config.rows, count)

    def reset(self, rows: Array) -> None:
        """Look at every pair at the next tick, and forget the rows of the last ones.

        Args:
            rows: Filled. ProxQP scales by the rows it sees first: empty ones would mislead it, and
                those of another episode would make this one depend on it. Shape (rows, nv).
        """
        self._age = math.inf
        rows[:] = self._columns

    def distances(self, configuration: Configuration) -> Array:
        """Return the distance of each pair, negative inside each other, in m. Shape (pairs,).

        The array is overwritten by the next call.

        Args:
            configuration: The robot now.
        """
        for number, frame in enumerate(self._frames):
            placement = configuration.placement_world(frame)
            self._positions[number], self._rotations[number] = placement
        _all_distances(
            self._rotations,
            self._positions,
            self._carriers,
            self._centers,
            self._axes,
            self._halves,
            self._radii,
            self._nearest,
            self._distances,
        )
        self._least = float(self._distances.min(initial=math.inf))
        return self._distances

    def write(self, configuration: Configuration, rows: Array, lower: Array, dt: float) -> None:
        """Write the rows of the nearest pairs; the others demand nothing.

        Args:
            configuration: The robot now.
            rows: Receives the coefficients of the accelerations. Shape (rows, nv).
            lower: Receives the lower bounds, in m/s^2. Shape (rows,).
            dt: Time since the last call, in s.
        """
        if not self.rows:
            return
        lower[:] = -np.inf
        self._age += dt
        due = self._age >= self._config.screening_period
        if due or self._least < self._config.attention:
            self._age = 0.0
            self.distances(configuration)
        if self._least >= self._config.attention:
            return
        nearest = self._distances.argsort()[: self.rows]
        watched = nearest[self._distances[nearest] < self._config.attention]
        for row, pair in enumerate(watched):
            lower[row] = self._demand(configuration, pair, rows[row])

    def _demand(self, configuration: Configuration, pair: int, row: Array) -> float:
        """Write one row and return its lower bound."""
        rate, normal = self._config.rate, self._nearest[pair, 2]
        left = self._distances[pair] - self._config.margin
        drift, row[:] = 0.0, 0.0
        for side, sign in enumerate((1.0, -1.0)):
            carrier = self._carriers[pair, side]
            lever = self._nearest[pair, side] - self._positions[carrier]
            wrench = sign * np.concatenate([normal, cross(lever, normal)])
            row += wrench @ configuration.jacobian(self._frames[carrier])
            drift += float(wrench @ configuration.jacobian_drift(self._frames[carrier]))
        speed = float(row @ configuration.velocity)
        row *= self._columns
        demand = -2.0 * rate * speed - rate * rate * float(left) - drift
        return min(demand, self._config.acceleration)


@compiled
def _nearest_points(
    center: Array, axis: Array, box_center: Array, rotation: Array, half: Array, nearest: Array
) -> float:
    """Find the nearest points of a segment and a box; return their distance, negative inside.

    The distance from a box is convex along a line, so a search by thirds finds the least.
    """
    low, high = -1.0, 1.0
    start = np.zeros(3)
    step = np.zeros(3)
    for i in range(3):
        for k in range(3):
            start[i] += rotation[k, i] * (center[k] - box_center[k])
            step[i] += rotation[k, i] * axis[k]
    for _ in range(_SEARCH_STEPS):
        third = (high - low) / 3.0
        if _from_box(start, step, low + third, half) < _from_box(start, step, high - third, half):
            high -= third
        else:
            low += third
    share = 0.5 * (low + high)
    distance = _from_box(start, step, share, half)
    on_box = np.empty(3)
    deepest, depth = 0, -1e9
    for i in range(3):
        value = start[i] + share * step[i]
        on_box[i] = min(max(value, -half[i]), half[i])
        if abs(value) - half[i] > depth:
            deepest, depth = i, abs(value) - half[i]
    if distance <= 0.0:
        # Inside: the way out is through the nearest face.
        value = start[deepest] + share * step[deepest]
        on_box[deepest] = math.copysign(half[deepest], value)
    for i in range(3):
        nearest[0, i] = center[i] + share * axis[i]
        nearest[1, i] = box_center[i]
        for k in range(3):
            nearest[1, i] += rotation[i, k] * on_box[k]
    sign = -1.0 if distance < 0.0 else 1.0
    length = 0.0
    for i in range(3):
        nearest[2, i] = sign * (nearest[0, i] - nearest[1, i])
        length += nearest[2, i] ** 2
    for i in range(3):
        nearest[2, i] /= max(math.sqrt(length), _LEAST_LENGTH)
    return distance


@compiled
def _all_distances(
    rotations: Array,
    positions: Array,
    carriers: NDArray[np.int64],
    centers: Array,
    axes: Array,
    halves: Array,
    radii: Array,
    nearest: Array,
    distances: Array,
) -> None:
    """Place every pair in the world and find its distance and nearest points."""
    center = np.zeros((2, 3))
    turned = np.zeros((2, 3, 3))
    axis = np.zeros(3)
    for pair in range(len(radii)):
        for side in range(2):
            rotation = rotations[carriers[pair, side]]
            for i in range(3):
                center[side, i] = positions[carriers[pair, side], i]
                for k in range(3):
                    center[side, i] += rotation[i, k] * centers[pair, side, k]
                    turned[side, i, k] = 0.0
                    for m in range(3):
                        turned[side, i, k] += rotation[i, m] * axes[pair, side, m, k]
        for i in range(3):
            axis[i] = 0.0
            for k in range(3):
                axis[i] += turned[0, i, k] * halves[pair, 0, k]
        core = _nearest_points(
            center[0], axis, center[1], turned[1], halves[pair, 1], nearest[pair]
        )
        distances[pair] = core - radii[pair]


@compiled
def _from_box(start: Array, step: Array, share: float, half: Array) -> float:
    """Return the signed distance of a point on a line from a box about the origin."""
    outside, inside = 0.0, -1e9
    for i in range(3):
        beyond = abs(start[i] + share * step[i]) - half[i]
        inside = max(inside, beyond)
        outside += max(beyond, 0.0) ** 2
    return math.sqrt(outside) if outside > 0.0 else inside
