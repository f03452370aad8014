"""Tensors without elements: valid models that make them compile, and give at every level what ONNX Runtime gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.simulator.simulate import simulate
from smalti.compiler import compare_model, compile_model, import_model
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.dialects.level import Level

from tests.unit.compiler.onnx_import.onnx_models import model_of, random_input

node = helper.make_node
ROWS, IMAGE = (3, 4), (2, 4, 4, 4)
LEVELS: Sequence[Level] = ("top", "tpu", "tile")
NUMBERS = np.arange(5, dtype=np.float32)
REDUCTIONS = (
    "ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2",
    "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp",
)  # fmt: skip


def without(axis: int, shape: tuple[int, ...], *nodes: NodeProto, **constants) -> ModelProto:
    """A model whose nodes read `none`, the input `x` without any elements along an axis, and make `y`."""
    slice = node("Slice", ["x", "start", "end", "axis"], ["none"])
    bounds = {"start": np.array([2]), "end": np.array([2]), "axis": np.array([axis])}
    return model_of([slice, *nodes], {"x": shape}, constants={**bounds, **constants}, opset=18)


def floats(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


def inputs_of(model: ModelProto) -> dict[str, np.ndarray]:
    shapes = {
        each.name: [size.dim_value for size in each.type.tensor_type.shape.dim]
        for each in model.graph.input
    }
    return {name: random_input(*shape) for name, shape in shapes.items()}


def check(model: ModelProto, *quantize: str) -> None:
    """Compare top, as imported, and each level, in each number format, with ONNX Runtime."""
    inputs = inputs_of(model)
    expected = run_onnx(model, inputs)
    agree(import_model(model).run(inputs), expected)
    for each in quantize or ("f32", "f16", "int8"):
        samples = {name: np.concatenate([array] * 4) for name, array in inputs.items()}
        options = CompileOptions("edge-1c", None, each, samples if each == "int8" else None)  # pyright: ignore[reportArgumentType]
        compilation = start_from_model(model, options)
        tolerance = {"f32": 1e-6, "f16": 0.01, "int8": 0.05}[each]
        for level in LEVELS:
            compilation.lower_to(level)
            agree(run_ir(compilation.module, compilation.ctx, inputs), expected, tolerance)
        outputs = simulate(compilation.assemble(), inputs, sanitize=True).outputs
        assert outputs is not None
        agree(outputs, expected, tolerance)


def agree(
    found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], tolerance: float = 1e-6
) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].shape == value.shape
        np.testing.assert_allclose(found[name], value, atol=tolerance)


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("op", REDUCTIONS)
def test_reductions_of_nothing(op, keepdims):
    reduce = node(op, ["none", "axes"], ["y"], keepdims=keepdims)
    check(without(1, ROWS, reduce, axes=np.array([1])))


@pytest.mark.parametrize("op", ["ReduceSum", "ReduceMean", "ReduceProd"])
def test_reductions_of_nothing_to_a_scalar_that_is_used(op):
    nodes = [node(op, ["none"], ["one"], keepdims=0), node("Mul", ["x", "one"], ["y"])]
    check(without(1, ROWS, *nodes))


def test_a_reduction_of_nothing_that_is_infinite():
    nodes = [node("ReduceMax", ["none"], ["one"]), node("Max", ["x", "one"], ["y"])]
    check(without(1, ROWS, *nodes), "f32", "f16")


PRODUCTS = {
    "of a constant": ([node("MatMul", ["none", "w"], ["y"])], {"w": floats(0, 5)}),
    "of run time": (
        [node("Transpose", ["none"], ["back"]), node("MatMul", ["none", "back"], ["y"])],
        {},
    ),
    "with a bias": (
        [node("Gemm", ["none", "w", "b"], ["y"])],
        {"w": floats(0, 5), "b": NUMBERS},
    ),
    "with an addend of run time": (
        [node("Gemm", ["none", "w", "x"], ["y"])],
        {"w": floats(0, 4)},
    ),
    "of an einsum": (
        [node("Einsum", ["none", "w"], ["y"], equation="ij,jk->ik")],
        {"w": floats(0, 5)},
    ),
    "that is activated": (
        [
            node("MatMul", ["none", "w"], ["product"]),
            node("Add", ["product", "b"], ["sum"]),
            node("Relu", ["sum"], ["y"]),
        ],
        {"w": floats(0, 5), "b": NUMBERS},
    ),
}


@pytest.mark.parametrize("case", PRODUCTS)
def test_products_over_nothing(case):
    nodes, constants = PRODUCTS[case]
    check(without(1, ROWS, *nodes, **constants))


def test_convolutions_over_nothing():
    conv = node("Conv", ["none", "w", "b"], ["y"], pads=[1, 1, 1, 1])
    check(without(1, IMAGE, conv, w=floats(5, 0, 3, 3), b=NUMBERS))
    check(without(2, IMAGE, conv, w=floats(5, 4, 2, 2), b=NUMBERS))


@pytest.mark.parametrize(
    ("pads", "attributes"),
    [
        ((0, 1, 0, 2), {}),
        ((1, 0, 1, 0), {"mode": "edge"}),
        ((1, -2, 0, 3), {}),
    ],
    ids=["filled", "still_empty", "cropped_and_filled"],
)
def test_pads_of_nothing(pads, attributes):
    pad = node("Pad", ["none", "pads", "value"], ["y"], **attributes)
    number = np.float32(1.5)
    if min(pads) < 0:
        pad.input[0] = "x"
    check(without(1, ROWS, pad, pads=np.array(pads), value=number))


def test_a_crop_that_leaves_nothing():
    pad = node("Pad", ["x", "pads"], ["y"])
    check(without(1, ROWS, pad, pads=np.array([0, -2, 0, -2])))


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_resizes_of_nothing(mode):
    scaled = node("Resize", ["none", "", "scales"], ["y"], mode=mode)
    sized = node("Resize", ["none", "", "", "sizes"], ["y"], mode=mode)
    scales = np.array([1, 1, 2, 2], np.float32)
    check(without(0, IMAGE, scaled, scales=scales))
    check(without(0, IMAGE, sized, sizes=np.array([0, 4, 8, 2])))
    check(without(2, IMAGE, scaled, scales=scales), "f32")


def test_top_k_of_none():
    k, zero = np.array([2]), np.array([0])
    nodes = [
        node("TopK", ["x", "zero"], ["y", "places"]),
        node("TopK", ["none", "k"], ["greatest", "rows"], axis=0),
    ]
    model = without(1, ROWS, *nodes, k=k, zero=zero)
    for name, element in (("places", 7), ("greatest", 1)):
        model.graph.output.append(helper.make_tensor_value_info(name, element, None))
    check(model)


NORMALIZATIONS = {
    "LayerNormalization": (ROWS, {"w": floats(4), "b": floats(4)}, {}),
    "InstanceNormalization": (IMAGE, {"w": floats(4), "b": floats(4)}, {}),
    "MeanVarianceNormalization": (IMAGE, {}, {}),
    "LpNormalization": (ROWS, {}, {}),
    "LRN": (IMAGE, {}, {"size": 3}),
    "Softmax": (ROWS, {}, {}),
    "LogSoftmax": (ROWS, {}, {}),
    "CumSum": (ROWS, {"axis_of_sums": np.array(1)}, {}),
}


@pytest.mark.parametrize("op", NORMALIZATIONS)
def test_normalizations_of_nothing(op):
    shape, constants, attributes = NORMALIZATIONS[op]
    check(without(0, shape, node(op, ["none", *constants], ["y"], **attributes), **constants))


def test_positions_of_nothing():
    nodes = [
        node("ArgMax", ["none"], ["places"], axis=0),
        node("Cast", ["places"], ["y"], to=1),
    ]
    check(without(1, ROWS, *nodes))


@pytest.mark.parametrize("quantize", ["f32", "int8"])
def test_an_input_without_elements(quantize):
    """Attention whose keys of earlier tokens are none yet, as at the first token."""
    nodes = [
        node("Concat", ["past", "x"], ["keys"], axis=0),
        node("Transpose", ["keys"], ["turned"], perm=[1, 0]),
        node("MatMul", ["x", "turned"], ["y"]),
    ]
    model = model_of(nodes, {"past": ("earlier", 4), "x": (3, 4)}, ["y", "keys"])
    inputs = {"past": floats(0, 4), "x": random_input(3, 4)}
    calibration = inputs if quantize == "int8" else None
    for sizes in ({"symbols": {"earlier": 0}}, {"input_shapes": {"past": (0, 4)}}):
        compiled = compile_model(model, quantize=quantize, calibration=calibration, **sizes)
        agree(compiled.run(inputs), run_onnx(model, inputs), 0.05 if calibration else 1e-6)


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_a_program_whose_outputs_are_empty(shape, capsys):
    """A declared size of 0 is a size; the warning says what else the exporter may have meant."""
    model = model_of([node("Exp", ["x"], ["a"]), node("Add", ["a", "x"], ["y"])], {"x": shape})
    check(model, "f32", "f16")
    assert f"axis {shape.index(0)} is declared with size 0" in capsys.readouterr().err
    assert import_model(model, input_shapes={"x": (2, *shape[1:])}).run(
        {"x": floats(2, *shape[1:])}
    )["y"].shape == (2, *shape[1:])


def test_a_reduction_over_a_declared_size_of_0():
    model = model_of([node("ReduceSum", ["x"], ["y"], keepdims=0)], {"x": (2, 0, 4)})
    check(model, "f32", "f16")


def test_levels_are_compared_with_onnx_runtime():
    nodes = [node("Relu", ["none"], ["empty"]), node("Pad", ["empty", "pads"], ["y"])]
    model = without(1, ROWS, *nodes, pads=np.array([0, 0, 0, 2]))
    for level in LEVELS:
        report = compare_model(model, level=level, quantize="f32", inputs=inputs_of(model))
        assert [each.whole.equal for each in report.outputs] == [True]


@pytest.mark.parametrize(
    ("axis", "shape", "nodes", "constants", "message"),
    [
        (1, ROWS, [node("ArgMax", ["none"], ["y"], axis=1)], {}, r"axis 1 of \[3, 0\] has no"),
        (1, ROWS, [node("ArgMin", ["none"], ["y"], axis=1)], {}, r"axis 1 of \[3, 0\] has no"),
        (
            1,
            ROWS,
            [node("Pad", ["none", "pads"], ["y"], mode="edge")],
            {"pads": np.array([0, 0, 0, 2])},
            "mode edge finds no element along axis 1",
        ),
        (
            2,
            IMAGE,
            [node("Resize", ["none", "", "", "sizes"], ["y"])],
            {"sizes": np.array([2, 4, 8, 8])},
            "an axis without elements cannot be resized to 8",
        ),
        (2, IMAGE, [node("GlobalMaxPool", ["none"], ["y"])], {}, "has no pixels to pool"),
        (
            2,
            IMAGE,
            [node("MaxPool", ["none"], ["y"], kernel_shape=[2, 2], pads=[1, 1, 1, 1])],
            {},
            "has no pixels to pool",
        ),
    ],
    ids=["argmax", "argmin", "pad", "resize", "global_pool", "pool"],
)
def test_what_onnx_runtime_refuses(axis, shape, nodes, constants, message):
    model = without(axis, shape, *nodes, **constants)
    with pytest.raises(DiagnosticError):
        run_onnx(model, inputs_of(model))
    with pytest.raises(DiagnosticError, match=message):
        compile_model(model, quantize="f32")
