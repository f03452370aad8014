"""All problems of a model are told in one table, those behind a bad node, too, and none that another one causes."""

import numpy as np
from onnx import TensorProto, helper

from tests.unit.compiler.onnx_import.onnx_models import model_of, node, refused

RELU = helper.make_node("Relu", ["x"], ["y"], name="relu")


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
    error = refused(model, "7 problems stand in the way")
    assert error.notes == [
        "shape  input 'x': its shape is not fully known: [N, L]",
        "shape  input 'z': its shape is not fully known: [1, N, ?]",
        "type   graph input, 'd': element type COMPLEX64; bools, integers and floats are supported",
        "op     RandomNormalLike (opset 17), 'randomnormallike_1'",
        "node   node 'softmax_1' (Softmax): axis 5 is out of range for a tensor of 2 axes",
        "node   node 'softmax_1' (Softmax): axis 7 is out of range for a tensor of 2 axes",
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


def behind(*makers, declared=(), opset=17, **options):
    """The notes of a model of x [2, 6] whose nodes `makers` make h of it, with wrong nodes behind them."""
    nodes = [
        *makers,
        node("Relu", "h", "a"),
        helper.make_node("Gelu", ["a"], ["b"], approximate="none?", name="gelu_1"),
        node("MatMul", "h m", "p"),
        node("Magic", "p", "q"),
        node("Softmax", "a", "y", axis=4),
    ]
    model = model_of(
        nodes, {"x": (2, 6)}, ["b", "q", "y"], {"m": np.ones((5, 2), np.float32)}, opset=opset
    )
    model.graph.value_info.extend(declared)
    return [str(each) for each in refused(model, "problems stand in the way", **options).notes]


SOFTMAX = "node  node 'softmax_1' (Softmax): axis 4 is out of range for a tensor of 2 axes"
MATMUL = "node  node 'matmul_1' (MatMul): "


def test_nodes_behind_a_bad_node_are_checked():
    """With the result that onnx infers; if the attribute is wrong, that of the node without it."""
    for bad, told in [
        (node("RandomNormalLike", "x", "h"), "op    RandomNormalLike (opset 20), "),
        (node("LogSoftmax", "x", "h", axis=3), "node  node 'logsoftmax_1' (LogSoftmax): axis 3"),
    ]:
        notes = behind(bad, opset=20)
        assert len(notes) == 5, notes
        assert any(each.startswith(told) for each in notes), notes
        assert "op    Magic (opset 20), 'magic_1'" in notes
        assert SOFTMAX in notes
        assert any(each.startswith(MATMUL) for each in notes), notes
        assert any("gelu_1" in each for each in notes), notes


def test_nodes_behind_a_node_of_an_unknown_op_are_checked():
    """As the model declares its result; without a declaration, what is wrong whatever it is, and nothing else."""
    magic = helper.make_node("Magic", ["x"], ["h"], domain="com.example", name="magic_0")
    notes = behind(magic, opset=20)
    assert len(notes) == 3, notes
    assert not any("softmax_1" in each or "matmul_1" in each for each in notes), notes
    assert any("gelu_1" in each for each in notes), notes
    declared = [helper.make_tensor_value_info("h", TensorProto.FLOAT, [2, 5])]
    notes = behind(magic, declared=declared, opset=20)
    assert len(notes) == 4 and SOFTMAX in notes, notes
    notes = behind(magic, declared=declared, opset=20, batch=4)
    assert SOFTMAX not in notes, notes


def test_a_bad_node_is_no_cause_of_more_problems():
    """What lacks a constant that a bad node would have made is not called wrong for that, nor are its shapes."""
    constants = {"s": np.array([1, 2]), "i": np.array(7), "m": np.ones((5, 2), np.float32)}
    nodes = [
        node("Gather", "s i", "g"),
        node("Reshape", "x g", "a"),
        node("MatMul", "a m", "b"),
        node("Gemm", "b m", "c"),
        helper.make_node("Magic", ["s"], ["t"], domain="com.example", name="magic"),
        node("Relu", "t", "u"),
        node("Expand", "x u", "v"),
    ]
    error = refused(model_of(nodes, {"x": (2,)}, ["c", "v"], constants), "2 problems")
    assert [str(note).split(":")[0] for note in error.notes] == [
        "op    com.example.Magic (opset 1), 'magic'",
        "node  node 'gather_1' (Gather)",
    ]


def test_all_ops_of_a_body_are_told():
    def branch(*ops):
        names = ["x", *(f"{op.lower()}_out" for op in ops)]
        nodes = [node(op, *names[index : index + 2]) for index, op in enumerate(ops)]
        declared = [helper.make_tensor_value_info(names[-1], TensorProto.FLOAT, [2])]
        return helper.make_graph(nodes, "branch", [], declared)

    conditional = node(
        "If",
        "c",
        "y",
        then_branch=branch("RandomNormalLike", "Relu", "Multinomial"),
        else_branch=branch("Relu", "RandomUniformLike"),
    )
    compared = node("Cast", "x", "c", to=TensorProto.BOOL)
    error = refused(model_of([compared, conditional], {"x": (1,)}, ["y"]))
    assert error.notes == [
        "If (opset 17), 'if_1': its body needs RandomNormalLike; Multinomial; its body needs RandomUniformLike"
    ]


def body(nodes, result):
    declared = [helper.make_tensor_value_info(result, TensorProto.FLOAT, [2, 3])]
    return helper.make_graph(nodes, "body", [], declared)


def test_wrong_nodes_of_a_body_hide_none_of_its_ops():
    """Nor those of the other branch; nor does what is wrong with the condition."""
    bodies = {
        "then_branch": body(
            [
                node("Softmax", "x", "p", axis=5),
                node("Relu", "p", "s"),
                node("Weird", "s", "t"),
                node("LogSoftmax", "x", "r", axis=6),
            ],
            "t",
        ),
        "else_branch": body(
            [node("Strange", "x", "v"), node("Softmax", "v", "w", axis=8)],
            "w",
        ),
    }
    needed = "op    If (opset 17), 'if_1': its body needs Weird; its body needs Strange"
    wrong = [
        "node  node 'if_1' (Softmax): axis 5 is out of range for a tensor of 2 axes",
        "node  node 'if_1' (LogSoftmax): axis 6 is out of range for a tensor of 2 axes",
    ]
    shapes = {"x": (2, 3), "i": (1,)}
    known = node("Cast", "i", "c", to=TensorProto.BOOL)
    error = refused(model_of([known, node("If", "c", "y", **bodies)], shapes, ["y"]), "3 problems")
    assert error.notes == [needed, *wrong]
    lost = node("Mystery", "i", "c")
    error = refused(model_of([lost, node("If", "c", "y", **bodies)], shapes, ["y"]))
    assert [*error.notes[:2], *sorted(error.notes[2:], reverse=True)] == [
        "op    Mystery (opset 17), 'mystery_1'",
        "op    If (opset 17), 'if_1': its body needs Strange; Weird",
        *wrong,
    ]


def test_what_constants_may_settle_in_a_body_is_no_problem_of_its_own():
    """Behind a shape that is not known it is not said that nothing imports ConstantOfShape."""
    made = body([node("Shape", "x", "s"), node("ConstantOfShape", "s", "o")], "o")
    known = node("Cast", "i", "c", to=TensorProto.BOOL)
    nodes = [known, node("If", "c", "y", then_branch=made, else_branch=made)]
    refused(model_of(nodes, {"x": ("N", 3), "i": (1,)}, ["y"]), "not fully known")


def test_what_the_checker_refuses_hides_no_other_problem():
    nodes = [
        node("Relu", "x", "a", foo=3),
        helper.make_node("Relu", ["x", "x"], ["b"], name="two"),
        node("Softmax", "a", "c", axis=9),
        node("Add", "c nowhere", "d"),
        node("Magic", "d", "e"),
        helper.make_node("Relu", ["x"], ["e"], name="again"),
        node("Add", "k x", "f"),
        helper.make_node("Add", ["x", "h"], ["g"], name="circle"),
        helper.make_node("Relu", ["g"], ["h"], name="back"),
    ]
    model = model_of(nodes, {"x": (2, 3)}, [*"abcdefgh"], {"k": np.ones((2, 3), np.float32)})
    model.graph.initializer[0].dims[0] = 5
    error = refused(model, "8 problems stand in the way")
    assert [str(note).replace("raw_data ", "").split(" size (")[0] for note in error.notes] == [
        "constant  initializer 'k': TensorProto (tensor name: k)",
        "op        Magic (opset 17), 'magic_1'",
        "node      node 'relu_1' (Relu): Unrecognized attribute: foo for operator Relu",
        "node      node 'two' (Relu): Node(two) with schema(::Relu:14) has input size 2 not in range [min=1, max=1].",
        "node      node 'softmax_1' (Softmax): axis 9 is out of range for a tensor of 2 axes",
        "node      node 'add_1' (Add): no node makes its input 'nowhere'",
        "node      node 'again' (Relu): its output 'e' is made elsewhere, too",
        "node      node 'circle' (Add): its input 'h' is made of its own results: the graph has a cycle",
    ]


def test_the_example_of_a_shape_has_the_rank_of_the_input():
    error = refused(model_of([RELU], {"x": (2, "L", None)}), "[2, L, ?]")
    assert error.hint == "give --input-shape x=2,1,1 (with the sizes that you want)"
    error = refused(model_of([RELU], {"x": ("batch", 8)}), "[batch, 8]")
    assert error.hint == (
        "give --batch 1, or --define-symbol batch=1, or --input-shape x=1,8 (with the sizes that you want)"
    )
