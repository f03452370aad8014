"""Exports element-wise arithmetic."""

from __future__ import annotations

from onnx import TensorProto

from ....dialects import top
from ....dialects.quant.element_type import is_float
from ..function_call import attributes_of, element_of_result, plain
from ..graph_writer import GraphWriter


def _mod(op: top.CallOp, graph: GraphWriter) -> str:
    """Export to Mod, which for floats only has the remainder with the sign of the dividend."""
    fmod = attributes_of(op)["fmod"]
    if fmod or not is_float(op.output.type):
        return graph.node("Mod", *op.inputs, fmod=int(fmod))
    _, divisor = op.inputs
    zero = graph.number(0, divisor, "zero")
    rest = graph.node("Mod", *op.inputs, fmod=1)
    signs = [graph.node("Less", each, zero, element=TensorProto.BOOL) for each in (rest, divisor)]
    is_whole = graph.node("Equal", rest, zero, element=TensorProto.BOOL)
    moves = graph.node("And", graph.node("Xor", *signs), graph.node("Not", is_whole))
    moved = graph.node("Add", rest, divisor)
    return graph.node("Where", moves, moved, rest, element=element_of_result(op))


EXPORTERS = {
    "add": plain("Add"),
    "sub": plain("Sub"),
    "mul": plain("Mul"),
    "min": plain("Min"),
    "max": plain("Max"),
    "div": plain("Div"),
    "mod": _mod,
    "pow": plain("Pow"),
    "neg": plain("Neg"),
    "abs": plain("Abs"),
    "sign": plain("Sign"),
}
"""The exporters of this family, by the function's name."""
