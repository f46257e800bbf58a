import dataclasses

import numpy as np
import pytest
import torch

from policies.balance.stance import ReflexConfig
from policies.balance.train import TrainConfig, Trainer, forward
from tests.policies.balance.test_model import NUMBERS

SHORT = TrainConfig(
    steps=60_000, batch=128, horizon=60, window=60, hidden=(16,), learning_rate=2e-2, seed=4
)


def taught(config=SHORT):
    trainer = Trainer(NUMBERS, ReflexConfig(), config)
    seen = []
    network = trainer.run(seen.append)
    return network, seen


def test_teaching_brings_the_loss_down_and_counts_its_steps():
    config = dataclasses.replace(SHORT, steps=250_000)
    _, seen = taught(config)
    losses = [progress.loss for progress in seen]
    assert np.mean(losses[-4:]) < np.mean(losses[:4]) - 0.02
    assert seen[-1].steps >= config.steps
    assert seen[-1].steps_per_s > 0.0


def test_a_seed_fixes_the_weights():
    first, second = taught()[0], taught()[0]
    assert all((first.tensors[name] == second.tensors[name]).all() for name in first.tensors)


def test_the_exported_network_answers_as_the_one_that_was_taught():
    trainer = Trainer(NUMBERS, ReflexConfig(), SHORT)
    seen = torch.rand(12, 7) - 0.5
    with torch.no_grad():
        batch = forward(trainer.network, seen).numpy().T
    assert trainer.network.as_mlp()(seen.numpy().T) == pytest.approx(batch, abs=1e-6)
