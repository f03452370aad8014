"""Checks IR op by op and says in one sentence what is wrong, without the dump of the module that
xDSL makes of it.
"""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.irdl import IRDLOperation
from xdsl.traits import IsTerminator, NoTerminator
from xdsl.utils.exceptions import VerifyException


def first_error(op: Operation) -> tuple[Operation, str] | None:
    """The first op inside `op` (itself included) that is wrong, with the reason; None where all is
    well.

    Beyond each op's own verifier: every operand is defined before its use, blocks end in
    terminators where they have to, and names (property `name`) are unique in each function. What an
    op holds is checked before the op, whose verifier may then rely on it.
    """
    names: set[StringAttr] | None = set() if isinstance(op, FuncOp) else None
    try:
        if op.regions and isinstance(op, IRDLOperation):
            # Some ops ask the op that holds them, func.return for the function's type.
            op.get_irdl_definition().verify(op)
        for region in op.regions:
            for block in region.blocks:
                wrong = _block_error(block, names)
                if wrong is not None:
                    return wrong
        op.verify_()
    except VerifyException as error:
        return op, _first_line(error)
    return _terminator_error(op)


def _first_line(error: VerifyException) -> str:
    return str(error).strip().partition("\n")[0]


def _block_error(block: Block, names: set[StringAttr] | None) -> tuple[Operation, str] | None:
    defined: set[Operation] = set()
    for op in block.ops:
        reason = _use_error(op, block, defined)
        if reason is None and names is not None:
            reason = _name_error(op, names)
        if reason is not None:
            return op, reason
        wrong = first_error(op)
        if wrong is not None:
            return wrong
        defined.add(op)
    return None


def _terminator_error(parent: Operation) -> tuple[Operation, str] | None:
    if parent.has_trait(NoTerminator):
        return None
    for region in parent.regions:
        for block in region.blocks:
            last = block.last_op
            if last is None or not last.has_trait(IsTerminator):
                return (last or parent), "the block does not end in a terminator"
    return None


def _use_error(op: Operation, block: Block, defined: set[Operation]) -> str | None:
    """Operands from this block must stand above; those from an enclosing block were checked there
    by IsolatedFromAbove.
    """
    for index, operand in enumerate(op.operands):
        owner = operand.owner if isinstance(operand, SSAValue) else None
        if isinstance(operand, BlockArgument) or owner is None:
            continue
        if isinstance(owner, Operation) and owner.parent is None:
            return f"operand {index} is made by an op that was erased ({owner.name})"
        if isinstance(owner, Operation) and owner.parent is block and owner not in defined:
            return f"operand {index} is used before it is defined (by {owner.name})"
    return None


def _name_error(op: Operation, names: set[StringAttr]) -> str | None:
    name = op.properties.get("name")
    if not isinstance(name, StringAttr):
        return None
    if name in names:
        return f"name {name} is taken by an op above: names are unique in a function"
    names.add(name)
    return None
