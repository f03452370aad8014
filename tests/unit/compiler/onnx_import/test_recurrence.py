"""LSTM, GRU and RNN against ONNX Runtime, rolled up and unrolled, over what attributes and inputs can be."""

from collections.abc import Set

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.top import run_top
from smalti.compiler import compile_model
from smalti.compiler.onnx_import.model.limits import ImportLimits
from smalti.dialects import top
from smalti.passes.top.unroll_recurrence import UnrollRecurrence

from tests.shared_files import SHARED
from tests.unit.compiler.onnx_import.onnx_models import imported

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
FUNCTIONS = {"LSTM": 3, "GRU": 2, "RNN": 1}
OF_ALPHA = ("LeakyRelu", "ThresholdedRelu", "Elu", "HardSigmoid", "Affine", "ScaledTanh")
OF_BETA = ("HardSigmoid", "Affine", "ScaledTanh")
BOUNDED = ("Sigmoid", "Tanh", "Softsign", "HardSigmoid", "ScaledTanh")
"""Activations with which no state grows without bound."""
OTHERS = ("Relu", "Softplus", "LeakyRelu", "ThresholdedRelu", "Elu", "Affine")


def layer(
    op: str,
    *,
    steps: int = 3,
    batch: int = 2,
    size: int = 4,
    inputs: int = 5,
    given: Set[str] = frozenset(),
    constant: Set[str] = frozenset({"W", "R", "B", "P"}),
    outputs: tuple[str, ...] = ("Y", "Y_h"),
    lengths: tuple[int, ...] | None = None,
    opset: int = 14,
    seed: int = 0,
    **attributes: object,
) -> tuple[ModelProto, dict[str, np.ndarray]]:
    """A model of one layer, and its inputs: W, R and those that are `given`; the `constant` ones are initializers."""
    rng = np.random.default_rng(seed)
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    units = GATES[op] * size
    batch_first = bool(attributes.get("layout", 0))
    state = (batch, directions, size) if batch_first else (directions, batch, size)
    shapes = {
        "X": (batch, steps, inputs) if batch_first else (steps, batch, inputs),
        "W": (directions, units, inputs),
        "R": (directions, units, size),
        "B": (directions, 2 * units),
        "sequence_lens": (batch,),
        "initial_h": state,
        "initial_c": state,
        "P": (directions, 3 * size),
    }
    arrays = {
        name: (rng.standard_normal(shape) * 0.5).astype(np.float32)
        for name, shape in shapes.items()
        if name in {"X", "W", "R", *given}
    }
    if lengths is not None:
        arrays["sequence_lens"] = np.array(lengths, np.int32)
    names = list(shapes)[: 8 if op == "LSTM" else 6]
    node = helper.make_node(
        op, [name if name in arrays else "" for name in names], list(outputs), name="layer",
        hidden_size=size, **attributes,
    )  # fmt: skip
    fed = {name: each for name, each in arrays.items() if name in names and name not in constant}
    elements = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int32): TensorProto.INT32}
    graph = helper.make_graph(
        [node],
        "layer",
        [
            helper.make_tensor_value_info(name, elements[each.dtype], each.shape)
            for name, each in fed.items()
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs if name],
        [numpy_helper.from_array(arrays[name], name) for name in constant if name in arrays],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8), fed


def check(model: ModelProto, fed: dict[str, np.ndarray], expected=None) -> None:
    """Compare the layer as it is imported, and what it is unrolled to, with ONNX Runtime."""
    expected = run_onnx(model, fed) if expected is None else expected
    module, ctx = imported(model)
    rolled = [op for op in module.walk() if isinstance(op, top.RecurrentOp)]
    assert len(rolled) == len(model.graph.output)
    most = rolled[0].most_unrolled_ops
    for unrolled in (False, True):
        if unrolled:
            UnrollRecurrence().apply(ctx, module)
            module.verify()
            ops = [op for op in module.walk() if op.name.startswith("top.")]
            assert not any(isinstance(op, top.RecurrentOp) for op in ops)
            names = [op.properties["name"] for op in ops]
            assert len(set(names)) == len(names)
            assert len(ops) <= most + 60
        found = run_top(module, ctx.weights, fed)
        for name, want in expected.items():
            np.testing.assert_allclose(found[name], want, rtol=2e-5, atol=2e-5, err_msg=name)


