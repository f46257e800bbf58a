"""The robots of `configs/robot`, for tests below the configuration loader."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from robot.model import RobotModel, load_model
from robot.robot_config import RobotConfig

CONFIGS = Path(__file__).parents[2] / "configs" / "robot"
# GR3 is an optional extra and G1 stands for it here: both are other humanoids by one file.
INSTALLED = ("talos", "talos_fixed", "g1")


@cache
def robot_config(name: str) -> RobotConfig:
    text = (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8")
    return TypeAdapter(RobotConfig).validate_python(yaml.safe_load(text))


@cache
def robot_model(name: str) -> RobotModel:
    return load_model(robot_config(name))
