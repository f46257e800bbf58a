import math

import pytest
import torch

from policies.balance.disturbances import DisturbanceConfig, draw, pendulum_impulse
from policies.balance.model import Body, ReducedModel, StanceNumbers, State
from policies.balance.stance import ReflexConfig

NUMBERS = StanceNumbers(
    mass=93.3,
    height=0.916,
    half_sizes=(0.095, 0.139),
    com_stiffness=25.0,
    com_damping=12.0,
    com_weight=20.0,
    height_stiffness=40.0,
    height_damping=13.0,
    height_weight=2.0,
    torso_stiffness=80.0,
    torso_damping=18.0,
    torso_weight=20.0,
    lean_cutoff_hz=1.0,
    lean_limit=0.06,
)
MODEL = ReducedModel(NUMBERS, ReflexConfig())


def body(batch, bias=0.0):
    one = torch.ones(batch)
    return Body(one, torch.full((2, batch), bias), 0.6 * one, one, one, one, one, 0.0 * one)


def shoved(impulses, angle_deg, act=lambda seen: torch.zeros(5, seen.shape[1]), seconds=2.0):
    """Return whether each impulse in N s is survived, and the last state."""
    impulses = torch.as_tensor(impulses, dtype=torch.float32)
    angle = math.radians(angle_deg)
    force = 10.0 * impulses * torch.tensor([[math.cos(angle)], [math.sin(angle)]])
    who, state = body(len(impulses)), State.at_rest(len(impulses))
    for step in range(round(seconds * 100)):
        seen = MODEL.observe(state, who)
        pushed = force if step < 10 else torch.zeros_like(force)
        state = MODEL.step(state, MODEL.ask(seen, act(seen)), who, pushed, torch.zeros_like(force))
    return MODEL.capture_error(state).norm(dim=0) < 0.25, state


def test_at_rest_nothing_moves():
    _, state = shoved([0.0], 0.0)
    assert state.position.abs().max() == 0.0
    assert state.rise.abs().max() == 0.0


@pytest.mark.parametrize(
    # As found of the simulated TALOS with the controller alone, in N s; see docs/balance.md.
    ("angle_deg", "simulated"),
    [(0.0, 27.6), (180.0, 25.1), (90.0, 36.6), (270.0, 37.7)],
)
def test_the_model_falls_where_the_simulated_robot_falls(angle_deg, simulated):
    survived, _ = shoved([0.92 * simulated, 1.08 * simulated], angle_deg)
    assert survived.tolist() == [True, False]


def test_a_small_shove_is_forgotten():
    _, state = shoved([10.0], 30.0, seconds=4.0)
    assert state.position.abs().max() < 2e-3
    assert state.lean.abs().max() < 2e-3


def test_a_lean_with_the_shove_and_an_earlier_shift_carry_further():
    def helps(seen):
        along = seen[:2] / seen[:2].norm(dim=0).clamp(min=1e-6)
        return torch.cat((0.7 * along, -along, torch.ones_like(along[:1])))

    for angle_deg, beyond in ((0.0, 28.5), (180.0, 27.5), (90.0, 39.5)):
        assert not shoved([beyond], angle_deg)[0].item()
        assert shoved([beyond], angle_deg, helps)[0].item()


def test_below_the_gate_nothing_is_asked():
    seen = torch.zeros(12, 3)
    seen[0] = 10.0 * torch.tensor([0.0, 0.024, 0.1])
    ask = MODEL.ask(seen, torch.ones(5, 3))
    assert ask.lean[:, :2].abs().max() == 0.0
    assert ask.shift[:, :2].abs().max() == 0.0
    assert ask.height[:2].abs().max() == 0.0
    assert ask.lean[0, 2].item() == pytest.approx(ReflexConfig().lean_limit)


def test_a_load_at_the_hands_is_leaned_against():
    who, state = body(1), State.at_rest(1)
    load, nothing = torch.tensor([[-40.0], [0.0]]), torch.zeros(2, 1)
    for _ in range(400):
        seen = MODEL.observe(state, who)
        state = MODEL.step(state, MODEL.ask(seen, torch.zeros(5, 1)), who, nothing, load)
    lean = 40.0 * NUMBERS.hand_height / (NUMBERS.mass * 9.81)
    assert state.position[0, 0].item() == pytest.approx(lean, rel=0.05)


def test_the_gradient_of_an_early_action_is_that_of_finite_differences():
    def ends(first):
        batch = first.shape[1]
        who, state = body(batch), State.at_rest(batch)
        push, still = torch.tensor([[250.0], [0.0]]).expand(2, batch), torch.zeros(2, batch)
        for step in range(25):
            seen = MODEL.observe(state, who)
            action = first if step == 8 else torch.zeros(5, batch)
            ask = MODEL.ask(seen, action)
            state = MODEL.step(state, ask, who, push if step < 10 else still, still)
        return MODEL.capture_error(state)[0]

    first = torch.zeros(5, 1, requires_grad=True)
    torch.autograd.backward(ends(first).sum())
    change = 0.1 * torch.eye(5)
    with torch.no_grad():
        expected = (ends(change) - ends(-change)) / 0.2
    assert expected.abs().max() > 1e-4
    assert first.grad[:, 0].numpy() == pytest.approx(expected.numpy(), rel=0.1, abs=1e-5)


def test_a_seed_fixes_the_episodes():
    def drawn():
        generator = torch.Generator().manual_seed(3)
        return draw(NUMBERS, DisturbanceConfig(), 64, 50, 0.01, generator)

    first, second = drawn(), drawn()
    assert torch.equal(first.shove, second.shove)
    assert torch.equal(first.body.friction, second.body.friction)


def test_a_shove_has_the_impulse_that_was_drawn_for_it():
    config = DisturbanceConfig(impulse=(1.0, 1.0), load_share=0.0)
    episodes = draw(NUMBERS, config, 256, 100, 0.01, torch.Generator().manual_seed(0))
    impulse = 0.01 * episodes.shove.sum(0)
    direction = impulse / impulse.norm(dim=0)
    assert impulse.norm(dim=0) == pytest.approx(pendulum_impulse(NUMBERS, direction), rel=1e-4)
