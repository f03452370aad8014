"""What patterns do with ops of top and tpu: replace an op by another, take over its type, erase ops that are no longer
used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import Rewriter
from xdsl.transforms.dead_code_elimination import is_trivially_dead

from ..ir.attribute import text
from .tensor_op import TensorOp

Named = TypeVar("Named", bound=TensorOp)


def erase_if_unused(rewriter: PatternRewriter, *ops: object) -> None:
    """Erase those of `ops` whose results nobody uses. This is part of the rewrite, so their locations are carried over
    to what replaces them.

    Whatever is not an op (such as the block that owns an argument) is skipped.
    """
    for op in ops:
        if isinstance(op, Operation) and op.parent is not None and is_trivially_dead(op):
            rewriter.erase(op)


def take_type(new: Operation, value: SSAValue) -> None:
    """Give the one result of `new`, an op that nobody uses yet, the type of `value` (with its calibrated range)."""
    if new.results[0].type != value.type:
        Rewriter.replace_value_with_new_type(new.results[0], value.type)


def clone_with(op: Operation, properties: Mapping[str, Attribute | None]) -> Operation:
    """Return a copy of `op` (which must have no regions) without its location and with other `properties`; the value
    None removes a property.
    """
    merged = {**op.properties, **properties}
    return type(op).create(
        operands=op.operands,
        result_types=op.result_types,
        properties={name: value for name, value in merged.items() if value is not None},
        attributes=op.attributes,
    )


def with_operands(op: Named, name: str, operands: Mapping[str, SSAValue | None]) -> Named:
    """Return a copy of `op` without its location, under another name and with other `operands` by their fields' names;
    the value None leaves an optional operand out.
    """
    properties = {**op.properties, "name": text(name)}
    properties.pop("operandSegmentSizes", None)
    return type(op).build(
        operands=[
            operands.get(field, getattr(op, field))
            for field, _ in op.get_irdl_definition().operands
        ],
        result_types=op.result_types,
        properties=properties,
    )


def replace_merged(
    rewriter: PatternRewriter, op: TensorOp, made: TensorOp, *merged: Operation
) -> None:
    """Put `made` in the place of `op`, with its type, and erase those of the ops `merged` into it that nobody else
    uses.
    """
    take_type(made, op.output)
    rewriter.replace(op, made)
    erase_if_unused(rewriter, *merged)
