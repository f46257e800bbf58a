"""A standing robot in ten numbers, for thousands of shoves at once.

The centre of mass is a pendulum over the floor whose foot, the centre of pressure, moves inside the
soles; what turns about it is a flywheel. The controller is in the model as it is in the robot: the
same wanted accelerations, the same weights, the same edges. Where the centre of pressure is at the
edge, the whole-body program gives up a little of everything (height, torso, centre of mass) by
their weights, and the model does the same in closed form.

Axes: 2 is (ahead, left), B is the batch. Rows are contiguous, so state is (2, B) or (B,).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from policies.balance.stance import ReflexConfig

GRAVITY = 9.81
# Beyond this the robot lies on the floor, in m and m/s; keeps numbers finite.
_LOST, _LOST_SPEED = 0.5, 2.0


@dataclass(frozen=True)
class StanceNumbers:
    """A robot and its controller, as far as the model knows them.

    The last block was found from seven shoves of the simulated TALOS with its arms held to the
    trunk and its waist taking its share of the lean: angular momentum about the centre of mass
    against lean rate, speed and rise explains 94 % of its variance ahead and 99.9 % sideways, and
    the rise at which a knee is straight against lean 89 %. Legs that straighten turn the body as a
    flywheel does. The numbers of the rise are not that fit's (0.059, 0.25, 0.10) but a little
    below, which keeps up to 7 mm back: a leg with a straight knee cannot push.

    Attributes:
        mass: In kg.
        height: Of the centre of mass over the floor, in m.
        half_sizes: Of the area within which the controller keeps the centre of pressure, in m.
        com_stiffness: Of the horizontal centre of mass, in 1/s^2.
        com_damping: In 1/s.
        com_weight: In the whole-body program.
        height_stiffness: Of its height, in 1/s^2.
        height_damping: In 1/s.
        height_weight: In the whole-body program.
        torso_stiffness: In 1/s^2.
        torso_damping: In 1/s.
        torso_weight: In the whole-body program.
        lean_cutoff_hz: With which a load at the hands is leaned against, in Hz.
        lean_limit: Largest such lean, in m.
        shove_height: Where shoves hit, over the floor, in m.
        hand_height: Where loads at the hands act, over the floor, in m.
        inertia: Angular momentum for each rad/s of the torso, in kg m^2.
        momentum_speed: Angular momentum for each m/s of the centre of mass, in kg m.
        momentum_rise: Angular momentum ahead for each m/s upwards, in kg m.
        rise_limit: How far the centre of mass can rise before the knees are straight, in m.
        rise_bent: How much less of that is left for each rad^2 of lean ahead or back, in m.
        rise_rolled: How much less of that is left for each rad of lean sideways, in m: the leg on
            the far side gets longer.
        rise_horizon: Time within which the controller brakes before that, in s.
    """

    mass: float
    height: float
    half_sizes: tuple[float, float]
    com_stiffness: float
    com_damping: float
    com_weight: float
    height_stiffness: float
    height_damping: float
    height_weight: float
    torso_stiffness: float
    torso_damping: float
    torso_weight: float
    lean_cutoff_hz: float
    lean_limit: float
    shove_height: float = 1.27
    hand_height: float = 0.95
    inertia: tuple[float, float] = (5.4, 8.2)
    momentum_speed: tuple[float, float] = (13.1, 11.5)
    momentum_rise: float = 11.6
    rise_limit: float = 0.052
    rise_bent: float = 0.22
    rise_rolled: float = 0.1
    rise_horizon: float = 0.08

    @property
    def frequency(self) -> float:
        """Natural frequency of the pendulum, sqrt(g / h), in 1/s."""
        return math.sqrt(GRAVITY / self.height)


@dataclass(eq=False)
class Body:
    """What differs between the robots of a batch, besides what happens to them.

    Attributes:
        mass_share: True mass over the one the controller knows. Shape (B,).
        com_bias: True centre of mass from the believed one, in m. Shape (2, B).
        friction: Of the soles on the floor. Shape (B,).
        inertia_share: True inertia over the nominal one. Shape (B,).
        momentum_share: True coupling of rise and turn over the nominal one. Shape (B,).
        size_share: Size of the area of support over the nominal one. Shape (B,).
        rise_share: Room of the knees over the nominal one. Shape (B,).
        delay: Share of the last observation in the present one, in policy periods. Shape (B,).
    """

    mass_share: Tensor
    com_bias: Tensor
    friction: Tensor
    inertia_share: Tensor
    momentum_share: Tensor
    size_share: Tensor
    rise_share: Tensor
    delay: Tensor


@dataclass(eq=False)
class State:
    """Of a batch of standing robots.

    Attributes:
        position: Of the centre of mass from the middle of the feet, in m. Shape (2, B).
        velocity: In m/s. Shape (2, B).
        lean: Of the torso, in rad. Shape (2, B).
        rate: Of that lean, in rad/s. Shape (2, B).
        rise: Of the centre of mass over its height, in m. Shape (B,).
        rise_rate: In m/s. Shape (B,).
        reference: Where the controller wants the centre of mass: its lean. Shape (2, B).
    """

    position: Tensor
    velocity: Tensor
    lean: Tensor
    rate: Tensor
    rise: Tensor
    rise_rate: Tensor
    reference: Tensor

    @classmethod
    def at_rest(cls, batch: int) -> State:
        """Return robots that stand still and upright."""
        pair, one = torch.zeros(2, batch), torch.zeros(batch)
        return cls(pair, pair, pair, pair, one, one, pair)

    def detached(self) -> State:
        """Return the same state without its history."""
        return State(*(getattr(self, item.name).detach() for item in fields(self)))


@dataclass(eq=False)
class Ask:
    """What a policy asks for, its gate already applied.

    Attributes:
        lean: Shift of the torso's reference, in rad. Shape (2, B).
        shift: Of the reference of the centre of mass, in m. Shape (2, B).
        height: Shift of its height, in m. Shape (B,).
    """

    lean: Tensor
    shift: Tensor
    height: Tensor


class ReducedModel:
    """Steps a batch of standing robots; everything is differentiable."""

    def __init__(self, numbers: StanceNumbers, reflex: ReflexConfig, substeps: int = 1) -> None:
        """Take over the numbers.

        Args:
            numbers: Of the robot and its controller.
            reflex: What an action of one means.
            substeps: Of the integration in one policy period.
        """
        self.numbers, self.reflex = numbers, reflex
        self._substeps = substeps
        self._dt = reflex.period / substeps
        self._inertia = torch.tensor(numbers.inertia)[:, None]
        self._half = torch.tensor(numbers.half_sizes)[:, None]
        moment_arm = numbers.mass * numbers.height
        self._share = 1.0 / (moment_arm + torch.tensor(numbers.momentum_speed)[:, None])
        self._turned_by_rise = torch.tensor([[numbers.momentum_rise], [0.0]])

    def capture_error(self, state: State) -> Tensor:
        """Return the capture point from where the centre of mass should be, in m. Shape (2, B).

        The capture point is c + v / omega (Pratt et al. 2006).
        """
        error: Tensor = state.position + state.velocity / self.numbers.frequency - state.reference
        return error

    def observe(self, state: State, body: Body) -> Tensor:
        """Return what the policy sees; see `stance.OBSERVATION`. Shape (12, B)."""
        bias = body.com_bias
        return torch.cat(
            (
                (self.capture_error(state) - bias) * 10.0,
                (state.position - bias) * 10.0,
                state.velocity * (1.0 / 0.3),
                state.lean * (1.0 / 0.3),
                state.rate,
                state.rise[None] * 20.0,
                state.rise_rate[None] * (1.0 / 0.3),
            )
        )

    def ask(self, seen: Tensor, action: Tensor) -> Ask:
        """Return what an action asks for.

        Args:
            seen: As the policy saw it. Shape (12, B).
            action: In [-1, 1]. Shape (5, B).
        """
        reflex = self.reflex
        error = 0.1 * (seen[:2] * seen[:2]).sum(0).clamp(min=1e-12).sqrt()
        width = reflex.gate_full - reflex.gate_opens
        gate = ((error - reflex.gate_opens) * (1.0 / width)).clamp(0.0, 1.0)
        return Ask(
            (reflex.lean_limit * gate) * action[:2],
            (reflex.shift_limit * gate) * action[2:4],
            (reflex.height_limit * gate) * action[4],
        )

    def step(self, state: State, ask: Ask, body: Body, shove: Tensor, load: Tensor) -> State:
        """Let one policy period pass.

        Args:
            state: Before.
            ask: Of the policy.
            body: Who stands.
            shove: Force at the torso that nothing measures, in N. Shape (2, B).
            load: Force at the hands that the wrists measure, in N. Shape (2, B).
        """
        for _ in range(self._substeps):
            state = self._substep(state, ask, body, shove, load)
        return state

    def _substep(self, state: State, ask: Ask, body: Body, shove: Tensor, load: Tensor) -> State:
        n, dt = self.numbers, self._dt
        believed = state.position - body.com_bias
        # What the controller wants.
        wanted = n.com_stiffness * (state.reference + ask.shift - believed)
        wanted = wanted - n.com_damping * state.velocity
        upwards = (
            n.height_stiffness * (ask.height - state.rise) - n.height_damping * state.rise_rate
        )
        turning = n.torso_stiffness * (ask.lean - state.lean) - n.torso_damping * state.rate
        # Where the centre of pressure would have to be for all of it, and where it can be.
        load_moment = n.hand_height * load
        weight = n.mass * (GRAVITY + upwards)
        others = load_moment - self._inertia * turning - self._turned_by_rise * upwards
        needed = believed - (wanted / self._share - others) / weight
        half = self._half * body.size_share
        pressure = torch.maximum(torch.minimum(needed, half), -half)
        arm = believed - pressure
        # What is missing is shared out by weights: min W_c e'^2 + W_z dz^2 + W_t da^2.
        missing = wanted - self._share * (weight * arm + others)
        by_rise = self._share * (n.mass * arm - self._turned_by_rise)
        by_turn = -self._share * self._inertia
        stiff_turn = 1.0 + (n.com_weight / n.torso_weight) * by_turn * by_turn
        ratio = n.com_weight / n.height_weight
        eased = missing / stiff_turn
        projected = by_rise / stiff_turn
        lifted = ratio * (by_rise * eased).sum(0) / (1.0 + ratio * (by_rise * projected).sum(0))
        upwards = upwards + lifted
        left = (missing - by_rise * lifted) / stiff_turn
        turning = turning + (n.com_weight / n.torso_weight) * by_turn * left
        # Straight knees end the rise.
        bent, rolled = state.lean[0].square(), state.lean[1].abs()
        room = body.rise_share * n.rise_limit - n.rise_bent * bent - n.rise_rolled * rolled
        room = room - state.rise - state.rise_rate * n.rise_horizon
        upwards = torch.minimum(upwards, room * (2.0 / n.rise_horizon**2)).clamp(-9.0, 9.0)
        # What the true body does under it.
        weight = n.mass * (GRAVITY + upwards)
        arm = arm + body.com_bias
        others = load_moment - body.inertia_share * self._inertia * turning
        others = others - body.momentum_share * self._turned_by_rise * upwards
        share = self._share / body.mass_share
        planned = share * (body.mass_share * weight * arm + others)
        grip = body.friction * (GRAVITY + upwards)
        planned = torch.maximum(torch.minimum(planned, grip), -grip)
        acceleration = planned + share * n.shove_height * shove
        velocity = (state.velocity + dt * acceleration).clamp(-_LOST_SPEED, _LOST_SPEED)
        rate = state.rate + dt * turning
        rise_rate = state.rise_rate + dt * upwards
        leaned = (-load_moment / (n.mass * GRAVITY)).clamp(-n.lean_limit, n.lean_limit)
        follow = min(1.0, dt * 6.2832 * n.lean_cutoff_hz)
        return State(
            (state.position + dt * velocity).clamp(-_LOST, _LOST),
            velocity,
            state.lean + dt * rate,
            rate,
            state.rise + dt * rise_rate,
            rise_rate,
            state.reference + follow * (leaned - state.reference),
        )
