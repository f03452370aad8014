"""Every op of the importer against ONNX Runtime, its attributes in full."""

import numpy as np
import pytest
from onnx import helper
from smalti.backends.cpu.session import run_onnx
from smalti.compiler.onnx_import.function_table import FUNCTIONS
from smalti.compiler.onnx_import.operator_table import OPERATORS, supported_operators

from tests.unit.compiler.onnx_import.onnx_models import (
    imported,
    model_of,
    ops_of,
    random_input,
    run_imported,
)


def agrees(model, inputs, rtol=1e-4, atol=1e-5):
    """Checks the top interpreter against ONNX Runtime."""
    got, expected = run_imported(model, inputs), run_onnx(model, inputs)
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        assert got[name].shape == value.shape, name
        np.testing.assert_allclose(got[name], value, rtol=rtol, atol=atol, err_msg=name)


def check(op, shape, constants=None, *, opset=17, inputs=None, outputs=("y",), **attributes):
    """One node on x of `shape` and constants (None for an input that is left out)."""
    constants = constants or {}
    names = ["x", *(name if value is not None else "" for name, value in constants.items())]
    node = helper.make_node(op, inputs or names, list(outputs), name="node", **attributes)
    known = {name: value for name, value in constants.items() if value is not None}
    agrees(model_of([node], {"x": shape}, outputs, known, opset=opset), {"x": random_input(*shape)})


@pytest.mark.parametrize(
    ("shape", "weight", "attributes"),
    [
        ((2, 3, 9, 8), (4, 3, 3, 3), {}),
        ((1, 4, 9, 8), (6, 2, 3, 2), {"group": 2, "strides": [2, 1], "pads": [1, 0, 2, 1]}),
        ((1, 4, 9, 9), (8, 1, 3, 3), {"group": 4, "dilations": [2, 2], "pads": [2, 2, 2, 2]}),
        ((1, 3, 10, 7), (2, 3, 4, 3), {"auto_pad": "SAME_UPPER", "strides": [3, 2]}),
        ((1, 3, 10, 7), (2, 3, 4, 2), {"auto_pad": "SAME_LOWER", "strides": [1, 2]}),
        ((1, 3, 10, 7), (2, 3, 3, 3), {"auto_pad": "VALID", "kernel_shape": [3, 3]}),
        ((2, 4, 15), (6, 2, 5), {"group": 2, "strides": [2], "pads": [1, 3]}),
    ],
)
@pytest.mark.parametrize("bias", [True, False])
def test_conv(shape, weight, attributes, bias):
    constants = {"w": random_input(*weight, seed=1)}
    if bias:
        constants["b"] = random_input(weight[0], seed=2)
    check("Conv", shape, constants, **attributes)


