"""Teaching the balance policy in the reduced model, by gradients through the model itself.

The model is differentiable, so that one backward pass says for every step of every episode how the
action should have been: analytic policy gradients (Freeman et al. 2021, Xu et al. 2022). They need
a hundredth of the episodes that methods with scores or differences of returns need.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from policies.balance.disturbances import DisturbanceConfig, Episodes, draw
from policies.balance.model import ReducedModel, StanceNumbers, State
from policies.balance.stance import ACTION, OBSERVATION, ReflexConfig
from policies.network import Mlp, MlpSpec, Normalization
from policies.torch_network import ActorNetwork

# A capture point further than this from the middle of the feet is lost, in m.
_FALLEN = 0.25


@dataclass(frozen=True)
class TrainConfig:
    """How the policy is taught.

    Attributes:
        steps: Policy steps in all, each of them in a disturbed episode.
        batch: Episodes at once; small enough for the caches of one core.
        horizon: Policy steps of an episode.
        window: Policy steps through which gradients go back.
        hidden: Width of each hidden layer.
        learning_rate: At the start; it falls to nothing along half a cosine.
        gradient_limit: Norm at which a gradient is cut.
        seed: Of the weights and of everything that is drawn.
        fallen_cost: Of the capture point, in half sizes of the area of support.
        lean_cost: Of a torso that leans.
        lean_end: Lean beyond which the pelvis would lean too far, in rad.
        rise_cost: Of a centre of mass that is not at its height.
        change_cost: Of actions that change from step to step.
        end_cost: Of a robot that does not stand still at the end.
    """

    steps: int = 200_000_000
    batch: int = 4096
    horizon: int = 150
    window: int = 150
    hidden: tuple[int, ...] = (32, 32)
    learning_rate: float = 4e-3
    gradient_limit: float = 1.0
    seed: int = 0
    fallen_cost: float = 4.0
    lean_cost: float = 0.02
    lean_end: float = 0.33
    rise_cost: float = 0.02
    change_cost: float = 0.02
    end_cost: float = 0.3


@dataclass(frozen=True)
class Progress:
    """Where training stands.

    Attributes:
        steps: Policy steps so far.
        loss: Of the last batch.
        survived: Share of the last batch that still stands.
        wall_s: Time so far, in s.
        cpu_s: Time of this process on processors, in s.
    """

    steps: int
    loss: float
    survived: float
    wall_s: float
    cpu_s: float

    @property
    def steps_per_s(self) -> float:
        """Policy steps per second of one processor, learning included."""
        return self.steps / self.cpu_s if self.cpu_s > 0.0 else 0.0


class Trainer:
    """A network that is being taught.

    Attributes:
        network: It.
        config: How it is taught.
        steps: Policy steps so far.
    """

    def __init__(
        self,
        numbers: StanceNumbers,
        reflex: ReflexConfig,
        config: TrainConfig,
        disturbances: DisturbanceConfig | None = None,
    ) -> None:
        """Start with weights that ask for nearly nothing.

        Args:
            numbers: Of the robot and its controller.
            reflex: What an action of one means.
            config: How to teach.
            disturbances: What happens.
        """
        self.config, self.steps = config, 0
        self._numbers, self._reflex = numbers, reflex
        self._disturbances = disturbances or DisturbanceConfig()
        self._model = ReducedModel(numbers, reflex)
        self._generator = torch.Generator().manual_seed(config.seed)
        sizes = (sum(size for _, size, _ in OBSERVATION), sum(size for _, size, _ in ACTION))
        spec = MlpSpec(sizes[0], config.hidden, sizes[1], output="tanh")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.network = ActorNetwork(spec, Normalization.none(sizes[0]))
        *_, weight, bias = self.network.parameters()
        with torch.no_grad():
            weight.mul_(0.1)
            bias.zero_()
        self._optimizer = torch.optim.Adam(self.network.parameters(), config.learning_rate)
        per_batch = config.batch * config.horizon
        self._batches = max(1, -(-config.steps // per_batch))
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimizer, self._batches)
        self._half = torch.tensor(numbers.half_sizes)[:, None]

    def run(self, progress: Callable[[Progress], None] | None = None) -> Mlp:
        """Teach to the end and return the network.

        Args:
            progress: Called after every batch.
        """
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(self._batches):
            loss, survived = self._learn(self._draw())
            if progress is not None:
                progress(
                    Progress(
                        self.steps,
                        loss,
                        survived,
                        time.perf_counter() - wall,
                        time.process_time() - cpu,
                    )
                )
        return self.network.as_mlp()

    def _draw(self) -> Episodes:
        config = self.config
        return draw(
            self._numbers,
            self._disturbances,
            config.batch,
            config.horizon,
            self._reflex.period,
            self._generator,
        )

    def _learn(self, episodes: Episodes) -> tuple[float, float]:
        """Go through a batch of episodes once; return the loss and the share that still stands."""
        config = self.config
        state, past = episodes.start, None
        total = 0.0
        for first in range(0, config.horizon, config.window):
            last = min(first + config.window, config.horizon)
            cost, state, past = self._window(episodes, state, past, first, last)
            self._optimizer.zero_grad()
            torch.autograd.backward(cost / (last - first))
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.gradient_limit)
            self._optimizer.step()
            state = state.detached()
            past = None if past is None else past.detach()
            total += float(cost.detach())
        self._schedule.step()
        self.steps += config.batch * config.horizon
        standing = self._model.capture_error(state).norm(dim=0) < _FALLEN
        return total / config.horizon, float(standing.float().mean())

    def _window(
        self, episodes: Episodes, state: State, past: Tensor | None, first: int, last: int
    ) -> tuple[Tensor, State, Tensor]:
        body, config, model = episodes.body, self.config, self._model
        noise = self._disturbances.noise
        size = (sum(size for _, size, _ in OBSERVATION), config.batch)
        wrong = noise * torch.randn(size, generator=self._generator)
        cost = torch.zeros(())
        before = None
        for step in range(first, last):
            seen = model.observe(state, body) + wrong
            late = seen if past is None else torch.lerp(seen, past, body.delay)
            past = seen
            action = forward(self.network, late)
            ask = model.ask(late, action)
            state = model.step(state, ask, body, episodes.shove[step], episodes.load[step])
            cost = cost + self._cost(state)
            if before is not None:
                cost = cost + config.change_cost * (action - before).square().sum(0).mean()
            before = action
        if last == config.horizon:
            rest = state.lean.square().sum(0) * 4.0 + state.velocity.square().sum(0) * 10.0
            cost = cost + config.end_cost * (last - first) * torch.log1p(rest).mean()
        assert past is not None  # a window has at least one step
        return cost, state, past

    def _cost(self, state: State) -> Tensor:
        """Return the mean cost of an instant."""
        config = self.config
        error = self._model.capture_error(state) / self._half
        fallen = torch.log1p(config.fallen_cost * (error * error).sum(0))
        lean = state.lean.square().sum(0)
        beyond = torch.relu(lean.clamp(min=1e-9).sqrt() - config.lean_end)
        tilted = config.lean_cost * lean / 0.09 + 100.0 * beyond * beyond
        high = config.rise_cost * (state.rise * (1.0 / 0.04)).square()
        return (fallen + tilted + high).mean()


def forward(network: ActorNetwork, seen: Tensor) -> Tensor:
    """Return the actions of a batch that lies in columns, without copies and without float64.

    Args:
        network: With a normalization that changes nothing.
        seen: Shape (inputs, B).
    """
    x = seen
    weights = list(network.parameters())
    for weight, bias in zip(weights[::2], weights[1::2], strict=True):
        x = torch.tanh(torch.addmm(bias[:, None], weight, x))
    return x
