"""`tpu-fuse-lookup`: replaces a chain of element-wise ops on 8 bits by one look-up in a table.

Before:

    %f = tpu.cast "x_f32" %x : (tensor<4x!quant.uniform<i8:f32, 0.1>>) -> tensor<4xf32>
    %s = tpu.unary "s" %f kind = "sigmoid" : (tensor<4xf32>) -> tensor<4xf32>
    %q = tpu.cast "s_i8" %s : (tensor<4xf32>) -> tensor<4x!quant.uniform<i8:f32, 0.004:-128>>

After:

    %t = tpu.weight "s.table" key = "s.table" : tensor<256x!quant.uniform<i8:f32, 0.004:-128>>
    %q = tpu.lookup "s" %x, %t : (…) -> tensor<4x!quant.uniform<i8:f32, 0.004:-128>>

The table holds what the chain makes of each of the 256 values, by the functions that the interpreter runs: what is
computed stays the same to the bit. A chain begins at a value of 8 bits; it may hold casts, requantizations, clamps,
functions, look-ups, and arithmetic and comparisons with one number, and ends where an op of another kind uses its
result. At least one of its ops has to compute in floats or be a look-up: clamps and requantizations alone are cheaper
as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from ...backends.instructions.pointwise import TABLE_ENTRIES
from ...backends.numerics.storage import LOOKUP_NAMES, dtype_of
from ...dialects import tpu
from ...dialects.ir.text.value_name import value_name
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import value_of
from ...dialects.network.rewriting import erase_if_unused
from ...dialects.network.traits import Converts
from ...dialects.quant import UniformQuantizedType
from ...dialects.quant.element_type import element_of, element_storage, is_quantized
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass, store_of


class FuseChain(RewritePattern):
    """The last op of a chain on 8 bits  ⇒  a look-up with the value at which the chain begins."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, tpu.TpuOp) or op.table_operand() is None or _goes_on(op):
            return
        chain = _chain_to(op)
        if chain is None or not any(_is_worth_a_table(step) for step in chain):
            return
        if len(chain) == 1 and isinstance(op, tpu.LookupOp):
            return
        root = _operand(chain[0])
        assert root is not None
        named = next((step for step in reversed(chain) if not Converts.holds(step)), op)
        name = named.result_name.data
        type = TensorType(op.output.type.element_type, [TABLE_ENTRIES])
        key = self.store.add(f"{name}.table", self._table(chain, element_storage(root.type)))
        table = tpu.WeightOp(f"{name}.table", type=type, key=key)
        made = tpu.LookupOp(name, root, table.output)
        table.output.name_hint = value_name(f"{name}.table")
        made.output.name_hint = value_name(name)
        rewriter.replace(op, [table, made], [made.output])
        erase_if_unused(rewriter, *reversed(chain[:-1]))

    def _table(self, chain: Sequence[tpu.TpuOp], storage: str) -> np.ndarray:
        """Return the results of `chain` for all values of `storage`, i8 or u8, in the order of their bits."""
        bits = np.arange(TABLE_ENTRIES, dtype=np.uint8)
        value = bits.view(dtype_of(storage))
        with np.errstate(all="ignore"):
            for step in chain:
                source = _operand(step)
                operands = [
                    value[None]
                    if operand is source
                    else value_of(_weight(operand), self.store)[None]
                    for operand in step.operands
                ]
                value = step.evaluate(operands).reshape(TABLE_ENTRIES)
        return np.ascontiguousarray(value)


@dataclass(frozen=True)
class FuseLookup(SmaltiPass):
    """Fuse chains of element-wise ops on 8 bits into look-ups in tables."""

    name = "tpu-fuse-lookup"
    level: ClassVar[Level] = "tpu"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(FuseChain)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        self.rewrite(module, [FuseChain(store_of(ctx))])


def _weight(value: SSAValue) -> tpu.WeightOp:
    owner = value.owner
    assert isinstance(owner, tpu.WeightOp), "the other operands of a step are constants"
    return owner


def _operand(op: object) -> SSAValue | None:
    """Return the operand of a step that decides each element of its result; None for ops that cannot be steps of a
    chain.
    """
    return op.table_operand() if isinstance(op, tpu.TpuOp) else None


def _has_8_bits(value: SSAValue) -> bool:
    """Return whether a value is stored in 8 bits, quantized with one scale."""
    element = element_of(value)
    return (
        isinstance(element, UniformQuantizedType)
        and element.is_per_tensor
        and element_storage(element) in LOOKUP_NAMES
    )


def _goes_on(op: tpu.TpuOp) -> bool:
    """Tell whether every chain that takes in the result of `op` continues to a user."""
    uses = list(op.results[0].uses)
    if _has_8_bits(op.results[0]) and len(uses) > 1:
        return False
    return bool(uses) and all(_operand(use.operation) is op.results[0] for use in uses)


def _chain_to(op: tpu.TpuOp) -> list[tpu.TpuOp] | None:
    """Return the ops of a chain, from the one that reads a value of 8 bits to `op`; None if there is no such value.

    That value is the first one of 8 bits, going backwards, that is not made by an op which serves this chain alone.
    """
    chain: list[tpu.TpuOp] = []
    begin = 0
    current: object = op
    while (value := _operand(current)) is not None:
        assert isinstance(current, tpu.TpuOp)
        chain.append(current)
        if _has_8_bits(value):
            begin = len(chain)
            if len(list(value.uses)) > 1:
                break
        current = value.owner
    return chain[:begin][::-1] if begin else None


def _is_worth_a_table(op: tpu.TpuOp) -> bool:
    """Tell whether a look-up is cheaper than the op: whether it computes in floats or is itself a look-up."""
    if isinstance(op, tpu.LookupOp):
        return True
    return not Converts.holds(op) and not is_quantized(op.operands[0].type)