def test_conv_with_weights_that_the_network_computes():
    nodes = [
        helper.make_node("Relu", ["w"], ["v"]),
        helper.make_node("Conv", ["x", "v", "b"], ["y"]),
    ]
    model = model_of(nodes, {"x": (1, 3, 6, 6), "w": (4, 3, 3, 3), "b": (4,)})
    inputs = {"x": random_input(1, 3, 6, 6), "w": random_input(4, 3, 3, 3), "b": random_input(4)}
    agrees(model, inputs)


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(
    ("shape", "attributes"),
    [
        ((2, 3, 9, 8), {"kernel_shape": [3, 2]}),
        ((1, 3, 10, 10), {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
        (
            (1, 3, 9, 9),
            {"kernel_shape": [4, 3], "strides": [3, 2], "pads": [1, 2, 2, 1], "ceil_mode": 1},
        ),
        ((1, 3, 9, 9), {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_LOWER"}),
        ((1, 3, 9, 8), {"kernel_shape": [2, 2], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        (
            (1, 3, 9, 8),
            {"kernel_shape": [3, 3], "auto_pad": "VALID", "ceil_mode": 1, "strides": [2, 2]},
        ),
        ((1, 3, 14), {"kernel_shape": [3], "strides": [2], "pads": [1, 1]}),
        # The one window reaches past the padded input.
        ((1, 3, 7, 2), {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
        ((1, 3, 1, 1), {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
        (
            (1, 3, 1, 1),
            {"kernel_shape": [4, 4], "strides": [4, 4], "pads": [1, 1, 0, 0], "ceil_mode": 1},
        ),
    ],
)
def test_pool(op, shape, attributes):
    check(op, shape, **attributes)


def test_pool_variants():
    check("MaxPool", (1, 2, 9, 9), kernel_shape=[3, 2], dilations=[2, 3])
    check("AveragePool", (1, 2, 9, 9), opset=19, kernel_shape=[3, 2], dilations=[2, 3])
    pads = {"kernel_shape": [3, 3], "pads": [1, 2, 0, 1], "strides": [2, 2]}
    check("AveragePool", (1, 2, 9, 9), count_include_pad=1, **pads)


REDUCTIONS = (
    "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
    "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp",
)  # fmt: skip


@pytest.mark.parametrize("op", REDUCTIONS)
@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [None, [1], [-1, 0], [2, 3], [0, 1, 2, 3]])
def test_reduce(op, axes, keepdims):
    given = {"axes": axes} if axes else {}
    constants = {"axes": np.array(axes, np.int64)} if axes else {}
    node = helper.make_node(op, ["x"], ["y"], keepdims=keepdims, **given)
    model = model_of([node], {"x": (2, 3, 4, 5)}, opset=11)
    # ReduceLogSum is defined on positive numbers.
    agrees(model, {"x": np.abs(random_input(2, 3, 4, 5))})
    node = helper.make_node(op, ["x", *constants], ["y"], keepdims=keepdims)
    model = model_of([node], {"x": (2, 3, 4, 5)}, ("y",), constants, opset=18)
    agrees(model, {"x": np.abs(random_input(2, 3, 4, 5))})


@pytest.mark.parametrize("op", ["ReduceMean", "ReduceSum", "ReduceMax"])
def test_reduce_of_no_axes(op):
    empty = {"axes": np.zeros(0, np.int64)}
    check(op, (2, 3), empty, opset=18, noop_with_empty_axes=1)
    check(op, (2, 3), empty, opset=18, noop_with_empty_axes=0)


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 5, 4), (1, 3, 2, 4, 3)])
def test_global_pools(shape):
    check("GlobalAveragePool", shape)
    check("GlobalMaxPool", shape)
    check("GlobalLpPool", shape)
    check("GlobalLpPool", shape, p=1)


@pytest.mark.parametrize("c", [None, (5,), (1, 5), (3, 1), (3, 5), (1,), ()])
@pytest.mark.parametrize(
    "attributes", [{}, {"alpha": 0.5, "beta": 2.0}, {"beta": 0.0}, {"transA": 1, "transB": 1}]
)
def test_gemm(c, attributes):
    a = (4, 3) if attributes.get("transA") else (3, 4)
    b = (5, 4) if attributes.get("transB") else (4, 5)
    constants = {"b": random_input(*b, seed=1)}
    if c is not None:
        constants["c"] = random_input(*c, seed=2)
    check("Gemm", a, constants, **attributes)


def test_gemm_of_run_time_operands():
    node = helper.make_node("Gemm", ["a", "b", "c"], ["y"], alpha=0.3, beta=1.5, transB=1)
    inputs = {"a": random_input(3, 4), "b": random_input(5, 4), "c": random_input(1, 5)}
    agrees(model_of([node], {k: v.shape for k, v in inputs.items()}), inputs)


@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [((3, 4), (4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4, 5)),
     ((2, 3, 4), (2, 4, 5)), ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (3, 4, 2)),
     ((4,), (2, 4, 5)), ((2, 3, 4), (4,))],
)  # fmt: skip
@pytest.mark.parametrize("constant", [True, False])
def test_matmul(lhs, rhs, constant):
    node = helper.make_node("MatMul", ["a", "b"], ["y"])
    a, b = random_input(*lhs), random_input(*rhs, seed=1)
    inputs = {"a": a} if constant else {"a": a, "b": b}
    shapes = {name: value.shape for name, value in inputs.items()}
    agrees(model_of([node], shapes, constants={"b": b} if constant else {}), inputs)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (2, 3, 4, 5)])
@pytest.mark.parametrize("opset", [8, 9, 14, 15])
def test_batch_normalization(shape, opset):
    rng = np.random.default_rng(0)
    constants = {name: rng.random(3).astype(np.float32) + 0.1 for name in ("s", "b", "m", "v")}
    check("BatchNormalization", shape, constants, opset=opset, epsilon=1e-3)


def test_batch_normalization_per_element():
    """spatial=0 is gone since opset 9, and ONNX Runtime refuses it: compared with the formula."""
    rng = np.random.default_rng(0)
    s, b, m, v = (rng.random((3, 4)).astype(np.float32) + 0.1 for _ in range(4))
    node = helper.make_node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], spatial=0)
    model = model_of([node], {"x": (2, 3, 4)}, constants={"s": s, "b": b, "m": m, "v": v}, opset=7)
    x = random_input(2, 3, 4)
    got = run_imported(model, {"x": x})["y"]
    np.testing.assert_allclose(got, (x - m) / np.sqrt(v + 1e-5) * s + b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("shape", [(2, 3, 4), (4,), (3, 1), (1, 2, 3, 4), ()])
def test_binary(op, shape):
    check(op, (2, 3, 4), {"c": random_input(*shape, seed=1) + np.float32(0.01)})
    node = helper.make_node(op, ["c", "x"], ["y"])
    constants = {"c": random_input(*shape, seed=1)}
    agrees(model_of([node], {"x": (2, 3, 4)}, constants=constants), {"x": random_input(2, 3, 4)})


@pytest.mark.parametrize(
    ("shape", "axis"), [((3,), 1), ((3, 4), 1), ((2, 3), 0), ((5,), None), ((4, 5), None)]
)
def test_broadcast_before_opset_7(shape, axis):
    attributes = {"broadcast": 1} | ({} if axis is None else {"axis": axis})
    node = helper.make_node("Add", ["x", "c"], ["y"], **attributes)
    x, c = random_input(2, 3, 4, 5), random_input(*shape, seed=1)
    model = model_of([node], {"x": x.shape}, constants={"c": c}, opset=6, ir_version=3)
    start = 4 - len(shape) if axis is None else axis
    wide = c.reshape((1,) * start + c.shape + (1,) * (4 - start - len(shape)))
    np.testing.assert_allclose(run_imported(model, {"x": x})["y"], x + wide, rtol=1e-6)


def test_sum():
    for count in (1, 2, 4):
        constants = {f"c{i}": random_input(3, 1, seed=i) for i in range(count - 1)}
        check("Sum", (2, 3, 4), constants)


def test_activations():
    check("Relu", (2, 3))
    check("Clip", (2, 9), opset=6, min=-0.5, max=0.5)
    check("Clip", (2, 9), opset=6, max=0.5)
    low, high = np.array(-0.5, np.float32), np.array(0.5, np.float32)
    check("Clip", (2, 9), {"low": low, "high": high})
    check("Clip", (2, 9), {"low": low})
    check("Clip", (2, 9), {"low": None, "high": high})
    check("Clip", (2, 9), {"low": high, "high": low})


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("opset", [8, 11, 13])
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1])
def test_softmax(op, opset, axis):
    check(op, (2, 3, 4), opset=opset, **({} if axis is None else {"axis": axis}))


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij->ji", [(3, 4)]),
        ("ij->j", [(3, 4)]),
        ("ijk", [(3, 4, 5)]),
        ("ij,jk->ik", [(3, 4), (4, 5)]),
        ("ij,jk", [(3, 4), (4, 5)]),
        ("bhid,bhjd->bhij", [(2, 3, 4, 5), (2, 3, 6, 5)]),
        ("bihd,bjhd->bhij", [(2, 4, 3, 5), (2, 6, 3, 5)]),
        ("abc,cd->abd", [(2, 3, 4), (4, 5)]),
        ("abc,dc->dab", [(2, 3, 4), (5, 4)]),
        ("i,j->ij", [(3,), (4,)]),
        ("i,i->", [(3,), (3,)]),
        ("ija,ajk->ik", [(3, 4, 2), (2, 4, 5)]),
        ("ijx,jk->ki", [(3, 4, 2), (4, 5)]),
        (" bi , bi -> b ", [(3, 4), (3, 4)]),
    ],
)
def test_einsum(equation, shapes):
    names = ["x", "z"][: len(shapes)]
    node = helper.make_node("Einsum", names, ["y"], equation=equation)
    inputs = {
        name: random_input(*shape, seed=len(shape))
        for name, shape in zip(names, shapes, strict=True)
    }
    agrees(model_of([node], {k: v.shape for k, v in inputs.items()}), inputs)


