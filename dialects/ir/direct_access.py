"""Lets an op's named operands and results be read by their position, at a third of what xDSL's accessors cost.

xDSL finds out at each reading of `op.source` of what kind the field is, wraps the list of operands, and indexes it: six
calls, and one of the most frequent things that passes and verifiers do. Where no operand of variable number stands
before a field, its position says all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from xdsl.ir import Operation, SSAValue
from xdsl.irdl.operations import BeforeVariadicSingleAccessor, VarIRConstruct

Op = TypeVar("Op", bound=type[Operation])


def with_direct_access(ops: Sequence[Op]) -> list[Op]:
    """Give ops accessors by position for their operands and results, where these have one; return the ops."""
    for op in ops:
        for name, accessor in list(vars(op).items()):
            if isinstance(accessor, BeforeVariadicSingleAccessor):
                direct = _accessor(accessor)
                if direct is not None:
                    setattr(op, name, direct)
    return list(ops)


def operands_of(op: Any) -> tuple[SSAValue, ...]:
    """Return the operands of an op as the tuple that it keeps, which is another one after a change: `op.operands` makes
    a view of it, whose every reading takes three calls.
    """
    return op._operands


def _accessor(accessor: BeforeVariadicSingleAccessor) -> property | None:
    """Return an accessor that reads the same operand or result; None for a region or a successor."""
    # A tuple's own accessor: that of xDSL's subclass asks for the type of the position first.
    at, item = accessor.idx, tuple.__getitem__

    def operand(op: Any) -> Any:
        return item(op._operands, at)

    def result(op: Any) -> Any:
        return item(op.results, at)

    match accessor.construct:
        case VarIRConstruct.OPERAND:
            return property(operand)
        case VarIRConstruct.RESULT:
            return property(result)
        case _:
            return None
