"""Traits of the ops of `top` and `tpu`: what passes ask of an op instead of which op it is.

An op of a plugin has them as ours do:

    class SquareOp(TopOp):
        name = "square.square"
        traits = traits_def(RoundsResult(), CanStayFloat())

Of ops whose properties decide, `where` tells which have the trait:

    traits = traits_def(RoundsResult(where=lambda op: op.kind.data == "mean"))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from xdsl.ir import Operation, SSAValue
from xdsl.traits import OpTrait

from ..quant.element_type import shape_of


def _always(op: Any) -> bool:
    return True


@dataclass(frozen=True)
class TensorTrait(OpTrait):
    """Base of the traits: a statement about an op that is true, or is for the ops that `where` accepts."""

    where: Callable[[Any], bool] = _always

    @classmethod
    def holds(cls, op: object) -> bool:
        """Tells whether `op` has the trait; a block, which owns arguments, has none."""
        trait = op.get_trait(cls) if isinstance(op, Operation) else None
        return trait is not None and trait.where(op)


# What an op does


class Moves(TensorTrait):
    """The op moves elements as they are, or repeats or drops them, and computes nothing."""


class Converts(TensorTrait):
    """The op gives the numbers of its operand in another number format."""


class ComparesElements(TensorTrait):
    """The op computes in floats, and what it computes depends on differences between elements."""


# Layouts that an op of tpu asks for


@dataclass(frozen=True)
class KeepsLayout(TensorTrait):
    """The result and the operands of its rank are best laid out alike; of an op with `operand`, the result
    and this one operand."""

    operand: str | None = None

    @classmethod
    def operands_like_result(cls, op: Operation) -> list[SSAValue]:
        """Returns the operands of `op` that are best laid out as its result is; none without the trait."""
        trait = op.get_trait(cls)
        if trait is None or not trait.where(op):
            return []
        if trait.operand is not None:
            return [getattr(op, trait.operand)]
        rank = len(shape_of(op.results[0]))
        return [value for value in op.operands if len(shape_of(value)) == rank]


class ChannelLast(TensorTrait):
    """The tiles that the op computes on have the channels of one pixel side by side."""


class RowMajor(TensorTrait):
    """The tiles that the op computes on are rows of the last axis."""


# Quantization of an op of top


class RoundsResult(TensorTrait):
    """A quantized result is rounded to whatever scale is asked for; without the trait it has the operand's."""


class GivesQuantization(TensorTrait):
    """What the op alone reads may be quantized as the op's result is: nothing that it keeps is lost."""


class CanStayFloat(TensorTrait):
    """The op can as well compute in floats, or leave floats as they are, where that is all that its readers
    ask for."""