NORMALIZATIONS = [
    ("LayerNormalization", (2, 3, 4, 5), {"w": (5,), "b": (5,)}, 17, {}),
    ("LayerNormalization", (2, 3, 4, 5), {"w": (4, 5)}, 17, {"axis": -2, "epsilon": 0.1}),
    ("LayerNormalization", (2, 3, 4, 5), {"w": (3, 4, 5), "b": (3, 4, 5)}, 17, {"axis": 1}),
    ("InstanceNormalization", (2, 3, 4, 5), {"w": (3,), "b": (3,)}, 6, {"epsilon": 0.1}),
    ("InstanceNormalization", (2, 3, 7), {"w": (3,), "b": (3,)}, 17, {}),
    ("GroupNormalization", (2, 6, 4, 5), {"w": (6,), "b": (6,)}, 21, {"num_groups": 3}),
    (
        "GroupNormalization",
        (2, 6, 7),
        {"w": (6,), "b": (6,)},
        21,
        {"num_groups": 1, "epsilon": 0.1},
    ),
    ("MeanVarianceNormalization", (2, 3, 4, 5), {}, 9, {}),
    ("MeanVarianceNormalization", (2, 3, 4, 5), {}, 13, {"axes": [-1, 1]}),
    ("LpNormalization", (2, 3, 4), {}, 1, {}),
    ("LpNormalization", (2, 3, 4), {}, 1, {"axis": 1, "p": 1}),
    ("LRN", (2, 7, 4, 5), {}, 1, {"size": 3}),
    ("LRN", (2, 7, 4, 5), {}, 13, {"size": 5, "alpha": 0.5, "beta": 0.6, "bias": 2.0}),
]


