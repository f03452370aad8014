"""ONNX graphs of float16 and bfloat16, and of several float types, through the importer."""

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.transformers.float16 import convert_float_to_float16
from smalti.backends.cpu.session import run_onnx
from smalti.backends.interpreter.top import run_top
from smalti.compiler.analysis.comparison import Difference
from smalti.compiler.demo.digits import MODEL, load_images
from smalti.dialects.quant.element_type import element_storage
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline

from tests.onnx_suite.cases import case_named
from tests.unit.compiler.onnx_import.onnx_models import (
    imported,
    model_of,
    ops_of,
    random_input,
    run_imported,
)

BFLOAT16 = ml_dtypes.bfloat16
DATA_TYPES = {np.float16: TensorProto.FLOAT16, BFLOAT16: TensorProto.BFLOAT16}


def retyped(model: onnx.ModelProto, dtype: type) -> onnx.ModelProto:
    """The model with f32 inputs, outputs and initializers in another float type."""
    graph = model.graph
    for value in [*graph.input, *graph.output]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = DATA_TYPES[dtype]
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            array = numpy_helper.to_array(tensor).astype(dtype)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    return model


@pytest.mark.parametrize("keep_io_types", [True, False])
def test_a_model_of_onnxruntime_s_float16_converter(keep_io_types: bool):
    """With f32 inputs its casts stand last, out of order; Resize stays in f32 between casts."""
    _, images, _ = load_images()
    inputs = {"image": images[:8]}
    model = convert_float_to_float16(onnx.load(MODEL), keep_io_types=keep_io_types)
    assert "Cast" in {node.op_type for node in model.graph.node}
    expected = run_onnx(MODEL, inputs)["logits"]
    got = run_imported(model, inputs)["logits"]
    assert got.dtype == (np.float32 if keep_io_types else np.float16)
    # ONNX Runtime rounds to float16 after every node, as top does.
    reference = run_onnx(model, inputs)["logits"].astype(np.float32)
    assert Difference.between("", got, expected).snr_db > 45
    assert Difference.between("", got, reference).snr_db > 45


@pytest.mark.parametrize("dtype", [np.float16, BFLOAT16])
def test_every_op_computes_in_the_type_of_the_graph(dtype: type):
    """Each result is the f32 one within a rounding of the type, and of the type."""
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c", "s", "b", "b", "v"], ["n"]),
        helper.make_node("Clip", ["n", "low", "high"], ["k"]),
        helper.make_node("MaxPool", ["k"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Softmax", ["p"], ["q"], axis=1),
        helper.make_node("ReduceMean", ["q"], ["r"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["r", "m"], ["y"], alpha=0.5, beta=2.0),
    ]
    constants = {
        "w": random_input(6, 4, 3, 3, seed=1) / 6,
        "b": random_input(6, seed=2),
        "s": random_input(6, seed=3),
        "v": np.abs(random_input(6, seed=4)) + 0.5,
        "low": np.float32(-1),
        "high": np.float32(2),
        "m": random_input(6, 5, seed=5),
    }
    model = model_of(nodes, {"x": [1, 4, 8, 8]}, ["y", "q"], constants)
    inputs = {"x": random_input(1, 4, 8, 8)}
    expected = run_onnx(model, inputs)
    model = retyped(model, dtype)
    module, ctx = imported(model)
    assert {element_storage(op.results[0].type) for op in ops_of(module)} == {
        "f16" if dtype == np.float16 else "bf16"
    }
    got = run_top(module, ctx.weights, inputs)
    run_pipeline(ctx, module, parse_pipeline("top-fold-shapes,top-fold-batch-norm"))
    assert "top.batch_norm" not in {op.name for op in ops_of(module)}
    folded = run_top(module, ctx.weights, inputs)
    least = 50 if dtype == np.float16 else 32
    for name, value in expected.items():
        for result in (got, folded):
            assert result[name].dtype == dtype
            assert Difference.between(name, result[name], value).snr_db > least


CASTS = [
    "FLOAT_to_FLOAT16", "FLOAT16_to_FLOAT", "FLOAT_to_BFLOAT16", "BFLOAT16_to_FLOAT",
]  # fmt: skip


@pytest.mark.share(3)
def test_casts_of_the_node_suite():
    """Bit by bit."""
    for types in CASTS:
        model, (((x,), (y,)),) = case_named(f"test_cast_{types}").load()
        got = run_imported(model, {"input": x})["output"]
        assert got.dtype == y.dtype
        np.testing.assert_array_equal(got.view(np.uint8), y.view(np.uint8), err_msg=types)


def test_casts_between_float_types_at_run_time():
    """A cast to the tensor's own type is none; constants are cast at import."""
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16),
        helper.make_node("Cast", ["h"], ["same"], to=TensorProto.FLOAT16),
        helper.make_node("Cast", ["w"], ["wh"], to=TensorProto.FLOAT16),
        helper.make_node("Add", ["same", "wh"], ["a"]),
        helper.make_node("Cast", ["a"], ["y"], to=TensorProto.FLOAT),
    ]
    model = model_of(nodes, {"x": [2, 3]}, constants={"w": random_input(3, seed=1)})
    module, _ = imported(model)
    assert [op.name for op in ops_of(module)] == ["top.cast", "top.add", "top.cast"]
    x = random_input(2, 3)
    expected = x.astype(np.float16) + random_input(3, seed=1).astype(np.float16)
    np.testing.assert_array_equal(run_imported(model, {"x": x})["y"], expected.astype(np.float32))


def test_batch_norm_statistics_of_another_type():
    """Since opset 15 they may be f32 where the image is f16: no variance is lost to f16's range."""
    constants = {
        "s": np.ones(3, np.float32),
        "b": np.zeros(3, np.float32),
        "m": np.zeros(3, np.float32),
        "v": np.array([1e-9, 1.0, 1e9], np.float32),
    }
    node = helper.make_node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], epsilon=0.0)
    model = model_of([node], {"x": [1, 3, 2, 2]}, constants=constants)
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    x = random_input(1, 3, 2, 2).astype(np.float16)
    got = run_imported(model, {"x": x})["y"].astype(np.float32)
    deviation = np.sqrt(constants["v"]).reshape(1, 3, 1, 1)
    np.testing.assert_allclose(got, x.astype(np.float32) / deviation, rtol=2e-3, atol=1e-6)


def test_arithmetic_of_f64():
    model = model_of(
        [helper.make_node("Add", ["x", "d"], ["y"])], {"x": [3]}, constants={"d": np.full(3, 1e-12)}
    )
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.elem_type = TensorProto.DOUBLE
    got = run_imported(model, {"x": np.ones(3)})["y"]
    np.testing.assert_array_equal(got, np.ones(3) + 1e-12)
