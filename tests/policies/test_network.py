"""The same network in numpy and in torch."""

import numpy as np
import pytest
import torch

from policies.network import ACTIVATIONS, Mlp, MlpSpec, Normalization
from policies.torch_network import ActorNetwork


def random_mlp(spec, seed=0, clip=10.0):
    rng = np.random.default_rng(seed)
    tensors = {
        # As large as keeps numbers of the same size from layer to layer.
        name: rng.normal(0.0, 1.0 / np.sqrt(shape[-1]), shape)
        for name, shape in spec.tensors().items()
    }
    mean, std = rng.normal(size=spec.inputs), rng.uniform(0.1, 3.0, spec.inputs)
    return Mlp(spec, tensors, Normalization(tuple(mean), tuple(std), clip))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("output", ["clip", "tanh"])
def test_numpy_and_torch_agree(activation, output):
    mlp = random_mlp(MlpSpec(9, (32, 16), 4, activation, output))
    network = ActorNetwork.from_mlp(mlp)
    # Far outside of what the normalization expects as well: its clip is part of the network.
    seen = np.random.default_rng(1).normal(0.0, 30.0, (200, 9)).astype(np.float32)
    with torch.no_grad():
        there = network(torch.tensor(seen)).numpy()
    assert np.abs(there).max() > 0.5
    np.testing.assert_allclose(mlp(seen), there, rtol=0.0, atol=2e-6)
    for row, expected in zip(seen[:20], there[:20], strict=True):
        np.testing.assert_allclose(mlp(row), expected, rtol=0.0, atol=2e-6)


def test_a_network_comes_back_from_torch_to_the_bit():
    mlp = random_mlp(MlpSpec(5, (8,), 2))
    back = ActorNetwork.from_mlp(mlp).as_mlp()
    assert back.spec == mlp.spec
    for name, array in mlp.tensors.items():
        assert np.array_equal(back.tensors[name], array)


def test_nothing_overflows_far_from_zero():
    for activation in ACTIVATIONS:
        mlp = random_mlp(MlpSpec(3, (8, 8), 2, activation), clip=1e6)
        with np.errstate(all="raise"):
            assert np.isfinite(mlp(np.array([1e5, -1e5, 3e4], np.float32))).all()


def test_weights_cannot_be_changed_by_their_reader():
    mlp = random_mlp(MlpSpec(3, (4,), 2))
    with pytest.raises(ValueError, match="read-only"):
        mlp.tensors["layers.0.bias"][0] = 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers.1.bias": None}, "missing \\['layers.1.bias'\\]"),
        ({"layers.9.bias": np.zeros(2)}, "unknown \\['layers.9.bias'\\]"),
        ({"layers.0.bias": np.zeros(5)}, r"layers.0.bias: expected shape \(4,\), got \(5,\)"),
        ({"layers.0.bias": np.full(4, np.nan)}, "layers.0.bias: expected finite numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_named(change, message):
    spec = MlpSpec(3, (4,), 2)
    tensors = {name: np.zeros(shape) for name, shape in spec.tensors().items()} | change
    tensors = {name: array for name, array in tensors.items() if array is not None}
    with pytest.raises(ValueError, match=message):
        Mlp(spec, tensors, Normalization.none(3))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [((0, (4,), 2), "inputs: expected 1"), ((3, (9999,), 2), "hidden"), ((3, (4,) * 9, 2), "hid")],
)
def test_sizes_that_no_policy_has_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        MlpSpec(*sizes)
