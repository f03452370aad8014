"""Which tensors depend on the values of inputs."""

from onnx import TensorProto, helper
from smalti.compiler.analysis.input_dependence import computed_from_inputs


def test_constants_and_shapes_do_not_depend_on_inputs():
    """Nodes may stand in any order; what a subgraph reads counts."""
    branch = helper.make_graph(
        [helper.make_node("Neg", ["b"], ["inner"])], "branch", [],
        [helper.make_tensor_value_info("inner", TensorProto.FLOAT, [2])],
    )  # fmt: skip
    nodes = [
        helper.make_node("Add", ["a", "k"], ["b"]),
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Constant", [], ["k"], value_float=1.0),
        helper.make_node("Exp", ["k"], ["e"]),
        helper.make_node("Shape", ["a"], ["s"]),
        helper.make_node("Mul", ["w", "w"], ["w2"]),
        helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch),
        helper.make_node("Split", ["b"], ["p", "", "q"], num_outputs=3),
    ]
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in ("x", "w")]
    weights = [helper.make_tensor("w", TensorProto.FLOAT, [2], [1, 2])]
    graph = helper.make_graph(nodes, "g", inputs, [], weights)
    model = helper.make_model(graph)
    assert computed_from_inputs(model) == {"x", "a", "b", "z", "p", "q"}
