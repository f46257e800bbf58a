"""The drivers that must keep what every driver promises: list a new one in `DRIVERS`."""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path

from robot.clock import Clock
from robot.driver import Driver
from robot.mock import ManualClock, MockDriver
from robot.sim.driver import SimDriver, SimDriverConfig
from robot.sim.noise import NOISE_LEVELS
from robot.sim.world import World
from robot.spatial import Pose
from robot.state import RobotCommand, RobotState
from tests.robot.planar import BENT, URDF, planar_model


@dataclasses.dataclass
class Harness:
    """A driver, what moves its time, and how badly it measures.

    Attributes:
        driver: Not yet configured, its robot at `BENT`.
        clock: Moves its time.
        noise: Largest measurement error of a position, in rad.
    """

    driver: Driver
    clock: Clock
    noise: float

    def activate(self) -> None:
        self.driver.configure()
        self.driver.activate()

    def send(self, command: RobotCommand, **stamps: float) -> None:
        now = self.clock.time
        stamp = {"epoch": self.driver.epoch, "time": now, "valid_until": now + 0.02} | stamps
        self.driver.write(dataclasses.replace(command, **stamp))

    def track(self, command: RobotCommand, seconds: float) -> RobotState:
        for _ in range(round(seconds / self.clock.dt)):
            self.send(command)
            self.clock.tick()
        return self.driver.read()

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / self.clock.dt)):
            self.clock.tick()


def mock() -> Harness:
    clock = ManualClock()
    return Harness(MockDriver(planar_model(), clock, BENT), clock, 0.0)


def sim(noise: str = "none") -> Harness:
    world, model = World(), planar_model()
    with tempfile.TemporaryDirectory() as folder:
        urdf = Path(folder) / "planar.urdf"
        urdf.write_text(URDF)
        robot = world.load_robot("planar", urdf, Pose.identity(), fixed=True)
    config = SimDriverConfig(noise=NOISE_LEVELS[noise])
    driver = SimDriver(world, robot, model, config=config)
    driver.place(BENT, Pose.identity())
    return Harness(driver, world, 6.0 * config.noise.joint_position)


DRIVERS: dict[str, Callable[[], Harness]] = {
    "mock": mock,
    "sim": sim,
    "sim with noise and delay": lambda: sim("B"),
}
