import imageio.v2 as imageio
import numpy as np
import pytest

from robot.errors import ConfigError
from robot.geometry import Box
from robot.sim.picture import View
from robot.sim.world import World
from robot.spatial import Pose
from workcell.video import Film, VideoWriter

VIEW = View((1.0, 0.0, 0.2), (0.0, 0.0, 0.0), 0.5)


@pytest.fixture
def world():
    world = World()
    shape = Box((0.05, 0.05, 0.05), color=(1.0, 0.0, 0.0, 1.0))
    world.add_body("red", [shape], mass=0.0, pose_world_body=Pose.identity(), friction=1.0)
    yield world
    world.close()


def red_columns(frame):
    return np.argwhere(frame[:, :, 0].astype(int) - frame[:, :, 1] > 60)[:, 1].mean()


# The reader leaves its pipes to the garbage collector, which complains later.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_film_shows_what_moves_frame_by_frame(tmp_path, world):
    film = Film(tmp_path / "new" / "a.mp4", 0.04, world, VIEW)
    for y in (-0.1, 0.0, 0.1):
        world.set_pose("red", Pose.translation([0.0, y, 0.0]))
        film.shoot()
    film.close()
    with imageio.get_reader(tmp_path / "new" / "a.mp4") as reader:
        frames = list(reader.iter_data())
        assert reader.get_meta_data()["fps"] == 25.0
    assert [frame.shape for frame in frames] == [(480, 640, 3)] * 3
    # Seen from ahead, the robot's left is on the right.
    left, middle, right = (red_columns(frame) for frame in frames)
    assert left < 250 < middle < 390 < right


@pytest.mark.parametrize(("name", "said"), [("a.gif", "ending in .mp4"), ("b.mp4", "exists")])
def test_a_film_is_not_written_over_another_file_nor_as_another_kind(tmp_path, name, said):
    (tmp_path / "b.mp4").touch()
    with pytest.raises(ConfigError, match=said):
        VideoWriter(tmp_path / name, 25.0)
