"""A network as an ONNX graph, for controllers that run no Python; ONNX is an extra.

The graph holds the normalization and the bounds too: it takes observations as the contract lists
them, in their own units, and returns what `Mlp` returns. What a kind of policy does around its
network (which steps it corrects, how fast a correction rises) is not part of it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.network import Mlp
from robot.errors import ConfigError

# Versions that runtimes of 2022 and later read; nothing newer is needed.
_OPSET, _IR = 17, 8
# The same arithmetic in another order, on numbers of the size of one.
_TOLERANCE = 1e-5
_CHECKS = 256
_ACTIVATE = {"tanh": ("Tanh",), "relu": ("Relu",), "elu": ("Elu",), "silu": ("Sigmoid", "Mul")}


def onnx_model(network: Mlp, notes: Mapping[str, str]) -> bytes:
    """Return a network as a serialized ONNX model, checked against the network.

    Input `observation`, float32, shape (batch, inputs); output `action`, float32, shape (batch,
    outputs), each in [-1, 1].

    Args:
        network: What it learned.
        notes: What to write beside it, by name.

    Raises:
        ConfigError: If the extra `onnx` is not installed.
        RuntimeError: If ONNX's own evaluation of the graph differs from the network.
    """
    try:
        onnx = importlib.import_module("onnx")
        reference = importlib.import_module("onnx.reference")
    except ModuleNotFoundError:
        raise ConfigError("onnx is not installed; pip install 'onnx>=1.16,<2'") from None
    model = _model(onnx, network)
    onnx.helper.set_model_props(model, dict(notes))
    onnx.checker.check_model(model, full_check=True)
    evaluate = reference.ReferenceEvaluator(model)
    observations = _spread(network)
    (found,) = evaluate.run(None, {"observation": observations})
    worst = float(np.abs(found - network(observations)).max())
    if not worst <= _TOLERANCE:
        raise RuntimeError(f"the graph differs from the network by {worst:.2g}")
    data: bytes = model.SerializeToString()
    return data


def _spread(network: Mlp) -> NDArray[np.float32]:
    """Return observations up to three standard deviations from the mean. Shape (256, inputs)."""
    normal = network.normalization
    draws = np.random.default_rng(0).uniform(-3.0, 3.0, (_CHECKS, network.spec.inputs))
    spread: NDArray[np.float64] = np.array(normal.mean) + draws * np.array(normal.std)
    return spread.astype(np.float32)


def _model(onnx: Any, network: Mlp) -> Any:
    """Return the graph."""
    helper, types = onnx.helper, onnx.TensorProto
    spec, normal = network.spec, network.normalization
    constants: dict[str, NDArray[Any]] = {
        "mean": np.array(normal.mean),
        "std": np.array(normal.std),
        "least": np.array(-normal.clip),
        "most": np.array(normal.clip),
        **network.tensors,
    }
    # In float64 as far as the first layer, like `Mlp.normalized`.
    nodes = [
        helper.make_node("Cast", ["observation"], ["wide"], to=types.DOUBLE),
        helper.make_node("Sub", ["wide", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "std"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "least", "most"], ["clipped"]),
        helper.make_node("Cast", ["clipped"], ["x0"], to=types.FLOAT),
    ]
    for i in range(len(spec.hidden) + 1):
        weights = [f"layers.{i}.weight", f"layers.{i}.bias"]
        last = i == len(spec.hidden)
        out = "unbounded" if last else f"y{i}"
        nodes.append(helper.make_node("Gemm", [f"x{i}", *weights], [out], transB=1))
        if last:
            continue
        first, *second = _ACTIVATE[spec.activation]
        name = f"s{i}" if second else f"x{i + 1}"
        nodes.append(helper.make_node(first, [out], [name]))
        nodes += [helper.make_node(op, [out, name], [f"x{i + 1}"]) for op in second]
    if spec.output == "tanh":
        nodes.append(helper.make_node("Tanh", ["unbounded"], ["action"]))
    else:
        constants |= {"down": np.array(-1.0, np.float32), "up": np.array(1.0, np.float32)}
        nodes.append(helper.make_node("Clip", ["unbounded", "down", "up"], ["action"]))
    graph = helper.make_graph(
        nodes,
        "policy",
        [helper.make_tensor_value_info("observation", types.FLOAT, ["batch", spec.inputs])],
        [helper.make_tensor_value_info("action", types.FLOAT, ["batch", spec.outputs])],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
        producer_name="workcell",
    )
