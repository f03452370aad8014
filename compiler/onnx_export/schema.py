"""Finds from which opset on ONNX has a node: ops came, and took more attributes, operands and types, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from onnx import TensorProto, defs
from onnx.defs import OpSchema

from ...backends.numerics.storage import dtype_of

LEAST_OPSET = 17
"""The opset of models whose ops need no newer one."""
COMMON_OPSET = 22
"""The newest opset that tools in use can be expected to know; a newer one is used only where nothing else helps."""


@cache
def element_type(storage: str) -> int:
    """Return ONNX's number for the elements of a storage type. Raises ValueError if ONNX has no such elements."""
    from onnx.helper import np_dtype_to_tensor_dtype

    return int(np_dtype_to_tensor_dtype(dtype_of(storage)))


def element_name(element: int) -> str:
    """Return ONNX's name of an element type: FLOAT, INT64 …"""
    return TensorProto.DataType.Name(element)  # pyright: ignore[reportArgumentType]


@cache
def needed_opset(
    kind: str,
    inputs: tuple[int | None, ...],
    outputs: tuple[int, ...],
    attributes: frozenset[str],
    least: int = LEAST_OPSET,
) -> int | None:
    """Return the first opset from `least` on in which ONNX's own op `kind` takes operands and gives results of these
    element types (None for an operand left out) and has the attributes; None if there is none.
    """
    for opset in range(least, defs.onnx_opset_version() + 1):
        try:
            schema = defs.get_schema(kind, opset)
        except defs.SchemaError:
            continue  # the op came later
        if _takes(schema, inputs, outputs, attributes):
            return opset
    return None


def _takes(
    schema: OpSchema,
    inputs: Sequence[int | None],
    outputs: Sequence[int],
    attributes: frozenset[str],
) -> bool:
    return (
        schema.min_input <= len(inputs) <= schema.max_input
        and schema.min_output <= len(outputs) <= schema.max_output
        and attributes <= set(schema.attributes)
        and _fit(schema.inputs, inputs)
        and _fit(schema.outputs, outputs)
    )


def _fit(parameters: Sequence[OpSchema.FormalParameter], elements: Sequence[int | None]) -> bool:
    """Tell whether parameters, the last of which may stand for several, take these elements."""
    return all(
        element is None
        or f"tensor({element_name(element).lower()})"
        in parameters[min(index, len(parameters) - 1)].types
        for index, element in enumerate(elements)
    )
