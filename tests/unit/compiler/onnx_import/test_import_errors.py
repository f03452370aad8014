"""Bad models are diagnostics that say what, where and what to do: no traceback, no hang, no huge
allocation.
"""

import os

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from smalti.backends.diagnostics.diagnostic import DiagnosticError

from tests.unit.compiler.onnx_import.onnx_models import (
    imported,
    model_of,
    node,
    random_input,
    refused,
)

RELU = helper.make_node("Relu", ["x"], ["y"], name="relu")


def test_files_that_are_no_models(tmp_path):
    refused(tmp_path / "none.onnx", "none.onnx", "No such file")
    refused(tmp_path, "folder")
    refused("bad\0name.onnx", "cannot read")
    for name, data, part in [
        ("empty.onnx", b"", "empty"),
        ("garbage.onnx", os.urandom(4096), "not an ONNX model"),
        ("text.onnx", b"hello, this is text" * 50, "not an ONNX model"),
        (
            "lfs.onnx",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
            "git lfs pull",
        ),
        (
            "tensor.onnx",
            numpy_helper.from_array(random_input(3)).SerializeToString(),
            "not an ONNX model",
        ),
    ]:
        (tmp_path / name).write_bytes(data)
        refused(tmp_path / name, name, part)


def test_file_over_2_gib(tmp_path):
    path = tmp_path / "big.onnx"
    with path.open("wb") as file:
        file.truncate(2**31)  # a hole: no disk is used
    refused(path, "2 GiB", "external data")