@st.composite
def layers(draw: st.DrawFn) -> tuple[ModelProto, dict[str, np.ndarray]]:
    """A layer with any attributes and inputs, constant or fed."""
    op = draw(st.sampled_from(sorted(GATES)))
    direction = draw(st.sampled_from(["forward", "reverse", "bidirectional"]))
    steps, batch = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    attributes: dict[str, object] = {"direction": direction}
    count = FUNCTIONS[op] * (2 if direction == "bidirectional" else 1)
    if draw(st.booleans()):
        # One activation at most that is not bounded: several make the states of some layers overflow.
        kinds = [draw(st.sampled_from(BOUNDED)) for _ in range(count)]
        kinds[draw(st.integers(0, count - 1))] = draw(st.sampled_from([*BOUNDED, *OTHERS]))
        attributes["activations"] = kinds
        numbers = st.floats(0.125, 0.875, width=16)
        for name, having in (("alpha", OF_ALPHA), ("beta", OF_BETA)):
            parameters = [draw(numbers) for kind in kinds if kind in having]
            if parameters:
                attributes[f"activation_{name}"] = parameters
    if draw(st.booleans()):
        attributes["clip"] = draw(st.sampled_from([0.25, 1.0]))
    if op == "GRU":
        attributes["linear_before_reset"] = draw(st.integers(0, 1))
    if op == "LSTM":
        attributes["input_forget"] = draw(st.integers(0, 1))
    optional = ["B", "initial_h", *(["initial_c", "P"] if op == "LSTM" else [])]
    results = ["Y", "Y_h", *(["Y_c"] if op == "LSTM" else [])]
    used = draw(st.sets(st.sampled_from(results), min_size=1))
    lengths = None
    if draw(st.booleans()):
        lengths = tuple(draw(st.integers(1, steps)) for _ in range(batch))
    return layer(
        op,
        steps=steps,
        batch=batch,
        size=draw(st.integers(1, 5)),
        inputs=draw(st.integers(1, 5)),
        given=draw(st.sets(st.sampled_from(optional))),
        constant=draw(st.sets(st.sampled_from(["W", "R", "sequence_lens", *optional]))),
        outputs=tuple(name if name in used else "" for name in results),
        lengths=lengths,
        opset=draw(st.sampled_from([7, 14])),
        seed=draw(st.integers(0, 2**32 - 1)),
        **attributes,
    )


@given(layers())
@settings(max_examples=40)
def test_layers_equal_onnxruntime(drawn):
    check(*drawn)


@pytest.mark.parametrize("op", sorted(GATES))
@pytest.mark.parametrize("direction", ["reverse", "bidirectional"])
def test_batch_first_is_the_same_transposed(op, direction):
    """ONNX Runtime has no layout 1."""
    given = {"B", "initial_h", "initial_c"} if op == "LSTM" else {"B", "initial_h"}
    outputs = ("Y", "Y_h", "Y_c")[: 3 if op == "LSTM" else 2]
    model, fed = layer(op, given=given, outputs=outputs, direction=direction, layout=1)
    plain, _ = layer(op, given=given, outputs=outputs, direction=direction)
    swapped = {name: each.swapaxes(0, 1) for name, each in fed.items()}
    results = run_onnx(plain, swapped)
    expected = {name: each.swapaxes(0, 1) for name, each in results.items()}
    expected["Y"] = results["Y"].transpose(2, 0, 1, 3)
    check(model, fed, expected)


@pytest.mark.share(3)
@pytest.mark.parametrize("op", sorted(GATES))
@pytest.mark.parametrize("lengths", [None, (3, 1)])
def test_layers_on_the_device(op, lengths):
    model, fed = layer(
        op, given={"B", "initial_h"}, lengths=lengths, direction="bidirectional", outputs=("Y",)
    )
    found = compile_model(model, quantize="f32").run(fed)
    np.testing.assert_allclose(found["Y"], run_onnx(model, fed)["Y"], rtol=1e-5, atol=1e-5)


