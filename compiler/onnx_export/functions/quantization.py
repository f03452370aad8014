"""Exports quantization by scales of run time, and products of integers."""

from __future__ import annotations

from typing import Any

from ....dialects import top
from ....dialects.quant.element_type import shape_of
from ..exporter_function import ExportFunction
from ..function_call import attributes_of, element_of_result, of_several, plain
from ..graph_writer import GraphWriter
from ..ops.recurrence import activation_attributes


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


def _lstm(op: top.CallOp, graph: GraphWriter) -> str:
    """Export to ONNX Runtime's op, which has scales and zero points last."""
    given = attributes_of(op)
    x, weights, recurrence, *others = op.inputs
    scales, optional = others[:4], others[4:]
    return of_several(
        op,
        graph,
        "DynamicQuantizeLSTM",
        [x, weights, recurrence, *optional, *scales],
        domain="com.microsoft",
        hidden_size=shape_of(recurrence)[1],
        direction=given["direction"],
        **activation_attributes(given["activations"], given["alpha"], given["beta"]),
        clip=given["clip"] or None,
        input_forget=int(given["input_forget"]),
    )


def _convolution(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    lists: dict[str, Any] = {name: list(given[name]) for name in ("strides", "dilations", "pads")}
    element = element_of_result(op)
    return graph.node("ConvInteger", *op.inputs, element=element, group=given["groups"], **lists)


EXPORTERS = {
    "quantize_linear": _linear("QuantizeLinear"),
    "dequantize_linear": _linear("DequantizeLinear"),
    "dynamic_quantize_linear": _dynamic,
    "dynamic_quantize_lstm": _lstm,
    "matmul_integer": plain("MatMulInteger"),
    "conv_integer": _convolution,
}
"""The exporters of this family, by the function's name."""
