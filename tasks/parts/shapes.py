"""A part: one body of the scene, described once for collision, looks, plan and judgement."""

from __future__ import annotations

from dataclasses import dataclass

from robot.geometry import Shape


@dataclass(frozen=True, eq=False)
class Part:
    """One rigid body of a task's scene. Its frame is at its centre of mass unless it is fixed.

    Attributes:
        name: Unique within the task.
        shapes: What it is made of, in its own frame.
        fixed: Bolted down: moved between cycles by its pose, never by a force.
        mass: In kg; 0 for a fixed part.
        inertia: Principal moments along the part's axes, in kg·m^2; zeros for a fixed part.
        friction: Its own Coulomb coefficient. In contact the coefficients of both bodies are
            multiplied, so a pair that should have mu gets sqrt(mu) on each side.
        spinning_friction: Its resistance to turning on a contact, as a length, in m.
    """

    name: str
    shapes: tuple[Shape, ...]
    fixed: bool
    mass: float = 0.0
    inertia: tuple[float, float, float] = (0.0, 0.0, 0.0)
    friction: float = 0.5
    spinning_friction: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a part that is neither fixed nor able to move."""
        if not self.shapes:
            raise ValueError(f"part {self.name!r}: expected at least one shape")
        if self.fixed != (self.mass == 0.0):
            raise ValueError(
                f"part {self.name!r}: a fixed part has mass 0 and a free one more, "
                f"got fixed={self.fixed}, mass={self.mass}"
            )
        if not self.fixed and min(self.inertia) <= 0.0:
            raise ValueError(f"part {self.name!r}: expected positive inertia, got {self.inertia}")
