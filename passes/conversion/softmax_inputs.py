"""What only softmaxes read: scores that are scaled, shifted and masked on their way."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.ir import Operation, SSAValue

from ...dialects import top

_ELEMENT_WISE = (
    top.AddOp, top.SubOp, top.MulOp, top.DivOp, top.MinOp, top.MaxOp, top.SelectOp, top.ClipOp,
    top.ReluOp, top.UnaryOp,
)  # fmt: skip
_MOVES = (top.ReshapeOp, top.TransposeOp, top.SliceOp, top.GatherOp)


def softmax_inputs(ops: Iterable[Operation]) -> set[SSAValue]:
    """The results of element-wise ops and moves among `ops` (of one block, in order) that nothing
    but softmaxes read, at once or after more such ops.

    A softmax computes in floats, and what it makes depends on differences. What a mask puts in the
    place of some scores (-10000, the least float, -inf) would take all of an 8-bit range, and
    between the product that makes the scores and the softmax 8 bits gain nothing.
    """
    found: set[SSAValue] = set()
    for op in reversed(list(ops)):
        if isinstance(op, _ELEMENT_WISE + _MOVES) and _softmaxes_read(op.output, found):
            found.add(op.output)
    return found


def _softmaxes_read(value: SSAValue, found: set[SSAValue]) -> bool:
    users = [use.operation for use in value.uses]
    return bool(users) and all(
        isinstance(user, top.SoftmaxOp) or any(result in found for result in user.results)
        for user in users
    )
