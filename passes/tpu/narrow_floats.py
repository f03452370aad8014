"""`tpu-narrow-floats`: lets ops that compute in floats between integers of 8 bits read and write f16 in place of f32.

Before (a target whose vector unit has more lanes for f16 than for f32):

    %f = tpu.cast "x_f32" %x : (tensor<1x8x!quant.uniform<i8:f32, 0.1>>) -> tensor<1x8xf32>
    %p = tpu.softmax "p" %f axis = 1 : (tensor<1x8xf32>) -> tensor<1x8xf32>
    %q = tpu.cast "p_i8" %p : (tensor<1x8xf32>) -> tensor<1x8x!quant.uniform<i8:f32, 0.004:-128>>

After:

    %f = tpu.cast "x_f16" %x : (tensor<1x8x!quant.uniform<i8:f32, 0.1>>) -> tensor<1x8xf16>
    %p = tpu.softmax "p" %f axis = 1 : (tensor<1x8xf16>) -> tensor<1x8xf16>
    %q = tpu.cast "p_i8" %p : (tensor<1x8xf16>) -> tensor<1x8x!quant.uniform<i8:f32, 0.004:-128>>

A number that an i8 or u8 stands for lies at most an eighth of a step beside an f16, as that has 11 bits, if neither the
greatest number nor the step is beyond its range. What is too large for f16 is so for the integers as well, which
saturate. The op, whose trait is `RoundsOnce`, computes inside as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import Rewriter

from ...dialects import tpu
from ...dialects.ir.target_attribute import target_name_of, target_of
from ...dialects.ir.text.value_name import value_name
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import value_of
from ...dialects.network.rewriting import clone_with, erase_if_unused
from ...dialects.network.traits import RoundsOnce
from ...dialects.quant import UniformQuantizedType
from ...dialects.quant.element_type import element_of, element_storage, shape_of, type_of_storage
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass, store_of

_WIDE, _NARROW = "f32", "f16"
_LIMITS = np.finfo(np.float16)

_MOST_BITS = 8
"""Integers with more bits have more digits than f16."""

_STEPS_CHANGED = 0.08
"""By how much an output changes, as a share of its range, if integers in the middle of a network round to a neighbor:
as where roundings are left out by `tpu-fuse-residual`.
"""


class NarrowFloats(RewritePattern):
    """An op in f32 whose operand is made of integers of 8 bits, and whose result only such integers are made of  ⇒  the
    op in f16.
    """

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, tpu.TpuOp) or not RoundsOnce.holds(op):
            return
        if element_storage(op.output.type) != _WIDE or not _becomes_integers(op.output):
            return
        maker, *others = (value.owner for value in op.operands)
        if not all(isinstance(other, tpu.WeightOp) for other in others):
            return
        if isinstance(maker, tpu.CastOp) and _fits(maker.input):
            name = f"{maker.result_name.data.removesuffix(f'_{_WIDE}')}_{_NARROW}"
            made = tpu.CastOp(name, maker.input, element=type_of_storage(_NARROW))
        elif isinstance(maker, tpu.LookupOp) and (table := self._narrow_table(maker)) is not None:
            name = maker.result_name.data
            rewriter.insert(table)
            made = tpu.LookupOp(name, maker.input, table.output)
        else:
            return
        made.output.name_hint = value_name(name)
        rewriter.insert(made)
        narrow = clone_with(op, {})
        narrow.operands[0] = made.output
        type = TensorType(type_of_storage(_NARROW), shape_of(op.output))
        Rewriter.replace_value_with_new_type(narrow.results[0], type)
        narrow.results[0].name_hint = op.output.name_hint
        rewriter.replace(op, narrow)
        erase_if_unused(rewriter, maker)

    def _narrow_table(self, op: tpu.LookupOp) -> tpu.WeightOp | None:
        """Return the table of a look-up in f16; None if f16 cannot hold its numbers, or if they are no f32."""
        owner = op.table.owner
        if not isinstance(owner, tpu.WeightOp) or element_storage(op.table.type) != _WIDE:
            return None
        array = value_of(owner, self.store)
        sizes = np.abs(array[np.isfinite(array) & (array != 0)])
        if not ((sizes >= _LIMITS.smallest_normal) & (sizes <= _LIMITS.max)).all():
            return None
        name = f"{owner.result_name.data}.{_NARROW}"
        type = TensorType(type_of_storage(_NARROW), array.shape)
        table = tpu.WeightOp(name, type=type, key=self.store.add(name, array.astype(np.float16)))
        table.output.name_hint = value_name(name)
        return table


@dataclass(frozen=True)
class NarrowFloatsPass(SmaltiPass):
    """Let normalizations and softmaxes between integers of 8 bits read and write f16, if that is faster than f32."""

    name = "tpu-narrow-floats"
    level: ClassVar[Level] = "tpu"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(NarrowFloats)

    @property
    def tolerance(self) -> float:
        """The effect of integers that round to a neighbor, carried through a network's depth."""
        return _STEPS_CHANGED

    def run(self, ctx: Context, module: ModuleOp) -> None:
        if target_name_of(module) is None:
            return
        lanes = target_of(module).vector.lanes
        if lanes[_NARROW] > lanes[_WIDE]:
            self.rewrite(module, [NarrowFloats(store_of(ctx))])


def _becomes_integers(value: SSAValue) -> bool:
    """Tell whether all readers of a value, of which there are some, make integers of it that f16 has room for."""
    readers = [use.operation for use in value.uses]
    return bool(readers) and all(
        isinstance(reader, tpu.CastOp) and _fits(reader.output) for reader in readers
    )


def _fits(value: SSAValue) -> bool:
    """Tell whether a value holds integers of at most 8 bits whose numbers, and steps between them, f16 has room for."""
    element = element_of(value)
    if not isinstance(element, UniformQuantizedType) or element.storage.width.data > _MOST_BITS:
        return False
    scales, zero_points = np.array(element.scales), np.array(element.zero_points)
    reach = np.maximum(element.storage_max - zero_points, zero_points - element.storage_min)
    fits = (scales >= _LIMITS.smallest_normal) & (scales * reach <= _LIMITS.max)
    return bool(fits.all())
