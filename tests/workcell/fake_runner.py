"""A runner without a cell, to test everything around one; some seeds misbehave."""

import os
import time

from robot.errors import ConfigError, DeviceFault
from tasks.task import Operation
from workcell.records import CycleRecord, SideRecord

FAILS, BREAKS, DIES, HANGS = 105, 110, 115, 120


def record(seed, success=True, **changes):
    values = {
        "seed": seed,
        "task": "nut_insertion",
        "robot": "talos",
        "level": "factory",
        "success": success,
        "first_attempt": success,
        "failure": None if success else "dropped",
        "cycle_time_s": 10.0 + seed % 10,
        "sides": {"left": SideRecord(), "right": SideRecord()},
        "operations": {
            "insert_left": Operation("insert left", True),
            "insert_right": Operation("insert right", success, None if success else "dropped"),
        },
        "wall_s": 2.0,
        "sim_s": 6.0,
    }
    return CycleRecord(**{**values, **changes})


class FakeRunner:
    def run(self, seed):
        if seed == BREAKS:
            raise DeviceFault("the gripper does not answer")
        if seed == DIES:
            os._exit(3)
        if seed == HANGS:
            time.sleep(60.0)
        # What a C++ library prints goes past sys.stdout.
        os.write(1, b"argv[0]=\n")
        return record(seed, success=seed != FAILS)

    def close(self):
        pass


def build(config, *, gui, video):
    return FakeRunner()


class SlowRunner(FakeRunner):
    def run(self, seed):
        time.sleep(0.2)
        return super().run(seed)


def build_slow(config, *, gui, video):
    return SlowRunner()


def refuse(config, *, gui, video):
    raise ConfigError("robot talos: example-robot-data is not installed; pip install it")
