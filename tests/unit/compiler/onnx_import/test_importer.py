"""What the importer does with whole models: constants folded, shapes settled, batch sizes changed,
names and locations kept.
"""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.interpreter.top import run_top

from tests.unit.compiler.onnx_import.onnx_models import (
    imported,
    model_of,
    ops_of,
    random_input,
    run_imported,
)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(
        op, inputs.split(), outputs.split(), name=f"{outputs}_node", **attributes
    )


@pytest.mark.parametrize(
    ("name", "shape"),
    [("digits", (1, 8, 8)), ("cifar10", (3, 32, 32)), ("mnist", (1, 28, 28))],
)
@pytest.mark.parametrize("batch", [None, 3])
def test_networks_agree_with_onnxruntime(name, shape, batch, request, shared_file):
    """Every tensor that the two have in common; samples and a batch alike."""
    path = (
        shared_file("models/mnist.onnx")
        if name == "mnist"
        else request.getfixturevalue(f"{name}_model")
    )
    module, ctx = imported(path, batch=batch)
    (argument,) = [value.name for value in onnx.load(path).graph.input][:1]
    inputs = {argument: random_input(3, *shape)}
    reference = run_onnx(path, inputs, intermediates=True)
    seen = {}
    outputs = run_top(module, ctx.weights, inputs, observe=lambda n, v: seen.update({n: v}))
    compared = [key for key in seen if key in reference]
    assert len(compared) >= 8
    for key in compared:
        expected = reference[key]
        scale = np.abs(expected).max()
        np.testing.assert_allclose(
            seen[key].reshape(expected.shape), expected, atol=2e-5 * scale, err_msg=key
        )
    for key, value in outputs.items():
        assert value.shape == reference[key].shape


def test_names_and_locations_of_a_network(digits_model):
    module, _ = imported(digits_model)
    names = [op.properties["name"].data for op in module.walk() if op.name.startswith("top.")]
    assert len(names) == len(set(names))
    tensors = {name for n in onnx.load(digits_model).graph.node for name in n.output}
    convolutions = [op for op in ops_of(module) if op.name == "top.conv2d"]
    assert len(convolutions) == 25
    assert all(op.properties["name"].data in tensors for op in convolutions)
    assert "/features/features.0/features.0.0/Conv" in str(convolutions[0].location)


def test_shape_arithmetic_is_folded():
    """The usual flatten of exporters: Shape → Gather → Concat → Reshape."""
    nodes = [
        node("Shape", "x", "shape"),
        node("Gather", "shape zero", "n"),
        node("Unsqueeze", "n axis", "n1"),
        node("Concat", "n1 rest", "target", axis=0),
        node("Reshape", "x target", "y"),
    ]
    constants = {
        "zero": np.array(0, np.int64),
        "axis": np.array([0], np.int64),
        "rest": np.array([-1], np.int64),
    }
    model = model_of(nodes, {"x": ("N", 3, 4)}, constants=constants)
    module, _ = imported(model, batch=5)
    (reshape,) = ops_of(module)
    assert reshape.results[0].type.get_shape() == (5, 12)


def test_the_batch_of_a_state_may_stand_behind():
    model = model_of(
        [node("Relu", each, f"{each}_y") for each in "xhk"],
        {"x": ("batch", 3), "h": (2, "batch", 4), "k": (5, 3)},
        ["x_y", "h_y", "k_y"],
    )
    module, _ = imported(model, batch=3)
    shapes = [op.results[0].type.get_shape() for op in ops_of(module)]
    assert shapes == [(3, 3), (2, 3, 4), (3, 3)]


def test_batch_scales_constant_shapes():
    nodes = [node("Reshape", "x s", "a"), node("Relu", "a", "b"), node("Reshape", "b t", "y")]
    constants = {"s": np.array([2, 6], np.int64), "t": np.array([1, -1], np.int64)}
    model = model_of(nodes, {"x": (1, 3, 4)}, constants=constants)
    assert run_imported(model, {"x": random_input(1, 3, 4)})["y"].shape == (1, 12)
    batched = model_of(nodes[:2], {"x": (1, 3, 4)}, ["b"], constants)
    x = random_input(4, 3, 4)
    got = run_imported(batched, {"x": x}, batch=4)["b"]
    np.testing.assert_array_equal(got, np.maximum(x.reshape(8, 6), 0))
    leading = model_of([node("Reshape", "x t", "y")], {"x": (1, 3, 4)}, constants=constants)
    assert run_imported(leading, {"x": x}, batch=4)["y"].shape == (4, 12)
    assert run_imported(leading, {"x": x}, input_shapes={"x": (4, 3, 4)})["y"].shape == (4, 12)


