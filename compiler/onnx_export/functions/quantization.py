"""Exports quantization by scales of run time, and products of integers."""

from __future__ import annotations

from typing import Any

from onnx import TensorProto

from ....backends.numerics.functions.families.conversion import SATURATING
from ....dialects import top
from ....dialects.quant.element_type import element_storage, shape_of
from ..function_call import attributes_of, element_of_result, of_several, plain
from ..graph_writer import GraphWriter
from ..ops.recurrence import activation_attributes


def _quantize(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    saturates = given["saturate"] or element_storage(op.output.type) not in SATURATING
    powers = graph.element(op.inputs[1]) == TensorProto.FLOAT8E8M0
    return graph.node(
        "QuantizeLinear",
        *op.inputs,
        element=element_of_result(op),
        axis=given["axis"],
        block_size=given["block"] or None,
        saturate=None if saturates else 0,
        precision=TensorProto.FLOAT if powers else None,
    )


def _dequantize(op: top.CallOp, graph: GraphWriter) -> str:
    given = attributes_of(op)
    element = element_of_result(op)
    return graph.node(
        "DequantizeLinear",
        *op.inputs,
        element=element,
        axis=given["axis"],
        block_size=given["block"] or None,
        output_dtype=None if element == graph.element(op.inputs[1]) else element,
    )


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
    "quantize_linear": _quantize,
    "dequantize_linear": _dequantize,
    "dynamic_quantize_linear": _dynamic,
    "dynamic_quantize_lstm": _lstm,
    "matmul_integer": plain("MatMulInteger"),
    "conv_integer": _convolution,
}
"""The exporters of this family, by the function's name."""
