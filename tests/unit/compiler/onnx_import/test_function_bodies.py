"""Ops that ONNX defines by functions, and forms of ops that are imported by them."""

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects.ir.location import place_of

from tests.unit.compiler.onnx_import.onnx_models import (
    imported,
    model_of,
    ops_of,
    random_input,
    run_imported,
)

ROTARY = helper.make_node("RotaryEmbedding", ["x", "cos", "sin"], ["y"], name="rotary", num_heads=2)
SHAPES = {"x": (1, 3, 8), "cos": (1, 3, 2), "sin": (1, 3, 2)}


def test_ops_carry_the_node_they_come_from_and_names_of_their_own():
    """Even if a tensor of the model has the name that one inside would get."""
    nodes = [ROTARY, helper.make_node("Relu", ["y"], ["y_x1"])]
    module, _ = imported(model_of(nodes, SHAPES, ["y_x1"], opset=23))
    ops = ops_of(module)
    names = [op.result_name.data for op in ops]  # pyright: ignore[reportAttributeAccessIssue]
    assert len(set(names)) == len(names) and "y" in names and "y_x1" in names
    assert {place_of(op).name for op in ops} == {"rotary", "Relu_1"}


def test_values_are_those_of_onnx_runtime():
    model = model_of([ROTARY], SHAPES, opset=23)
    inputs = {name: random_input(*shape) for name, shape in SHAPES.items()}
    found = run_imported(model, inputs)["y"]
    np.testing.assert_allclose(found, run_onnx(model, inputs)["y"], atol=1e-6)


def test_nodes_that_no_used_output_needs_are_left_out():
    node = helper.make_node("Attention", [*"qkv"], ["y", "", "", "scores"], name="attention")
    module, _ = imported(model_of([node], dict.fromkeys("qkv", (1, 2, 3, 4)), ["scores"], opset=23))
    assert not {"top.softmax"} & {op.name for op in ops_of(module)}


def test_what_a_form_of_an_op_lacks_is_told_rather_than_what_its_function_needs():
    node = helper.make_node("Range", ["start", "limit", "delta"], ["r"], name="range")
    model = model_of([node], {"start": (), "limit": (), "delta": ()}, ["r"], opset=11)
    with pytest.raises(DiagnosticError) as caught:
        imported(model)
    (note,) = caught.value.notes
    assert str(note) == ("Range (opset 11), 'range': its input start is computed at run time")


@pytest.mark.parametrize("dtype", [TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.BOOL])
def test_cast_like(dtype):
    """The elements of the other tensor are read by nobody; constants are cast at import."""
    graph = helper.make_graph(
        [
            helper.make_node("CastLike", ["x", "like"], ["y"]),
            helper.make_node("CastLike", ["c", "like"], ["z"]),
        ],
        "casts",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [4]),
            helper.make_tensor_value_info("like", dtype, [0]),
        ],
        [helper.make_tensor_value_info(name, dtype, [4]) for name in ("y", "z")],
        [helper.make_tensor("c", TensorProto.INT64, [4], [0, 1, 2, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)])
    other = helper.tensor_dtype_to_np_dtype(dtype)
    x = np.array([0.0, 1.0, 2.5, -3.0], np.float32)
    found = run_imported(model, {"x": x, "like": np.zeros(0, other)})
    np.testing.assert_array_equal(found["y"], x.astype(other))
    np.testing.assert_array_equal(found["z"], np.arange(4).astype(other))


QKV = dict.fromkeys("qkv", (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("node", "shapes", "opset", "dtype"),
    [
        (ROTARY, SHAPES, 23, TensorProto.FLOAT),
        (helper.make_node("SwiGLU", ["a", "b"], ["y"]), {"a": (2, 3), "b": (2, 3)}, 28, 1),
        (helper.make_node("Attention", [*"qkv"], ["y"]), QKV, 23, TensorProto.FLOAT),
        (helper.make_node("Attention", [*"qkv"], ["y"]), QKV, 23, TensorProto.BFLOAT16),
    ],
    ids=["rotary", "swiglu", "attention", "attention-bf16"],
)
def test_of_constants_they_are_folded_with_the_same_numbers(
    node: NodeProto, shapes: dict[str, tuple[int, ...]], opset: int, dtype: int
):
    """By the function, as at run time: ONNX Runtime is never asked, and lacks some of them."""
    element = helper.tensor_dtype_to_np_dtype(dtype)
    arrays = {name: random_input(*shape).astype(element) for name, shape in shapes.items()}

    def model(inputs: dict[str, tuple[int, ...]]) -> ModelProto:
        return helper.make_model(
            helper.make_graph(
                [node],
                "one",
                [helper.make_tensor_value_info(name, dtype, each) for name, each in inputs.items()],
                [helper.make_tensor_value_info("y", dtype, None)],
                [numpy_helper.from_array(arrays[n], n) for n in arrays if n not in inputs],
            ),
            opset_imports=[helper.make_opsetid("", opset)],
        )

    folded, _ = imported(model({}))
    assert not ops_of(folded)
    np.testing.assert_array_equal(
        run_imported(model({}), {})["y"], run_imported(model(shapes), arrays)["y"]
    )