def test_input_shapes_settle_symbols():
    model = model_of([node("Relu", "x", "y")], {"x": ("N", "C", 4)})
    assert run_imported(model, {"x": random_input(2, 3, 4)}, input_shapes={"x": (2, 3, 4)})[
        "y"
    ].shape == (2, 3, 4)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("value_float", 2.0), ("value_floats", [1.0, 2.0]), ("value", random_input(2))],
)
def test_constants_in_every_form(attribute, value):
    tensor = numpy_helper.from_array(value) if attribute == "value" else value
    nodes = [
        helper.make_node("Constant", [], ["c"], **{attribute: tensor}),
        node("Add", "x c", "y"),
    ]
    x = random_input(3, 2)
    got = run_imported(model_of(nodes, {"x": (3, 2)}), {"x": x})["y"]
    np.testing.assert_allclose(got, x + np.asarray(value, np.float32), rtol=1e-6)


def test_integer_constants_as_shapes():
    nodes = [
        helper.make_node("Constant", [], ["n"], value_int=6),
        helper.make_node("Constant", [], ["s"], value_ints=[1, 1]),
        node("Expand", "n s", "e"),
        node("Squeeze", "e one", "t"),
        node("Reshape", "x t", "y"),
    ]
    model = model_of(nodes, {"x": (2, 3)}, constants={"one": np.array([0], np.int64)})
    assert run_imported(model, {"x": random_input(2, 3)})["y"].shape == (6,)


def test_initializers_that_are_inputs_are_constants():
    model = model_of(
        [node("Add", "x c", "y")],
        {"x": (2,), "c": (2,)},
        constants={"c": np.ones(2, np.float32)},
        ir_version=3,
        opset=8,
    )
    np.testing.assert_array_equal(run_imported(model, {"x": np.zeros(2, np.float32)})["y"], [1, 1])


def test_outputs_that_are_inputs_or_constants():
    nodes = [node("Identity", "x", "same"), node("Relu", "x", "y")]
    model = model_of(
        nodes, {"x": (2,), "unused": (3,)}, ["same", "c", "y"], {"c": np.ones(3, np.float32)}
    )
    got = run_imported(
        model, {"x": np.array([-1, 2], np.float32), "unused": np.zeros(3, np.float32)}
    )
    np.testing.assert_array_equal(got["same"], [-1, 2])
    np.testing.assert_array_equal(got["c"], [1, 1, 1])
    np.testing.assert_array_equal(got["y"], [0, 2])


def test_local_functions_are_inlined():
    function = helper.make_function(
        "local",
        "Twice",
        ["a"],
        ["b"],
        [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 17)],
    )
    model = model_of([helper.make_node("Twice", ["x"], ["y"], domain="local")], {"x": (2,)})
    model.opset_import.append(helper.make_opsetid("local", 1))
    model.functions.append(function)
    np.testing.assert_array_equal(
        run_imported(model, {"x": np.array([1, 2], np.float32)})["y"], [2, 4]
    )


def test_external_data_are_read(tmp_path, digits_model):
    model = onnx.load(digits_model)
    path = tmp_path / "m.onnx"
    onnx.save(model, path, save_as_external_data=True, location="m.bin", size_threshold=0)
    inputs = {"image": random_input(2, 1, 8, 8)}
    np.testing.assert_array_equal(
        run_imported(path, inputs)["logits"], run_imported(digits_model, inputs)["logits"]
    )
    assert (
        run_onnx(path, inputs, intermediates=True).keys()
        == run_onnx(digits_model, inputs, intermediates=True).keys()
    )


def test_axes_of_size_1_need_no_rows():
    """Before opset 13 a softmax is over all axes from one on; with one larger than 1 it is along that."""
    nodes = [node("Softmax", "x", "y", axis=1)]
    module, _ = imported(model_of(nodes, {"x": (2, 3, 1, 1)}, ["y"], opset=11))
    (softmax,) = ops_of(module)
    assert (softmax.name, softmax.properties["axis"].value.data) == ("top.softmax", 1)


def test_odd_names_stay_apart():
    """A made-up name ('y_rows') must not take that of a tensor that comes later."""
    nodes = [
        node("Softmax", "x", "y", axis=0),
        node("Relu", "y", "y_rows"),
        node("Relu", "y_rows", "ü/1:"),
    ]
    module, _ = imported(model_of(nodes, {"x": (2, 3)}, ["ü/1:"], opset=11))
    names = [op.properties["name"].data for op in ops_of(module)]
    assert names == ["y_input_rows", "y_rows_1", "y", "y_rows", "ü/1:"]