def test_truncated_files(tmp_path, digits_model):
    data = digits_model.read_bytes()
    for length in (1, 10, 100, 1000, len(data) // 2, len(data) - 1):
        (tmp_path / "cut.onnx").write_bytes(data[:length])
        refused(tmp_path / "cut.onnx", "cut.onnx")


@settings(max_examples=50)
@given(st.integers(0, 10**9), st.integers(1, 255))
def test_damaged_bytes_never_crash(position, flip):
    """A flipped byte gives a model or a diagnostic, nothing else."""
    nodes = [
        node("Conv", "x w", "a", pads=[1, 1, 1, 1]),
        node("Shape", "a", "s"),
        node("Reshape", "a s", "b"),
        node("Softmax", "b", "y"),
    ]
    model = model_of(nodes, {"x": (1, 3, 4, 4)}, constants={"w": random_input(2, 3, 3, 3)})
    data = bytearray(model.SerializeToString())
    data[position % len(data)] ^= flip
    from smalti.compiler.onnx_import.model.model_file import parse_model

    try:
        imported(parse_model(bytes(data), "damaged.onnx"))
    except DiagnosticError as error:
        assert error.message


def test_variants_that_are_not_supported():
    refused(
        model_of([node("Conv", "x w", "y")], {"x": (1, 2, 64, 64), "w": (2, 2, 33, 33)}),
        "its kernel [33, 33] has more than 1024 elements, and is computed at run time or of f64",
        "conv_1",
    )
    refused(
        model_of([node("Reshape", "x s", "y"), node("Relu", "x", "s")], {"x": (4,)}),
        "its shape is computed at run time",
    )


def test_element_types():
    graph = helper.make_graph(
        [RELU],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.STRING, [2])],
        [helper.make_tensor_value_info("y", TensorProto.STRING, [2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    refused(model, "graph input", "'x'", "STRING")
    refused(
        model_of([node("Add", "x c", "y")], {"x": (2,)}, constants={"c": np.ones(2)}),
        "rhs has elements of f64, lhs has f32",
        "add_1",
    )
    strings = np.array(["a", "b"], object)
    refused(model_of([node("Equal", "c c", "y")], {"x": (2,)}, constants={"c": strings}), "'c'")


@pytest.mark.parametrize(
    ("last", "what"),
    [
        (node("Softmax", "p", "y"), "the int64 tensor 'p' at run time"),
        (node("Exp", "p", "y"), "the int64 tensor 'p' at run time"),
        (node("ReduceSum", "c", "y"), "the bool tensor 'c' at run time (elements must be floats"),
    ],
)
def test_ops_that_compute_with_other_numbers_than_floats(last, what):
    nodes = [node("ArgMax", "x", "p", axis=0), node("IsNaN", "x", "c"), last]
    error = refused(
        model_of(nodes, {"x": (3, 4)}, constants={"one": np.array([1])}), "not supported"
    )
    (note,) = error.notes
    assert note.startswith(f"{last.op_type} (opset 17), '{last.name}': it computes with {what}")
    assert note.endswith("; cast that to FLOAT before")


def test_input_shapes():
    fixed, symbolic = model_of([RELU], {"x": (1, 3)}), model_of([RELU], {"x": ("N", 3)})
    refused(symbolic, "input 'x'", "[N, 3]", "--batch")
    refused(model_of([RELU], {"x": ("N", "H")}), "[N, H]", "--input-shape x=")
    refused(fixed, "no input 'z'", "'x'", input_shapes={"z": (1, 3)})
    refused(fixed, "3 dimensions", "has 2", input_shapes={"x": (1, 3, 4)})
    refused(fixed, "-1", input_shapes={"x": (-1, 3)})
    refused(fixed, "at least 1", batch=0)
    refused(fixed, "size", input_shapes={"x": (2**40, 3)})
    two = model_of([node("Add", "x y", "z")], {"x": ("N", "L"), "y": ("N", "L")})
    refused(two, "[N, L]", "give --define-symbol N=1 --define-symbol L=1 (with")
    refused(two, "no symbolic dimension 'M'", "'N', 'L'", symbols={"M": 1})
    refused(fixed, "no symbolic dimension 'M'", "none", symbols={"M": 1})
    refused(two, "between 0 and", "it is -1", symbols={"N": -1})
    refused(two, "batch size is 2", "'N' is 3", symbols={"N": 3}, batch=2)
    constant = model_of(
        [node("Add", "x c", "y")], {"x": (2,)}, constants={"c": np.ones(2, np.float32)}
    )
    refused(constant, "constant", input_shapes={"c": (2,)})
    wrong = model_of(
        [node("Conv", "x w", "y")], {"x": (1, 4, 8, 8)}, constants={"w": random_input(2, 3, 3, 3)}
    )
    refused(wrong, "conv_1", "[1, 4, 8, 8], [2, 3, 3, 3]")


def test_shapes_that_do_not_fit():
    refused(
        model_of(
            [node("Reshape", "x s", "y")], {"x": (2, 3)}, constants={"s": np.array([4], np.int64)}
        ),
        "cannot be reshaped",
        "reshape_1",
    )
    refused(model_of([node("Transpose", "x", "y", perm=[0, 0])], {"x": (2, 3)}), "perm")
    refused(model_of([node("Softmax", "x", "y", axis=5)], {"x": (2, 3)}), "axis 5")
    refused(model_of([node("MatMul", "x x", "y")], {"x": (2, 3)}), "matmul_1")
    refused(
        model_of([node("MaxPool", "x", "y", kernel_shape=[9, 9])], {"x": (1, 1, 4, 4)}), "maxpool_1"
    )
    refused(
        model_of([node("Add", "x c", "y")], {"x": (2, 3)}, constants={"c": random_input(4)}),
        "add_1",
    )
    refused(
        model_of(
            [node("Conv", "x w", "y", strides=[0, 1])],
            {"x": (1, 1, 4, 4)},
            constants={"w": random_input(1, 1, 2, 2)},
        ),
        "strides",
    )


def test_huge_constants_are_not_computed():
    shape = {"s": np.array([10**5, 10**5], np.int64), "one": np.ones(1, np.float32)}
    nodes = [node("ConstantOfShape", "s", "c"), node("Add", "x c", "y")]
    refused(
        model_of(nodes, {"x": (1,)}, constants=shape), "constantofshape_1", "40,000,000,000 bytes"
    )
    nodes = [node("Expand", "one s", "c"), node("Add", "x c", "y")]
    refused(model_of(nodes, {"x": (1,)}, constants=shape), "expand_1", "bytes")
    numbers = {"a": np.array(0.0), "b": np.array(1e12), "d": np.array(1.0)}
    refused(model_of([node("Range", "a b d", "y")], {"x": (1,)}, constants=numbers), "range_1")
    scales = {"s": np.array([1, 1, 1e5, 1e5], np.float32), "c": np.ones((1, 1, 9, 9), np.float32)}
    refused(
        model_of(
            [helper.make_node("Resize", ["c", "", "s"], ["y"], name="r")],
            {"x": (1,)},
            constants=scales,
        ),
        "r'",
    )


def test_results_that_nobody_can_hold():
    for scale in (1e5, 1e30, np.float32(3e38)):
        scales = {"s": np.array([1, 1, scale, scale], np.float32)}
        model = model_of(
            [helper.make_node("Resize", ["x", "", "s"], ["y"], name="r")],
            {"x": (1, 1, 99, 99)},
            constants=scales,
        )
        refused(model, "node 'r'")


def test_wrong_constant_operands():
    constants = {"s": np.array([1, 2], np.int64), "i": np.array(7, np.int64)}
    nodes = [node("Gather", "s i", "g"), node("Reshape", "x g", "y")]
    refused(model_of(nodes, {"x": (2,)}, constants=constants), "gather_1")


def test_graphs_that_are_not_valid():
    refused(model_of([node("Relu", "nothing", "y")], {"x": (2,)}), "nothing")
    refused(
        model_of([node("Relu", "x", "y"), node("Relu", "x", "y")], {"x": (2,)}), "made elsewhere"
    )
    circle = [node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "x", "y")]
    refused(model_of(circle, {"x": (2,)}), "the graph has a cycle")
    refused(model_of([node("Relu", "x x", "y")], {"x": (2,)}), "relu_1")
    refused(model_of([RELU], {"x": (2,)}, ["z"]), "output 'z'")
    refused(model_of([RELU], {"x": (2,)}, []), "no outputs")
    refused(model_of([RELU], {"x": (2,)}, opset=99), "opset 99")
    refused(model_of([RELU], {"x": (2,)}, ir_version=99), "IR version 99", "newer onnx package")
    untyped = model_of([RELU], {"x": (2,)})
    untyped.graph.input[0].ClearField("type")
    refused(untyped, "input 'x'", "has no type")
    refused(model_of([node("MaxPool", "x", "y")], {"x": (1, 1, 4, 4)}), "kernel_shape")
    without = model_of([RELU], {"x": (2,)})
    del without.opset_import[:]
    refused(without, "operator set")
    typed = model_of(
        [helper.make_node("Conv", ["x", "w"], ["y"], group=1.5, name="c")],
        {"x": (1, 1, 4, 4)},
        constants={"w": random_input(1, 1, 2, 2)},
    )
    refused(typed, "group")


def test_tensors_of_wrong_size():
    model = model_of([node("Add", "x c", "y")], {"x": (2,)}, constants={"c": random_input(2)})
    model.graph.initializer[0].dims[0] = 3
    refused(model, "name: c")
    model = model_of([node("Add", "x c", "y")], {"x": (2,)}, constants={"c": random_input(3000)})
    model.graph.initializer[0].dims[0] = 4000
    refused(model, "tensor 'c'", "12000 bytes")


class TestExternalData:
    """External data must be files in the model's folder, long enough."""

    @pytest.fixture
    def saved(self, tmp_path):
        folder = tmp_path / "model"
        folder.mkdir()
        model = model_of([node("Add", "x c", "y")], {"x": (2,)}, constants={"c": random_input(2)})
        path = folder / "m.onnx"
        onnx.save(model, path, save_as_external_data=True, location="m.bin", size_threshold=0)

        def with_field(key, value):
            proto = onnx.load(path, load_external_data=False)
            (tensor,) = proto.graph.initializer
            for entry in tensor.external_data:
                if entry.key == key:
                    entry.value = value
            path.write_bytes(proto.SerializeToString())
            return path

        return with_field

    def test_missing(self, saved):
        path = saved("location", "other.bin")
        refused(path, "'other.bin'", "tensor 'c'")

    @pytest.mark.parametrize(
        "location", ["/etc/passwd", "../m.bin", "a/../../m.bin", "C:\\m.bin", "..\\m.bin", ""]
    )
    def test_outside(self, saved, location):
        refused(saved("location", location), "tensor 'c'")

    def test_link_that_leads_out(self, saved, tmp_path):
        path = saved("offset", "0")
        (tmp_path / "secret.bin").write_bytes(bytes(64))
        (path.parent / "m.bin").unlink()
        (path.parent / "m.bin").symlink_to(tmp_path / "secret.bin")
        refused(path, "link")

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("offset", "4"),
            ("offset", "-8"),
            ("offset", "x"),
            ("length", "4"),
            ("offset", "99999999999"),
        ],
    )
    def test_extents(self, saved, key, value):
        refused(saved(key, value), "tensor 'c'")

    def test_cut_off(self, saved):
        path = saved("offset", "0")
        (path.parent / "m.bin").write_bytes(b"123")
        refused(path, "which has 3")

    def test_in_memory(self, saved):
        refused(onnx.load(saved("offset", "0"), load_external_data=False), "no folder")
