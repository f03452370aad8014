"""Finds parts of uneven concats that can be stored larger at no cost, because products make them and read them.

    %s = conv2d(%x, %w)   values to 1                  stored 256 times as large
    %c = concat(%b, %s)   %b to 640: one scale of 5
    %y = conv2d(%c, %v)                                the weights of %s's channels by 1/256

Factors are powers of two: of the floats themselves they change no digit.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field

import numpy as np
from xdsl.ir import Operation, SSAValue

from ....backends.diagnostics.diagnostic import Diagnostic
from ....dialects import top
from ....dialects.ir.location import place_of
from ....dialects.network.traits import KeepsFactors, WeighsChannels
from ....dialects.quant.element_type import shape_of
from .uneven_joins import fitting_factor, hidden_operands, uneven_joins


@dataclass(frozen=True)
class JoinedFactors:
    """`values` are stored that many times as large as they are; `channels` has, for the result of a concat, the factor
    of each slice along its axis.
    """

    values: dict[SSAValue, float] = field(default_factory=dict)
    channels: dict[SSAValue, np.ndarray] = field(default_factory=dict)

    def changes(self, value: SSAValue) -> bool:
        """Tell whether `value` is stored larger than it is, or a part of it."""
        return value in self.values or value in self.channels

    def remark(self, join: top.ConcatOp) -> Diagnostic | None:
        """Return what to tell about a concat; None if none of its parts has a factor."""
        parts = [value for value in join.inputs if value in self.values]
        notes = [
            f"'{value.owner.result_name.data}' is stored {self.values[value]:.0f} times as large"
            for value in parts
            if isinstance(value.owner, top.TopOp)
        ]
        message = (
            f"'{join.result_name.data}' joins tensors of very different size in one int8 scale; the weights that "
            "read it balance them"
        )
        return Diagnostic("remark", message, place_of(join), notes) if notes else None


def factors_of_joins(ops: Iterable[Operation], floats: Container[SSAValue]) -> JoinedFactors:
    """Return the factors for the concats among `ops` (of one block, in order) that products alone read; values of
    `floats` have none.
    """
    found = JoinedFactors()
    for value, join in uneven_joins(ops).items():
        if value.owner is not join or not isinstance(join, top.ConcatOp) or value in floats:
            continue
        axis = join.axis.value.data
        if not all(_weighs(use.operation, value, axis, floats) for use in value.uses):
            continue
        chains = {
            part: _made_by_product(part, floats)
            for part in hidden_operands(join)
            if fitting_factor(value, part) > 1
        }
        for part, chain in chains.items():
            found.values.update(dict.fromkeys(chain, fitting_factor(value, part)))
        if any(chains.values()):
            found.channels[value] = np.concatenate(
                [
                    np.full(shape_of(part)[axis], found.values.get(part, 1.0), np.float32)
                    for part in join.inputs
                ]
            )
    return found


def _weighs(user: Operation, value: SSAValue, axis: int, floats: Container[SSAValue]) -> bool:
    """Tell whether `user` can take a factor of each slice of `value` along `axis` into its weights."""
    return (
        WeighsChannels.holds(user)
        and list(user.operands).index(value) == 0
        and WeighsChannels.axes_of(user)[0] == axis
        and user.results[0] not in floats
    )


def _made_by_product(part: SSAValue, floats: Container[SSAValue]) -> list[SSAValue]:
    """Return the values from a product to `part`, each read by nothing else; none if no product makes it."""
    chain: list[SSAValue] = []
    value = part
    while value.has_one_use() and value not in floats:
        chain.append(value)
        if WeighsChannels.holds(value.owner):
            return chain
        if not KeepsFactors.holds(value.owner):
            break
        assert isinstance(value.owner, Operation)
        value = value.owner.operands[0]
    return []