def test_int8_is_near():
    model, fed = layer("LSTM", steps=4, size=16, inputs=16, given={"B"}, outputs=("Y",))
    compiled = compile_model(model, quantize="int8", calibration={"X": fed["X"]})
    want = run_onnx(model, fed)["Y"]
    assert np.abs(compiled.run(fed)["Y"] - want).max() < 0.05 * np.abs(want).max()


def test_no_steps_and_lengths_of_zero():
    """A sequence without a step keeps its initial state; ONNX Runtime gives 0 for a GRU."""
    model, fed = layer("GRU", given={"initial_h"}, lengths=(0, 3), outputs=("Y", "Y_h"))
    module, ctx = imported(model)
    UnrollRecurrence().apply(ctx, module)
    found = run_top(module, ctx.weights, fed)
    np.testing.assert_array_equal(found["Y_h"][0, 0], fed["initial_h"][0, 0])
    assert not found["Y"][:, 0, 0].any()
    model, fed = layer("LSTM", steps=0, given={"initial_c"}, outputs=("Y", "Y_h", "Y_c"))
    module, ctx = imported(model)
    UnrollRecurrence().apply(ctx, module)
    found = run_top(module, ctx.weights, fed)
    assert found["Y"].shape == (0, 1, 2, 4) and not found["Y_h"].any()
    np.testing.assert_array_equal(found["Y_c"], fed["initial_c"])


def test_weights_appear_once_and_are_transposed_here():
    module, ctx = imported(layer("LSTM", steps=5, given={"B"})[0])
    UnrollRecurrence().apply(ctx, module)
    weights = [op for op in module.walk() if isinstance(op, top.WeightOp)]
    assert sorted(op.output.type.get_shape() for op in weights) == [(4, 16), (5, 16), (16,)]


def _changed(node: NodeProto, **attributes: object) -> None:
    kept = [each for each in node.attribute if each.name not in attributes]
    del node.attribute[:]
    node.attribute.extend(kept)
    node.attribute.extend(helper.make_attribute(*each) for each in attributes.items())


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"direction": "up"}, "direction is 'up', expected one of forward, reverse"),
        ({"hidden_size": 3}, r"hidden_size is 3, but R has shape \[1, 12, 4\]"),
        ({"activations": ["Tanh"]}, "2 activations are needed, it has 1"),
        ({"activations": ["Tanh", "Gelu"]}, "there is no activation 'Gelu'"),
        ({"activations": ["Tanh", "ScaledTanh"]}, "scaled_tanh needs activation_alpha"),
        ({"clip": -1.0}, "clip must be positive, got -1.0"),
        ({"direction": "bidirectional"}, r"weights must have shape \[2, 12, 5\]"),
    ],
)
def test_mistakes(attributes, message):
    model, _ = layer("GRU")
    _changed(model.graph.node[0], **attributes)
    with pytest.raises(DiagnosticError, match=message):
        imported(model)


def test_lengths_beyond_the_steps():
    model, _ = layer("RNN", lengths=(3, 4), constant={"sequence_lens"})
    with pytest.raises(DiagnosticError, match=r"between 0 and the 3 steps, got \[3, 4\]"):
        imported(model)


def test_the_number_of_steps_is_limited():
    model, _ = layer("LSTM", steps=500)
    with pytest.raises(
        DiagnosticError, match=r"its 500 steps .*limit of 20,000 \(unrolled-nodes\)"
    ):
        imported(model)
    imported(model, limits=ImportLimits(unrolled_nodes=100_000))


def test_aecmos_equals_onnxruntime():
    """A network of speech quality with two bidirectional GRUs, whose states are inputs."""
    file = SHARED / "models" / "real" / "aecmos.onnx"
    if not file.exists():
        pytest.skip(f"{file.name} is not here: public data (set SMALTI_SHARED)")
    rng = np.random.default_rng(0)
    shapes = {"input": (1, 3, 100, 160), "h0": (4, 1, 64)}
    fed = {name: rng.random(shape, np.float32) for name, shape in shapes.items()}
    module, ctx = imported(file, input_shapes=shapes)
    found = run_top(module, ctx.weights, fed)
    for name, want in run_onnx(file, fed).items():
        np.testing.assert_allclose(found[name], want, atol=1e-4 * np.abs(want).max(), rtol=0)
