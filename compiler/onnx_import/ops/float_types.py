"""Computes nodes whose operands have floats of several types, as ONNX allows some ops, in the widest of these types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.ir import Attribute

from ....backends.numerics.storage import NETWORK_FLOAT_NAMES, dtype_of, name_of
from ....dialects.quant.element_type import type_of_storage
from ..graph.builder import GraphBuilder
from ..graph.node import Node
from ..graph.operator import ImportFunction
from ..graph.value import Constant, Value, dtype_of_value
from ..model.op_name import is_default_domain
from .pointwise import in_element

_FLOATS = tuple(dtype_of(name) for name in (*NETWORK_FLOAT_NAMES, "f64"))
_FLOAT_TYPES = {f"tensor({name})" for name in ("bfloat16", "float16", "float", "double")}
_INDEX_TYPES = {"tensor(int32)", "tensor(int64)"}


def in_one_float_type(lower: ImportFunction) -> ImportFunction:
    """Return an import function that gives `lower` operands of one float type: those that ONNX lets differ are
    converted to the widest type among them, and the results to the types that ONNX says.
    """

    def wide(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
        schema = _schema(node)
        own = {} if schema is None else _float_operands(node, schema)
        dtypes = {dtype_of_value(value) for value in own.values()}
        if len(dtypes) < 2:
            return lower(node, builder)
        element = type_of_storage(name_of(_widest(dtypes)))
        inputs = list(node.inputs)
        for index, value in own.items():
            name = builder.derived(node.output, f"operand{index}")
            inputs[index] = in_element(node, builder, value, element, name)
        wanted = _results(node, schema, own)
        narrow = {index: each for index, each in wanted.items() if each != element}
        names = {i: builder.derived(node.proto.output[i], "wide") for i in narrow}
        changed = node.changed(inputs, names)
        builder.enter(changed)
        made = list(lower(changed, builder))
        builder.enter(node)
        if not made:  # there is no such function
            return made
        for index, each in narrow.items():
            value = made[index]
            if value is not None:
                name = node.proto.output[index]
                made[index] = in_element(node, builder, value, each, name)
        return made

    return wide


def with_wide_indices(node: Node) -> Node:
    """Return the node with constant indices of i32 as i64 where ONNX allows both: functions compute with those of
    i64.
    """
    schema = _schema(node)
    if schema is None:
        return node
    inputs = list(node.inputs)
    for index, value in enumerate(inputs[: len(schema.inputs)]):
        types = set(schema.inputs[index].types)
        if isinstance(value, Constant) and value.dtype == np.int32 and types == _INDEX_TYPES:
            inputs[index] = Constant(value.array.astype(np.int64), value.name)
    return node.changed(inputs, {})


def _schema(node: Node) -> Any:
    import onnx

    if not is_default_domain(node.proto) or not onnx.defs.has(node.op_type, node.opset, ""):
        return None
    return onnx.defs.get_schema(node.op_type, node.opset, "")


def _float_operands(node: Node, schema: Any) -> dict[int, Value]:
    """Return the operands that ONNX takes of floats only, of any type."""
    return {
        index: value
        for index, (value, formal) in enumerate(zip(node.inputs, schema.inputs, strict=False))
        if value is not None
        and dtype_of_value(value) in _FLOATS
        and formal.type_str in {each.type_param_str for each in schema.type_constraints}
        and set(formal.types) <= _FLOAT_TYPES
    }


def _widest(dtypes: set[np.dtype]) -> np.dtype:
    """Return the least type that holds the numbers of all: f32 for f16 and bf16."""
    size = max(dtype.itemsize for dtype in dtypes)
    widest = [dtype for dtype in dtypes if dtype.itemsize == size]
    return widest[0] if len(widest) == 1 else np.dtype(np.float32)


def _results(node: Node, schema: Any, operands: dict[int, Value]) -> dict[int, Attribute]:
    """Return the element types of the used results that have that of one of the operands."""
    bound = {schema.inputs[index].type_str: each for index, each in operands.items()}
    return {
        index: type_of_storage(name_of(dtype_of_value(bound[formal.type_str])))
        for index, formal in enumerate(schema.outputs[: len(node.proto.output)])
        if node.uses_output(index) and formal.type_str in bound
    }
