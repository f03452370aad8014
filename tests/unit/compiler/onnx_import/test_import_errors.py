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

from tests.unit.compiler.onnx_import.onnx_models import imported, model_of, random_input

RELU = helper.make_node("Relu", ["x"], ["y"], name="relu")


def refused(model, *parts, **options):
    """The error that importing `model` gives; its text holds every part."""
    with pytest.raises(DiagnosticError) as caught:
        imported(model, **options)
    text = str(caught.value)
    for part in parts:
        assert part in text, text
    return caught.value


def node(op, inputs, outputs, **attributes):
    return helper.make_node(
        op, inputs.split(), outputs.split(), name=f"{op.lower()}_1", **attributes
    )


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


def test_all_unsupported_ops_at_once():
    nodes = [
        node("RandomNormalLike", "x", "h"),
        node("Shape", "h", "s"),
        node("Gather", "s i", "g"),
        node("Relu", "h", "a"),
        helper.make_node("Magic", ["a"], ["b"], domain="com.example", name="magic"),
        helper.make_node("Nonsense", ["b"], ["y"], name="nonsense"),
    ]
    constants = {"i": np.array(0, np.int64)}
    error = refused(
        model_of(nodes, {"x": (3, 1, 4)}, ["y", "g"], constants), "3 operators", "smalti ops"
    )
    assert error.notes == [
        "RandomNormalLike (opset 17), 'randomnormallike_1'",
        "com.example.Magic (opset 1), 'magic'",
        "Nonsense (opset 17), 'nonsense'",
    ]


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
        model_of([node("Relu", "x", "y"), node("Relu", "x", "y")], {"x": (2,)}), "not valid ONNX"
    )
    circle = [node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "x", "y")]
    refused(model_of(circle, {"x": (2,)}), "not valid ONNX", "topologically sorted")
    refused(model_of([node("Relu", "x x", "y")], {"x": (2,)}), "relu_1")
    refused(model_of([RELU], {"x": (2,)}, ["z"]), "output 'z'")
    refused(model_of([RELU], {"x": (2,)}, []), "no outputs")
    refused(model_of([RELU], {"x": (2,)}, opset=99), "opset 99")
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


def test_all_problems_at_once():
    """Inputs without shapes, types, ops and wrong attributes are lines of one error; its hint settles all shapes."""
    nodes = [
        node("Relu", "x", "a"),
        node("RandomNormalLike", "a", "h"),
        node("Softmax", "k", "s", axis=5),
        node("Softmax", "s", "t", axis=7),
        node("Concat", "k k", "c", axis=3),
        node("Relu", "d", "e"),
    ]
    shapes = {"x": ("N", "L"), "z": (1, "N", None), "k": (2, 3), "d": (2,)}
    model = model_of(nodes, shapes, ["h", "t", "c", "e", "z"])
    model.graph.input[3].type.tensor_type.elem_type = TensorProto.COMPLEX64
    error = refused(model, "6 problems stand in the way")
    assert error.notes == [
        "shape  input 'x': its shape is not fully known: [N, L]",
        "shape  input 'z': its shape is not fully known: [1, N, ?]",
        "type   graph input, 'd': element type COMPLEX64; bools, integers and floats are supported",
        "op     RandomNormalLike (opset 17), 'randomnormallike_1'",
        "node   node 'softmax_1' (Softmax): axis 5 is out of range for a tensor of 2 axes",
        "node   node 'concat_1' (Concat): axis 3 is out of range for a tensor of 2 axes",
    ]
    assert error.hint is not None and error.hint.startswith(
        "give --define-symbol N=1 --define-symbol L=1 --input-shape z=1,1,1 (with the sizes"
    )


def test_an_unknown_shape_hides_no_problem_that_no_size_would_solve():
    """Neither a size of 64 nor one of 128 fits 5 rows, but others may: the product is no problem yet."""
    nodes = [
        node("Softmax", "x", "s", axis=7),
        node("Bernoulli", "x", "b"),
        node("Conv", "image w", "c", auto_pad="HERE"),
        node("MatMul", "x m", "p"),
    ]
    constants = {"w": np.ones((2, 3, 3, 3), np.float32), "m": np.ones((5, 2), np.float32)}
    shapes = {"x": ("N", "L"), "image": (1, 3, None, None)}
    error = refused(model_of(nodes, shapes, [*"sbcp"], constants), "5 problems stand in the way")
    assert error.notes == [
        "shape  input 'x': its shape is not fully known: [N, L]",
        "shape  input 'image': its shape is not fully known: [1, 3, ?, ?]",
        "op     Bernoulli (opset 17), 'bernoulli_1': "
        "the function that defines it needs RandomUniformLike",
        "node   node 'softmax_1' (Softmax): axis 7 is out of range for a tensor of 2 axes",
        "node   node 'conv_1' (Conv): auto_pad 'HERE' is none of "
        "NOTSET, SAME_UPPER, SAME_LOWER, VALID",
    ]
    fits = {"symbols": {"N": 2, "L": 5}, "input_shapes": {"image": (1, 3, 8, 8)}}
    refused(model_of(nodes[3:], {"x": ("N", "L")}, ["p"], constants), "not fully known")
    error = refused(model_of(nodes, shapes, [*"sbcp"], constants), "3 problems", **fits)


def test_a_failed_fold_hides_no_other_problem():
    """What is computed from its result would be computed at import, and is not called unsupported."""
    constants = {"s": np.array([1, 2]), "i": np.array(7)}
    nodes = [
        node("Gather", "s i", "g"),
        node("NonZero", "g", "n"),
        node("Reshape", "x n", "a"),
        node("Softmax", "x", "y", axis=5),
    ]
    error = refused(model_of(nodes, {"x": (2,)}, ["a", "y"], constants), "2 problems")
    assert [str(note).split(":")[0] for note in error.notes] == [
        "node  node 'gather_1' (Gather)",
        "node  node 'softmax_1' (Softmax)",
    ]


def test_the_example_of_a_shape_has_the_rank_of_the_input():
    error = refused(model_of([RELU], {"x": (2, "L", None)}), "[2, L, ?]")
    assert error.hint == "give --input-shape x=2,1,1 (with the sizes that you want)"
    error = refused(model_of([RELU], {"x": ("batch", 8)}), "[batch, 8]")
    assert error.hint == (
        "give --batch 1, or --define-symbol batch=1, or --input-shape x=1,8 (with the sizes that you want)"
    )