def test_weights_are_shared_and_stay_what_they_are():
    nodes = [node("MatMul", "x w", "a"), node("MatMul", "a w", "y")]
    w = random_input(3, 3)
    module, ctx = imported(model_of(nodes, {"x": (2, 3)}, constants={"w": w}))
    assert ctx.weights.keys() == ["w"]
    np.testing.assert_array_equal(ctx.weights.get("w"), w)
    assert sum(op.name == "top.weight" for op in module.walk()) == 1


def test_typed_data_fields():
    """float_data in place of raw_data."""
    tensor = helper.make_tensor("c", TensorProto.FLOAT, [2], [1.5, -2.0])
    model = model_of([node("Add", "x c", "y")], {"x": (2,)})
    model.graph.initializer.append(tensor)
    np.testing.assert_array_equal(
        run_imported(model, {"x": np.zeros(2, np.float32)})["y"], [1.5, -2.0]
    )


@st.composite
def graphs(draw):
    """Random chains of ops on [N, C, H, W] with residual additions."""
    channels, size = draw(st.integers(1, 6)), draw(st.integers(3, 9))
    shape = [draw(st.integers(1, 2)), channels, size, size]
    nodes, constants, last = [], {}, "x"
    previous = {}
    for index in range(draw(st.integers(1, 6))):
        out = f"t{index}"
        kind = draw(
            st.sampled_from(
                ["Conv", "Relu", "Clip", "Add", "MaxPool", "AveragePool", "BatchNormalization"]
            )
        )
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        if kind == "Conv":
            groups = draw(st.sampled_from([g for g in (1, 2, shape[1]) if shape[1] % g == 0]))
            outputs = groups * draw(st.integers(1, 3))
            constants[f"w{index}"] = rng.standard_normal(
                (outputs, shape[1] // groups, 3, 3)
            ).astype(np.float32)
            nodes.append(node("Conv", f"{last} w{index}", out, group=groups, pads=[1, 1, 1, 1]))
            shape = [shape[0], outputs, *shape[2:]]
        elif kind == "Relu":
            nodes.append(node("Relu", last, out))
        elif kind == "Clip":
            constants |= {f"l{index}": np.float32(-0.5), f"h{index}": np.float32(1.5)}
            nodes.append(node("Clip", f"{last} l{index} h{index}", out))
        elif kind == "Add":
            other = previous.get(tuple(shape), last)
            nodes.append(node("Add", f"{last} {other}", out))
        elif kind == "BatchNormalization":
            for name in "sbmv":
                constants[f"{name}{index}"] = (rng.random(shape[1]) + 0.5).astype(np.float32)
            operands = " ".join(f"{name}{index}" for name in "sbmv")
            nodes.append(node(kind, f"{last} {operands}", out))
        else:
            stride = draw(st.integers(1, 2))
            nodes.append(
                node(
                    kind,
                    last,
                    out,
                    kernel_shape=[2, 2],
                    strides=[stride, stride],
                    auto_pad="SAME_UPPER",
                )
            )
            shape = [*shape[:2], -(-shape[2] // stride), -(-shape[3] // stride)]
        last = out
        previous[tuple(shape)] = out
    start = [shape[0], channels, size, size]
    return model_of(nodes, {"x": start}, [last], constants), start


@settings(max_examples=40)
@given(graphs())
def test_random_graphs_agree_with_onnxruntime(drawn):
    model, shape = drawn
    inputs = {"x": random_input(*shape)}
    expected = run_onnx(model, inputs)
    got = run_imported(model, inputs)
    for name, value in expected.items():
        scale = max(1.0, float(np.abs(value).max()))
        np.testing.assert_allclose(got[name] / scale, value / scale, atol=2e-5)


def test_nodes_may_stand_in_any_order():
    """ONNX Runtime takes them so, and tools leave them so; the model itself is not changed."""
    nodes = [
        helper.make_node("Mul", ["b", "a"], ["y"]),
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Add", ["a", "x"], ["b"]),
    ]
    model = model_of(nodes, {"x": [3]})
    before = model.SerializeToString()
    module, _ = imported(model)
    assert [op.name for op in ops_of(module)] == ["top.relu", "top.add", "top.mul"]
    assert model.SerializeToString() == before
    x = np.array([-1, 2, 3], np.float32)
    np.testing.assert_array_equal(run_imported(model, {"x": x})["y"], [0, 8, 18])
