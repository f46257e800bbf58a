"""A planar arm of two links, small enough to reason about, for tests above the model."""

from __future__ import annotations

import numpy as np
import pinocchio as pin

from robot.arrays import Array
from robot.cell import Cell
from robot.mock_cell import mock_cell
from robot.model import RobotModel
from robot.state import RobotCommand

_LINK = """
  <link name="{name}"><inertial><origin xyz="0.25 0 0"/><mass value="1.0"/>
    <inertia ixx="0.01" iyy="0.02" izz="0.02" ixy="0" ixz="0" iyz="0"/></inertial></link>"""
_JOINT = """
  <joint name="{name}" type="revolute"><parent link="{parent}"/><child link="{child}"/>
    <origin xyz="{x} 0 0"/><axis xyz="0 0 1"/>
    <limit lower="-2.0" upper="2.0" velocity="3.0" effort="50.0"/></joint>"""
URDF = (
    '<?xml version="1.0"?>\n<robot name="planar">'
    + "".join(_LINK.format(name=name) for name in ("base", "upper", "lower"))
    + _JOINT.format(name="shoulder", parent="base", child="upper", x=0.0)
    + _JOINT.format(name="elbow", parent="upper", child="lower", x=0.5)
    + """
  <link name="tool"><inertial><mass value="0"/>
    <inertia ixx="0" iyy="0" izz="0" ixy="0" ixz="0" iyz="0"/></inertial></link>
  <joint name="flange" type="fixed"><parent link="lower"/><child link="tool"/>
    <origin xyz="0.5 0 0"/></joint>
</robot>"""
)

BENT = np.array([0.3, -0.4])


def planar_model(floating: bool = False) -> RobotModel:
    """Return the model of an arm `left` with joints `shoulder` and `elbow`, half a metre each."""
    if floating:
        return RobotModel(pin.buildModelFromXML(URDF, pin.JointModelFreeFlyer()), {"left": "tool"})
    return RobotModel(pin.buildModelFromXML(URDF), {"left": "tool"})


def hold(joint_position: Array, **changes: object) -> RobotCommand:
    """Return a stiff, critically damped command to stand at a posture."""
    n = len(joint_position)
    fields: dict[str, object] = {
        "joint_position": joint_position,
        "joint_velocity": np.zeros(n),
        "joint_effort": np.zeros(n),
        "stiffness": np.full(n, 400.0),
        "damping": np.full(n, 40.0),
    }
    return RobotCommand(**(fields | changes))  # type: ignore[arg-type]


def active_cell(**options: object) -> Cell:
    """Return a mock cell of the planar arm whose servos are on."""
    cell = mock_cell(planar_model(), BENT, **options)  # type: ignore[arg-type]
    cell.driver.configure()
    cell.driver.activate()
    return cell
