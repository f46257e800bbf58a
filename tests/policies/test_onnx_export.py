"""Networks as ONNX graphs."""

from __future__ import annotations

import importlib

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from policies.network import ACTIVATIONS, Mlp, MlpSpec, Normalization
from policies.onnx_export import onnx_model
from robot.errors import ConfigError


def network(activation="tanh", output="clip", hidden=(8, 5)) -> Mlp:
    spec = MlpSpec(4, hidden, 3, activation, output)
    rng = np.random.default_rng(3)
    tensors = {name: rng.normal(size=shape) for name, shape in spec.tensors().items()}
    return Mlp(spec, tensors, Normalization((1.0, -2.0, 0.0, 30.0), (0.1, 3.0, 1.0, 5.0), 4.0))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("output", ["clip", "tanh"])
@pytest.mark.parametrize("hidden", [(), (8, 5)])
def test_the_graph_answers_as_the_network_does_also_far_outside_of_what_was_seen(
    activation, output, hidden
):
    mlp = network(activation, output, hidden)
    model = onnx.load_from_string(onnx_model(mlp, {}))
    observations = np.random.default_rng(1).normal(0.0, 50.0, (40, 4)).astype(np.float32)
    (found,) = ReferenceEvaluator(model).run(None, {"observation": observations})
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, mlp(observations), atol=1e-5)
    # Neither all cut off nor all the same.
    assert np.ptp(found) > 0.1


def test_a_graph_says_what_it_is_and_can_be_read_by_older_runtimes():
    model = onnx.load_from_string(onnx_model(network(), {"fingerprint": "abc"}))
    assert {prop.key: prop.value for prop in model.metadata_props} == {"fingerprint": "abc"}
    assert model.ir_version <= 8
    assert model.opset_import[0].version <= 17
    (given,), (told,) = model.graph.input, model.graph.output
    assert (given.name, given.type.tensor_type.shape.dim[1].dim_value) == ("observation", 4)
    assert (told.name, told.type.tensor_type.shape.dim[1].dim_value) == ("action", 3)


def test_a_graph_that_differs_from_the_network_is_not_written(monkeypatch):
    mlp = network()
    wrong = network()
    monkeypatch.setattr(Mlp, "__call__", lambda self, x: 0.5 * wrong.unbounded(x))
    with pytest.raises(RuntimeError, match="differs"):
        onnx_model(mlp, {})


def test_without_onnx_it_is_said_what_to_install(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ConfigError, match="pip install 'onnx"):
        onnx_model(network(), {})
