"""What a robot is, as data: a second robot differs from the first by one YAML file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from robot.errors import ConfigError

Vector3 = tuple[float, float, float]
ORIGIN: Vector3 = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class FootConfig:
    """The flat box a foot stands on, in place of its mesh.

    Attributes:
        link: Link of the source description that carries the foot.
        size: Edge lengths of the box along the link's axes, in m.
        center: Centre of the box in the link, in m. The contact frame is the centre of the
            bottom face, with the link's axes.
    """

    link: str
    size: Vector3
    center: Vector3


@dataclass(frozen=True)
class PadConfig:
    """The two prismatic box fingers every gripper is given, and their pads.

    Axes are the tool's: x along the pad, y the closing direction, z the approach direction.

    Attributes:
        size: Edge lengths of one pad, in m; y is its thickness.
        opening_max: Largest distance between the two pad faces, in m.
        stalk: Length of the finger behind its pad, in m.
        recess: How far the stalk's face stays behind the pad's, in m.
        mass: Mass of one finger, in kg, taken from the mass of the linkage it replaces.
        force_max: Largest grip force of one finger, in N.
        speed_max: Largest speed at which the opening changes, in m/s.
    """

    size: Vector3 = (0.012, 0.010, 0.014)
    opening_max: float = 0.050
    stalk: float = 0.070
    recess: float = 0.003
    mass: float = 0.05
    force_max: float = 60.0
    speed_max: float = 0.15


@dataclass(frozen=True)
class GripperConfig:
    """Where an arm's parallel gripper is mounted and what it replaces.

    Attributes:
        link: Link of the source description that becomes the gripper body. Every joint beyond it
            is frozen and every shape beyond it dropped; the masses stay.
        position: Origin of the tool frame in that link, in m.
        rpy: Orientation of the tool frame in that link: roll, pitch, yaw about fixed axes, in rad.
    """

    link: str
    position: Vector3
    rpy: Vector3


@dataclass(frozen=True)
class FrameConfig:
    """A frame on a link: one to add to a description, or where a camera is mounted.

    Attributes:
        link: Link that carries it: of the source description, or of the derived one for a camera.
        position: Its origin in that link, in m.
        rpy: Its roll, pitch, yaw about the link's fixed axes, in rad.
    """

    link: str
    position: Vector3 = ORIGIN
    rpy: Vector3 = ORIGIN


@dataclass(frozen=True)
class DescriptionConfig:
    """How the simulation and control URDFs of a robot are derived from an installed package.

    Attributes:
        package: Name of the installed distribution, as pip knows it.
        urdf: End of the path of the URDF in that distribution.
        fixed_joints: Joints to freeze, and at which position, in rad.
        feet: Foot boxes by name, e.g. `left`.
        grippers: Grippers by arm name.
        pads: Fingers and pads, the same on every gripper.
        frames: Frames to add, by name, e.g. `imu`, `head_camera`.
        kept_links: Links behind fixed joints that stay links of their own, e.g. the far side of a
            force-torque sensor. All others are merged into their parent.
        boxes: Links whose mesh becomes a box; all others become capsules.
        without_shapes: Links that collide with nothing.
        visuals: `shapes` draws the collision shapes, which is cheap; `meshes` the package's meshes.
    """

    package: str
    urdf: str
    fixed_joints: dict[str, float] = field(default_factory=dict)
    feet: dict[str, FootConfig] = field(default_factory=dict)
    grippers: dict[str, GripperConfig] = field(default_factory=dict)
    pads: PadConfig = field(default_factory=PadConfig)
    frames: dict[str, FrameConfig] = field(default_factory=dict)
    kept_links: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()
    without_shapes: tuple[str, ...] = ()
    visuals: Literal["shapes", "meshes"] = "shapes"


@dataclass(frozen=True)
class BaseConfig:
    """The base link.

    Attributes:
        floating: Whether it is free; bolted to the world otherwise.
        position: Where it starts, or is bolted, in the world, in m.
        imu_frame: Frame of the inertial measurement unit.
    """

    floating: bool
    position: Vector3
    imu_frame: str = "imu"


@dataclass(frozen=True)
class RobotConfig:
    """One robot: its description, its named frames and its start posture.

    The tool frame of an arm is `tool_<arm>`, its finger joints are `gripper_<arm>_finger_a` and
    `_b`, and the contact frame of a foot is `sole_<foot>`; all are made by the derivation.

    Attributes:
        name: Identifier in configurations and reports.
        description: How the URDFs are derived.
        base: The base link.
        posture: Start position of every joint that is not zero, by joint name, in rad.
        torso_link: Link whose orientation is the torso's.
        force_torque_joints: Joint whose reaction the wrist force-torque sensor feels, by arm.
        collision_pairs: Pairs of links that may meet and must be kept apart.
        cameras: Optical frame of each camera, by its name: z ahead, x right, y down.
    """

    name: str
    description: DescriptionConfig
    base: BaseConfig
    posture: dict[str, float]
    torso_link: str
    force_torque_joints: dict[str, str]
    collision_pairs: tuple[tuple[str, str], ...] = ()
    cameras: dict[str, FrameConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what a reader of the file cannot see key by key.

        Raises:
            ConfigError: If a floating robot has no feet, or the arms do not match.
        """
        if self.base.floating and not self.description.feet:
            raise ConfigError(f"{self.name}: description.feet: a floating robot needs feet")
        if set(self.force_torque_joints) != set(self.description.grippers):
            raise ConfigError(
                f"{self.name}: force_torque_joints: expected the arms of description.grippers "
                f"{sorted(self.description.grippers)}, got {sorted(self.force_torque_joints)}"
            )

    @property
    def tool_frames(self) -> dict[str, str]:
        """Tool frame of each arm."""
        return {arm: f"tool_{arm}" for arm in self.description.grippers}

    @property
    def contact_frames(self) -> dict[str, str]:
        """Contact frame of each foot; empty if the base is bolted to the world."""
        if not self.base.floating:
            return {}
        return {foot: f"sole_{foot}" for foot in self.description.feet}

    @property
    def foot_half_sizes(self) -> dict[str, tuple[float, float]]:
        """Half length and half width of each foot's box, in m."""
        return {
            name: (0.5 * foot.size[0], 0.5 * foot.size[1])
            for name, foot in self.description.feet.items()
        }

    @property
    def finger_joints(self) -> dict[str, tuple[str, str]]:
        """The two finger joints of each arm; each moves half the opening."""
        return {
            arm: (f"gripper_{arm}_finger_a", f"gripper_{arm}_finger_b")
            for arm in self.description.grippers
        }
