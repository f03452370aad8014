"""Nodes with constant operands give what the same nodes give with the operand as an input, and what ONNX Runtime
gives.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, helper
from smalti.backends.cpu.session import run_onnx

from .onnx_models import imported, model_of, ops_of, random_input, run_imported

CEIL = {"kernel_shape": [3, 3], "strides": [3, 3], "ceil_mode": 1}
CEIL_1D = {"kernel_shape": [3], "strides": [3], "ceil_mode": 1}
NODES: dict[str, tuple[int, tuple[int, ...], dict[str, object], str]] = {
    "average_pool": (19, (2, 3, 7, 8), {**CEIL, "count_include_pad": 1}, "AveragePool"),
    "average_pool_1d": (19, (2, 3, 7), CEIL_1D, "AveragePool"),
    "lp_pool": (18, (2, 3, 7), {**CEIL_1D, "p": 2}, "LpPool"),
    "hardmax": (11, (2, 3, 4), {"axis": 0}, "Hardmax"),
    "log_softmax": (11, (2, 3, 4), {"axis": 0}, "LogSoftmax"),
    "softmax": (11, (2, 3, 4), {"axis": 0}, "Softmax"),
    "lp_normalization": (17, (2, 3), {"axis": 1, "p": 1}, "LpNormalization"),
    "global_max_pool": (17, (1, 4, 6), {}, "GlobalMaxPool"),
}


def test_the_sizes_of_long_constants_take_no_memory() -> None:
    program = """
import resource
from onnx import helper
from tests.unit.compiler.onnx_import.onnx_models import imported, model_of
import numpy as np

def of_length(length):
    nodes = [
        helper.make_node("Concat", ["c", "c"], ["d"], axis=0),
        helper.make_node("ReduceSum", ["d"], ["s"]),
        helper.make_node("Add", ["x", "s"], ["y"]),
    ]
    imported(model_of(nodes, {"x": (1,)}, constants={"c": np.zeros(length, np.float32)}))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

print(of_length(1 << 21) - of_length(1))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    # The constants have 8 and 16 MiB; onnx's data propagation takes about a GiB for them.
    assert int(ran.stdout) < 200 << 10, ran.stderr


@pytest.mark.parametrize("case", NODES)
def test_folded_node_equals_the_op(case: str) -> None:
    opset, shape, attributes, op = NODES[case]
    data = random_input(*shape)
    node = helper.make_node(op, ["c"], ["y"], name="n", **attributes)  # pyright: ignore[reportArgumentType]
    _check(node, data, {}, opset)


@pytest.mark.parametrize(
    ("coordinates", "nearest", "shape"),
    [
        ("align_corners", "ceil", (1, 2, 7, 8, 6)),
        ("half_pixel", "floor", (1, 2, 7)),
        ("pytorch_half_pixel", "round_prefer_ceil", (1, 2, 7)),
        ("half_pixel", "floor", (1, 2, 7, 8, 6)),
    ],
)
def test_folded_resize_equals_the_op(
    coordinates: str, nearest: str, shape: tuple[int, ...]
) -> None:
    node = helper.make_node(
        "Resize",
        ["c", "", "scales"],
        ["y"],
        mode="nearest",
        coordinate_transformation_mode=coordinates,
        nearest_mode=nearest,
    )
    scales = np.array([1, 1, *[1.7] * (len(shape) - 2)], np.float32)
    _check(node, random_input(*shape), {"scales": scales}, 17, compares_op=len(shape) < 5)


def test_what_has_no_op_is_onnx_runtimes() -> None:
    """An LSTM with lengths: the reference implementation of the onnx package ignores them."""
    node = helper.make_node("LSTM", ["c", "w", "r", "b", "lengths"], ["y"], hidden_size=4)
    constants = {
        "w": random_input(1, 16, 3, seed=1),
        "r": random_input(1, 16, 4, seed=2),
        "b": random_input(1, 32, seed=3),
        "lengths": np.array([5, 2], np.int32),
    }
    _check(node, random_input(5, 2, 3), constants, 17, compares_op=False)


def test_folded_positions_have_64_bits() -> None:
    nodes = [
        helper.make_node("ArgMax", ["c"], ["p"], axis=1, keepdims=0),
        helper.make_node("Add", ["p", "one"], ["q"]),
        helper.make_node("Gather", ["x", "q"], ["y"], axis=0),
    ]
    constants = {"c": random_input(2, 4), "one": np.array([-1, -1])}
    model = model_of(nodes, {"x": (6,)}, constants=constants)
    x = random_input(6)
    np.testing.assert_array_equal(
        run_imported(model, {"x": x})["y"], run_onnx(model, {"x": x})["y"]
    )


def test_folded_scalars_keep_their_rank() -> None:
    node = helper.make_node("Einsum", ["c"], ["y"], equation="->", name="n")
    _check(node, np.array(2.5, np.float32), {}, 17)


def _check(
    node: NodeProto,
    data: np.ndarray,
    constants: Mapping[str, np.ndarray],
    opset: int,
    *,
    compares_op: bool = True,
) -> None:
    folded = _model(node, opset, {}, {"c": data, **constants})
    module, _ = imported(folded)
    assert [op.name for op in ops_of(module)] == ["top.add"]
    x = np.zeros((), np.float32)
    got = run_imported(folded, {"x": x})["z"]
    np.testing.assert_allclose(got, run_onnx(folded, {"x": x})["z"], rtol=1e-5, atol=1e-6)
    if compares_op:
        inputs = {"x": x, "c": data}
        op = run_imported(_model(node, opset, {"c": data.shape}, constants), inputs)["z"]
        np.testing.assert_array_equal(got, op)


def _model(
    node: NodeProto,
    opset: int,
    inputs: Mapping[str, tuple[int, ...]],
    constants: Mapping[str, np.ndarray],
) -> ModelProto:
    add = helper.make_node("Add", ["x", "y"], ["z"])
    return model_of([node, add], {"x": (), **inputs}, ("z",), constants, opset=opset)