@pytest.mark.parametrize(("op", "shape", "parameters", "opset", "attributes"), NORMALIZATIONS)
def test_normalizations(op, shape, parameters, opset, attributes):
    constants = {
        name: random_input(*size, seed=i) for i, (name, size) in enumerate(parameters.items())
    }
    check(op, shape, constants, opset=opset, **attributes)


def test_normalizations_with_parameters_that_the_network_computes():
    node = helper.make_node("LayerNormalization", ["x", "w", "b"], ["y"])
    inputs = {
        "x": random_input(2, 3, 4),
        "w": random_input(4, seed=1),
        "b": random_input(4, seed=2),
    }
    agrees(model_of([node], {k: v.shape for k, v in inputs.items()}), inputs)


def test_shapes():
    check("Reshape", (2, 3, 4), {"s": np.array([0, -1, 2], np.int64)})
    check("Reshape", (2, 3, 4), {"s": np.array([24], np.int64)})
    check("Reshape", (2, 3, 4), {"s": np.array([1, -1], np.int64)})
    for axis in (0, 1, 2, 3, -1):
        check("Flatten", (2, 3, 4), axis=axis)
    check("Squeeze", (1, 3, 1, 2))
    check("Squeeze", (1, 3, 1, 2), {"a": np.array([-2], np.int64)})
    check("Squeeze", (1, 3, 1, 2), opset=11, axes=[0, 2])
    check("Unsqueeze", (2, 3), {"a": np.array([0, -1], np.int64)})
    check("Unsqueeze", (2, 3), opset=11, axes=[1, 3])
    check("Transpose", (2, 3, 4))
    check("Transpose", (2, 3, 4), perm=[1, 2, 0])
    check("Identity", (2, 3))
    check("Dropout", (2, 3), opset=10, ratio=0.3)
    check("Dropout", (2, 3), {"r": np.array(0.5, np.float32)})
    check("Cast", (2, 3), to=1)


