"""Exports quantization by scales of run time, and products of integers."""

from __future__ import annotations

from typing import Any

from ....dialects import top
from ..exporter_function import ExportFunction
from ..function_call import attributes_of, element_of_result, of_several, plain
from ..graph_writer import GraphWriter


def _linear(kind: str) -> ExportFunction:
    def export(op: top.CallOp, graph: GraphWriter) -> str:
        given = attributes_of(op)
        return graph.node(
            kind,
            *op.inputs,
            element=element_of_result(op),
            axis=given["axis"],
            block_size=given["block"] or None,
        )

    return export


def _dynamic(op: top.CallOp, graph: GraphWriter) -> str:
    return of_several(op, graph, "DynamicQuantizeLinear", op.inputs)


def _convolution(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    lists: dict[str, Any] = {name: list(given[name]) for name in ("strides", "dilations", "pads")}
    element = element_of_result(op)
    return graph.node("ConvInteger", *op.inputs, element=element, group=given["groups"], **lists)


EXPORTERS = {
    "quantize_linear": _linear("QuantizeLinear"),
    "dequantize_linear": _linear("DequantizeLinear"),
    "dynamic_quantize_linear": _dynamic,
    "matmul_integer": plain("MatMulInteger"),
    "conv_integer": _convolution,
}
"""The exporters of this family, by the function's name."""
