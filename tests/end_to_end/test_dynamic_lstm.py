"""LSTMs of dynamic quantization at `top` and compiled, against ONNX Runtime.

Weights have 7 bits where processors without VNNI make ONNX Runtime saturate sums of pairs of products.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import compile_model, import_model

Arrays = dict[str, np.ndarray]
STEPS, BATCH, INPUTS, HIDDEN = 5, 3, 6, 4
GATES = 4 * HIDDEN
OPTIONAL = ("bias", "lengths", "hidden", "cell", "peepholes")
DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}


def operands(
    direction: str, dtype: str, *, each_channel: bool, optional: tuple[str, ...]
) -> Arrays:
    """Random operands of the op in its order; those that are left out are missing."""
    generator = np.random.default_rng(11)
    count = DIRECTIONS[direction]
    low, point = (-60, 0) if dtype == "i1" else (64, 128)

    def floats(*shape: int) -> np.ndarray:
        return generator.normal(0, 1, shape).astype(np.float32)

    scales = (count, GATES) if each_channel else (count,)
    made = {
        "x": floats(STEPS, BATCH, INPUTS),
        "w": generator.integers(low, low + 120, (count, INPUTS, GATES)).astype(dtype),
        "r": generator.integers(low, low + 120, (count, HIDDEN, GATES)).astype(dtype),
        "bias": floats(count, 2 * GATES),
        "lengths": np.asarray([2, 4, 3], np.int32),
        "hidden": floats(count, BATCH, HIDDEN),
        "cell": floats(count, BATCH, HIDDEN),
        "peepholes": floats(count, 3 * HIDDEN),
        "ws": generator.uniform(0.005, 0.02, scales).astype(np.float32),
        "wz": np.full(scales, point, dtype),
        "rs": generator.uniform(0.005, 0.02, scales).astype(np.float32),
        "rz": np.full(scales, point, dtype),
    }
    return {name: x for name, x in made.items() if name not in OPTIONAL or name in optional}


def model_of(given: Arrays, at_run_time: tuple[str, ...], **attributes: Any) -> onnx.ModelProto:
    """A model of one op: some operands are inputs, the others constants."""
    order = ("x", "w", "r", *OPTIONAL, "ws", "wz", "rs", "rz")
    node = helper.make_node(
        "DynamicQuantizeLSTM",
        [name if name in given else "" for name in order],
        ["y", "y_h", "y_c"],
        name="layer",
        domain="com.microsoft",
        hidden_size=HIDDEN,
        **attributes,
    )
    graph = helper.make_graph(
        [node],
        "dynamic_lstm",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(given[name].dtype), given[name].shape
            )
            for name in at_run_time
        ],
        [helper.make_tensor_value_info(name, 1, None) for name in ("y", "y_h", "y_c")],
        [numpy_helper.from_array(x, name) for name, x in given.items() if name not in at_run_time],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def on_one_thread(model: onnx.ModelProto, inputs: Arrays) -> Arrays:
    """ONNX Runtime's outputs, op by op: on several threads it shares out sequences, whose scales then differ."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, map(np.asarray, session.run(names, inputs)), strict=True))


def close(found: Mapping[str, np.ndarray], wanted: Mapping[str, np.ndarray]) -> None:
    for name, want in wanted.items():
        assert found[name].shape == want.shape and found[name].dtype == want.dtype
        np.testing.assert_allclose(found[name], want, rtol=0, atol=2e-6, err_msg=name)


@pytest.mark.parametrize(
    ("dtype", "each_channel", "optional", "attributes"),
    [
        ("i1", False, (), {}),
        ("u1", False, ("bias",), {}),
        ("i1", True, ("bias", "hidden", "cell"), {"clip": 0.7}),
        ("i1", False, ("bias", "lengths", "hidden"), {}),
        ("u1", True, OPTIONAL, {}),
        ("i1", False, ("bias", "peepholes"), {"input_forget": 1}),
        (
            "i1",
            False,
            ("bias",),
            {
                "activations": ["HardSigmoid", "Tanh", "ScaledTanh"],
                "activation_alpha": [0.3, 0.8],
                "activation_beta": [0.4, 0.9],
            },
        ),
    ],
    ids=["plain", "unsigned", "channels", "lengths", "all", "input_forget", "activations"],
)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_layers(
    direction: str,
    dtype: str,
    each_channel: bool,
    optional: tuple[str, ...],
    attributes: dict[str, Any],
):
    given = operands(direction, dtype, each_channel=each_channel, optional=optional)
    repeated = {
        name: value * DIRECTIONS[direction] if isinstance(value, list) else value
        for name, value in attributes.items()
    }
    at_run_time = tuple(name for name in ("x", "lengths", "hidden") if name in given)
    model = model_of(given, at_run_time, direction=direction, **repeated)
    inputs = {name: given[name] for name in at_run_time}
    wanted = on_one_thread(model, inputs)
    close(import_model(model).run(inputs), wanted)
    close(compile_model(model, quantize="f32").run(inputs), wanted)


@pytest.mark.parametrize("quantize", ["f16", "bf16"])
def test_half_precision(quantize: str):
    """The host computes the layer in f32, whatever the network computes in."""
    given = operands("forward", "i1", each_channel=False, optional=("bias", "hidden"))
    model, inputs = model_of(given, ("x",)), {"x": given["x"]}
    close(compile_model(model, quantize=quantize).run(inputs), on_one_thread(model, inputs))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"direction": "up"}, "direction is 'up'"),
        ({"activations": ["Tanh"]}, "3 activations are needed, it has 1"),
    ],
)
def test_wrong_attributes(change: dict[str, Any], words: str):
    given = operands("forward", "i1", each_channel=False, optional=())
    with pytest.raises(DiagnosticError, match=words):
        import_model(model_of(given, ("x",), **change))


def test_wrong_scales():
    given = operands("forward", "i1", each_channel=False, optional=())
    given["ws"] = np.ones(3, np.float32)
    with pytest.raises(DiagnosticError, match="weights_scale must have shape"):
        import_model(model_of(given, ("x",)))


def test_rawi(shared_file):
    """A network of two bidirectional layers that puts diacritics on Arabic letters."""
    model = shared_file("models/real/tashkeel_rawi_int8.onnx")
    letters = {"input": np.random.default_rng(0).integers(0, 302, (1, 16))}
    wanted = on_one_thread(onnx.load(model), letters)
    shapes = {"input": (1, 16)}
    for found in (
        import_model(model, input_shapes=shapes),
        compile_model(model, input_shapes=shapes, quantize="f32", target="default-8c"),
    ):
        result = found.run(letters)["output"]
        np.testing.assert_allclose(result, wanted["output"], rtol=0, atol=1e-5)
