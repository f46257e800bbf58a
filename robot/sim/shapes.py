"""Geometric primitives as Bullet shapes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from robot.geometry import Box, ConvexHull, Cylinder, Shape

# A point this far off a plane, in m, does not lie in it.
_PLANE_TOLERANCE = 1e-9
# PyBullet writes past the end of its arrays beyond that.
_MOST_SHAPES = 16


def make_shapes(client: Any, shapes: Sequence[Shape]) -> tuple[int, int]:
    """Return the collision and the visual shape of a body, -1 for one that it lacks.

    Args:
        client: The physics server.
        shapes: What the body is made of, placed in its frame.

    Raises:
        ValueError: If they are more than PyBullet takes.
    """
    if len(shapes) > _MOST_SHAPES:
        raise ValueError(
            f"a body: expected at most {_MOST_SHAPES} shapes, got {len(shapes)}: make it two"
        )
    solid = [shape for shape in shapes if shape.collides]
    with tempfile.TemporaryDirectory() as folder:
        collision, visual = -1, -1
        # PyBullet's array calls take no vertices, so a hull goes through a file.
        if solid:
            collision = client.createCollisionShapeArray(
                **_arguments(client, solid, Path(folder), "collisionFrame")
            )
        if shapes:
            visual = client.createVisualShapeArray(
                **_arguments(client, shapes, Path(folder), "visualFrame"),
                rgbaColors=[list(shape.color) for shape in shapes],
            )
    return collision, visual


def _arguments(client: Any, shapes: Sequence[Shape], folder: Path, frame: str) -> dict[str, Any]:
    """Return the parallel lists that PyBullet wants; entries a kind does not use are neutral."""
    kinds, radii, half_extents, lengths, files = [], [], [], [], []
    for number, shape in enumerate(shapes):
        half_extent, radius, length, file = (0.0, 0.0, 0.0), 0.0, 0.0, ""
        if isinstance(shape, Box):
            kind, half_extent = client.GEOM_BOX, shape.half_extents
        elif isinstance(shape, Cylinder):
            kind, radius, length = client.GEOM_CYLINDER, shape.radius, shape.length
        else:
            path = folder / f"{frame}_{number}.obj"
            path.write_text(_wavefront(shape))
            kind, file = client.GEOM_MESH, str(path)
        kinds.append(kind)
        half_extents.append(list(half_extent))
        radii.append(radius)
        lengths.append(length)
        files.append(file)
    n = len(shapes)
    return {
        "shapeTypes": kinds,
        "radii": radii,
        "halfExtents": half_extents,
        "lengths": lengths,
        "fileNames": files,
        "meshScales": [[1.0, 1.0, 1.0]] * n,
        "planeNormals": [[0.0, 0.0, 1.0]] * n,
        "flags": [0] * n,
        f"{frame}Positions": [shape.pose_body_shape.position.tolist() for shape in shapes],
        f"{frame}Orientations": [shape.pose_body_shape.quaternion.tolist() for shape in shapes],
    }


def _wavefront(hull: ConvexHull) -> str:
    """Return a hull as a Wavefront file: every triangle that has all points on one side.

    Looks at all triples, which is plenty fast for hulls of a few dozen points.
    """
    points = np.asarray(hull.points, dtype=np.float64)
    lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in points.tolist()]
    for i, j, k in combinations(range(len(points)), 3):
        normal = np.cross(points[j] - points[i], points[k] - points[i])
        size = float(np.linalg.norm(normal))
        if size == 0.0:
            continue
        height = (points - points[i]) @ (normal / size)
        if height.max() < _PLANE_TOLERANCE:
            lines.append(f"f {i + 1} {j + 1} {k + 1}")
        elif height.min() > -_PLANE_TOLERANCE:
            lines.append(f"f {i + 1} {k + 1} {j + 1}")
    return "\n".join(lines) + "\n"
