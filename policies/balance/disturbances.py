"""What happens to the robots of a batch: shoves, loads at the hands, and how they differ.

Axes as in `model`: 2 is (ahead, left), B is the batch, T is the policy periods of an episode.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from policies.balance.model import GRAVITY, Body, StanceNumbers, State


@dataclass(frozen=True)
class DisturbanceConfig:
    """Ranges that are drawn from.

    Attributes:
        impulse: Of a shove, as a share of what a pendulum on rigid soles survives in its direction.
        shove_time: How long it lasts, in s.
        load_share: Share of the episodes in which a hand is loaded.
        load: Largest load at the hands, in N.
        mass: True mass over the known one; a payload is both mass and a bias.
        com_bias: Largest error of the centre of mass, in m.
        friction: Of the soles.
        inertia: True inertia over the nominal one, and the same for what couples rise and turn.
        size: Area of support over the nominal one.
        rise: Room of the knees over the nominal one.
        delay: Largest, in policy periods; at most one.
        noise: Of what the policy sees, in its units.
    """

    impulse: tuple[float, float] = (0.5, 1.35)
    shove_time: tuple[float, float] = (0.05, 0.15)
    load_share: float = 0.25
    load: float = 80.0
    mass: tuple[float, float] = (0.97, 1.06)
    com_bias: float = 0.006
    friction: tuple[float, float] = (0.35, 0.7)
    inertia: tuple[float, float] = (0.7, 1.3)
    size: tuple[float, float] = (0.94, 1.02)
    rise: tuple[float, float] = (0.8, 1.2)
    delay: float = 1.0
    noise: float = 0.02


@dataclass(eq=False)
class Episodes:
    """A batch of episodes.

    Attributes:
        body: Who stands.
        start: How they stand before anything happens.
        shove: Force at the torso, in N. Shape (T, 2, B).
        load: Force at the hands, in N. Shape (T, 2, B).
    """

    body: Body
    start: State
    shove: Tensor
    load: Tensor


def pendulum_impulse(numbers: StanceNumbers, direction: Tensor) -> Tensor:
    """Return the impulse at the centre of mass that a pendulum just survives, in N s. Shape (B,).

    m omega d, with d from the middle to the edge of the area of support (Koolen et al. 2012).

    Args:
        numbers: Of the robot.
        direction: Unit vectors. Shape (2, B).
    """
    half = torch.tensor(numbers.half_sizes)[:, None]
    distance = (half / direction.abs().clamp(min=1e-6)).amin(0)
    return numbers.mass * numbers.frequency * distance


def draw(
    numbers: StanceNumbers,
    config: DisturbanceConfig,
    batch: int,
    steps: int,
    period: float,
    generator: torch.Generator,
) -> Episodes:
    """Draw a batch of episodes.

    Args:
        numbers: Of the robot.
        config: Ranges.
        batch: How many.
        steps: Policy periods of each.
        period: In s.
        generator: All randomness.
    """

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=generator)

    body = Body(
        mass_share=uniform(*config.mass, batch),
        com_bias=uniform(-config.com_bias, config.com_bias, 2, batch),
        friction=uniform(*config.friction, batch),
        inertia_share=uniform(*config.inertia, batch),
        momentum_share=uniform(*config.inertia, batch),
        size_share=uniform(*config.size, batch),
        rise_share=uniform(*config.rise, batch),
        delay=uniform(0.0, config.delay, batch),
    )
    angle = uniform(0.0, 2.0 * math.pi, batch)
    direction = torch.stack((angle.cos(), angle.sin()))
    impulse = uniform(*config.impulse, batch) * pendulum_impulse(numbers, direction)
    times = period * torch.arange(steps)[:, None]
    begin, lasting = uniform(0.0, 0.1, batch), uniform(*config.shove_time, batch)
    active = (times >= begin) & (times < begin + lasting)
    pushing = active / active.sum(0).clamp(min=1) / period
    loaded = (torch.rand(batch, generator=generator) < config.load_share).to(torch.float32)
    turn = uniform(0.0, 2.0 * math.pi, batch)
    # Loaded for long, and let go at once; a shove may come on top.
    force = loaded * uniform(0.0, config.load, batch) * torch.stack((turn.cos(), turn.sin()))
    held = times < uniform(-0.5, 0.6, batch)
    load = held[:, None] * force
    light = 1.0 - 0.7 * loaded
    leaned = -numbers.hand_height * load[0] / (numbers.mass * GRAVITY)
    reference = leaned.clamp(-numbers.lean_limit, numbers.lean_limit)
    start = State.at_rest(batch)
    start.position = start.reference = reference
    return Episodes(body, start, (pushing * impulse * light)[:, None] * direction, load)