RESIZES = [
    {"mode": "nearest"},
    {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    {
        "mode": "nearest",
        "coordinate_transformation_mode": "align_corners",
        "nearest_mode": "round_prefer_ceil",
    },
    {"mode": "linear"},
    {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"},
    {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
    {"mode": "cubic", "cubic_coeff_a": -0.5},
    {"mode": "cubic", "exclude_outside": 1},
]


@pytest.mark.parametrize("attributes", RESIZES)
@pytest.mark.parametrize("opset", [11, 13, 18, 19])
def test_resize(attributes, opset):
    scales = np.array([1, 1, 2, 1.5], np.float32)
    roi = np.zeros(0, np.float32)
    check("Resize", (1, 2, 5, 6), {"roi": roi, "scales": scales}, opset=opset, **attributes)
    sizes = {
        "roi": roi,
        "scales": np.zeros(0, np.float32),
        "sizes": np.array([1, 2, 7, 3], np.int64),
    }
    check("Resize", (1, 2, 5, 6), sizes, opset=opset, **attributes)


@pytest.mark.parametrize("policy", ["not_larger", "not_smaller", "stretch"])
def test_resize_of_some_axes(policy):
    sizes = {"roi": None, "scales": None, "sizes": np.array([8, 9], np.int64)}
    attributes = {"mode": "linear", "axes": [2, 3], "keep_aspect_ratio_policy": policy}
    check("Resize", (1, 2, 5, 6), sizes, opset=18, **attributes)
    scales = {"roi": None, "scales": np.array([0.5, 0.6], np.float32)}
    check("Resize", (1, 2, 8, 10), scales, opset=18, mode="linear", axes=[3, 2], antialias=1)


def test_crop_and_resize():
    constants = {
        "roi": np.array([0, 0, 0.4, -0.2, 1, 1, 0.6, 1.3], np.float32),
        "scales": np.zeros(0, np.float32),
        "sizes": np.array([1, 1, 3, 8], np.int64),
    }
    attributes = {"mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize"}
    check("Resize", (1, 1, 4, 4), constants, opset=13, extrapolation_value=10.0, **attributes)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_old_resizes(mode):
    scales = np.array([1, 1, 2, 1.5], np.float32)
    check("Resize", (1, 2, 4, 6), {"scales": scales}, opset=10, mode=mode)
    check("Upsample", (1, 2, 4, 6), {"scales": scales}, opset=9, mode=mode)
    check("Upsample", (1, 2, 4, 6), opset=7, mode=mode, scales=[1.0, 1.0, 2.0, 3.0])
    shrink = np.array([1, 1, 0.5, 2], np.float32)
    check("Resize", (1, 2, 4, 6), {"scales": shrink}, opset=10, mode=mode)


def test_one_op_per_node_where_it_fits():
    """No detours: a plain node becomes one op, named as its output, at the node's location."""
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="first")
    module, _ = imported(
        model_of([node], {"x": (1, 3, 8, 8)}, constants={"w": random_input(4, 3, 3, 3)})
    )
    (op,) = ops_of(module)
    assert op.name == "top.conv2d"
    assert str(op.properties["name"]) == '"y"'
    assert "first" in str(op.location)


def test_table_of_operators():
    table = {name: (versions, engine) for name, versions, engine in supported_operators()}
    assert table.keys() == {*OPERATORS, *FUNCTIONS}
    assert OPERATORS.keys().isdisjoint(FUNCTIONS)
    assert table["com.microsoft.Attention"] == ((1,), "matrix, vector")
    assert table["Conv"][0][:2] == (1, 11)
    assert table["Conv"][1].startswith("matrix")
    assert table["Upsample"][0] == (1, 7, 9)
