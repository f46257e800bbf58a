"""A runner without a cell, to test everything around one; some seeds misbehave."""

import dataclasses
import os
import time

import imageio.v2 as imageio
import numpy as np

from robot.errors import ConfigError, DeviceFault
from tasks.task import Operation
from workcell.records import CycleRecord, SideRecord
from workcell.traces import ForceTrace

FAILS, BREAKS, DIES, HANGS, NEVER_BEGINS = 105, 110, 115, 120, 125


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
        if seed == NEVER_BEGINS:
            sides = {"left": SideRecord(), "right": SideRecord()}
            never = {"failure": "setup: the plug is too far away", "cycle_time_s": 0.0}
            return record(seed, False, **never, sides=sides, operations={}, time_limit_s=76.0)
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


class TelltaleRunner(FakeRunner):
    """Leaves traces and phases, and a film if one is asked for."""

    def __init__(self, video):
        self._video = video

    def run(self, seed):
        made = super().run(seed)
        if self._video:
            with imageio.get_writer(self._video, fps=25.0, macro_block_size=8) as film:
                for shade in range(0, 250, 10):
                    film.append_data(np.full((64, 96, 3), shade, np.uint8))
        force = np.linspace(0.0, 10.0 + seed % 7, 200, dtype=np.float32)
        side = SideRecord({"regrasp": 1}, ["grasp:empty"], {"reach": 1.0, "grasp": 2.5}, "grasp")
        return dataclasses.replace(
            made,
            sides={"left": side, "right": side},
            max_force_n=float(force.max()),
            force_limit_n=60.0,
            time_limit_s=76.0,
            trace=ForceTrace(0.04, {"wrist_left": force, "wrist_right": force[::-1].copy()}),
        )


def build_telltale(config, *, gui, video):
    return TelltaleRunner(video)


def refuse(config, *, gui, video):
    raise ConfigError("robot talos: example-robot-data is not installed; pip install it")
