"""Small policies on the disk."""

import numpy as np

from policies.contract import Contract, Entry
from policies.learned import ActorConfig
from policies.network import Mlp, MlpSpec, Normalization
from workcell.policy_folder import write_policy
from workcell.policy_manifest import TrainingRecord

TRAINING = TrainingRecord("by hand", "PPO", 3, 1000, 12.5, "factory", "talos_fixed")
SCALE = {
    "translation_m": 0.02,
    "rotation_rad": 0.08,
    "push_n": 30.0,
    "opening_m": 0.05,
    "soft_n_m": 300.0,
    "stiff_n_m": 3000.0,
    "soft_nm_rad": 5.0,
    "stiff_nm_rad": 100.0,
}
CONTRACT = Contract(
    task="nut_insertion",
    robots=("talos_fixed", "talos"),
    arms=("left", "right"),
    dt=0.04,
    observation=(
        Entry("left_wrench_tool", (6,), "N, N·m"),
        Entry("left_tactile", (2, 11, 9), "kPa"),
    ),
    action=(Entry("action", (18,), "nine numbers for each arm"),),
    action_scale=SCALE,
)


def network(contract=CONTRACT, hidden=(8,), seed=0):
    spec = MlpSpec(contract.inputs, hidden, contract.outputs)
    rng = np.random.default_rng(seed)
    tensors = {name: rng.normal(0.0, 0.1, shape) for name, shape in spec.tensors().items()}
    return Mlp(spec, tensors, Normalization((0.5,) * spec.inputs, (2.0,) * spec.inputs))


def write(path, contract=CONTRACT, seed=0, **options):
    made = network(contract, seed=seed)
    return write_policy(path, "actor", ActorConfig(), contract, made, TRAINING, **options)
