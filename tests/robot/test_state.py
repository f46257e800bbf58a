import numpy as np
import pytest

from robot.spatial import Pose
from robot.state import ToolTarget


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"stiffness": [800.0, 800.0, -1.0, 20.0, 20.0, 20.0]}, "stiffness: expected 0 or more"),
        ({"stiffness": np.full(6, np.nan)}, "stiffness: expected finite numbers"),
        ({"wrench_world_tool": np.full(6, np.inf)}, "wrench_world_tool: expected finite numbers"),
        ({"gripper_opening": np.nan}, "gripper_opening: expected a finite number in m, got nan"),
        ({"gripper_opening": np.inf}, "gripper_opening: expected a finite number in m, got inf"),
    ],
)
def test_a_target_that_no_tool_can_follow_is_refused(changes, complaint):
    fields = {"wrench_world_tool": np.zeros(6), "stiffness": np.zeros(6), "gripper_opening": 0.02}
    ToolTarget(Pose.identity(), **fields)
    with pytest.raises(ValueError, match=complaint):
        ToolTarget(Pose.identity(), **(fields | changes))
