"""Devices with no physics and no hardware: joints without gravity, sensors that are told.

Every joint has the same inertia and feels nothing but its servo, so a step response is known in
closed form and a test that fails on the mock fails for a reason that can be read. Time moves when
the clock ticks, and only then.
"""

from robot.mock.devices import ManualClock, MockSensor, MockStation, no_wrench
from robot.mock.driver import MockDriver, MockDriverConfig

__all__ = [
    "ManualClock",
    "MockDriver",
    "MockDriverConfig",
    "MockSensor",
    "MockStation",
    "no_wrench",
]
