"""Finds the values that a network of f16 or bf16 computes in f32, because the narrow type cannot hold them.

    %s = top.mul "s" %x, %x                           squares of 300 are beyond f16
    %v = top.reduce "v" %s kind = "sum" axes = [1]    and their sums are all the more
    %m = top.mul "m" %v, %n
    %e = top.add "e" %m, %epsilon                     f16 makes 0 of 1e-12
    %r = top.unary "r" %e kind = "sqrt"
    %y = top.div "y" %x, %r                           in range again: the last op that computes in f32

So are sums of products of integers until a scale has made numbers of them that f16 holds, and the scale itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from xdsl.dialects.builtin import f32
from xdsl.ir import BlockArgument, Operation, SSAValue

from ....backends.numerics.storage import dtype_of
from ....dialects import top
from ....dialects.ir.weights import WeightStore
from ....dialects.network.constant import value_of
from ....dialects.network.traits import CanStayFloat, Converts, HasPoles, Moves
from ....dialects.quant.element_type import element_of, expressed, is_network_float, shape_of
from .given_quantization import constant_of
from .powers import is_square, powers_before_roots, unmoved

INTEGER_PRODUCTS = ("matmul_integer", "conv_integer")
"""The functions that give sums of products of integers."""
_AVERAGING = ("mean", "sum")
_KEEPS_SIZE = ("abs", "neg", "sqrt", "reciprocal", "power")
"""The functions of one number after which a number may still be beyond f16; the others bring it into range."""
_MOST_ERROR = 2.0**-8
"""The relative error of a constant beyond which a narrow type does not hold it."""


def wide_results(
    ops: Sequence[Operation], narrow: str, store: WeightStore, *, products: bool
) -> frozenset[SSAValue]:
    """Return those results of `ops` (of one block, in order) that a network of the float type `narrow` computes in f32.

    It begins at sums of squares, powers of which a root is taken after sums or averages (in f16, soon too small for
    them; after `products` as well if the target has those of f32), sums that are divided by their number, constants
    before a pole that `narrow` does not hold, and sums of integers. It goes on with what is computed of these, element
    by element, until they meet a larger tensor, or a product or another op that computes in f32 by itself. What such an
    op reads is in f32, too, if nothing else reads it; and so are values on their way from one call of the host, or an
    input of the network, to ops that quantize them.
    """
    rooted = frozenset[SSAValue]()
    if narrow == "f16":
        rooted = powers_before_roots(
            ops, lambda op: _can_be_wide(op) or (products and _is_float_product(op))
        )
    search = _Search(narrow, store, rooted)
    before = -1
    while len(search.open) != before:
        before = len(search.open)
        for op in ops:
            search.visit_forward(op)
        for op in reversed(ops):
            search.visit_backward(op)
    search.drop_moves(ops)
    return frozenset(search.wide)


@dataclass
class _Search:
    """The values found so far: `wide` are computed in f32, and the `open` among them make wide what reads them."""

    narrow: str
    store: WeightStore
    rooted: frozenset[SSAValue]
    """Powers, and what is made of them on the way to a root."""
    wide: set[SSAValue] = field(default_factory=set)
    open: set[SSAValue] = field(default_factory=set)

    def visit_forward(self, op: Operation) -> None:
        """Note the result of an op that begins a region of f32, or that reads it."""
        if self._begins(op):
            self._note(op.results[0])
        elif _can_be_wide(op):
            found = [value for value in op.operands if value in self.open]
            if not found:
                return
            value = op.results[0]
            self.wide.add(value)
            if _keeps_size(op) and any(_size(each) >= _size(value) for each in found):
                self.open.add(value)

    def visit_backward(self, op: Operation) -> None:
        """Note the result of an op that only ops of a region read, or a reduction that one reads."""
        if not _can_be_wide(op) or op.results[0] in self.open:
            return
        readers = [use.operation for use in op.results[0].uses]
        if Moves.holds(op) and _is_only_quantized(op.results[0]):
            self._note(op.results[0])
            return
        wanted = [
            _quantizes(user)
            if Moves.holds(op) and isinstance(user, top.CallOp | top.QuantizeOp)
            else any(
                each in self.open and _size(each) >= _size(op.results[0]) for each in user.results
            )
            for user in readers
        ]
        if any(wanted) if isinstance(op, top.ReduceOp) else wanted and all(wanted):
            self._note(op.results[0])

    def drop_moves(self, ops: Sequence[Operation]) -> None:
        """Forget the results of ops that only move what is not wide, nor given in f32 by a call or, to be quantized, by
        the caller: they lose nothing.
        """
        for op in ops:
            if Moves.holds(op) and not any(
                value in self.wide
                or isinstance(value.owner, top.CallOp)
                or (_is_f32_input(value) and _is_only_quantized(op.results[0]))
                for value in op.operands
            ):
                self.wide.difference_update(op.results)

    def _note(self, value: SSAValue) -> None:
        self.wide.add(value)
        self.open.add(value)

    def _begins(self, op: Operation) -> bool:
        """Tell whether `op` makes numbers that the narrow type may not hold of ones that it holds."""
        if isinstance(op, top.CallOp):
            return _is_integer_product(op) or _is_cast_of_sums(op)
        if op.results and op.results[0] in self.rooted:
            return True
        if not _can_be_wide(op):
            return False
        if isinstance(op, top.ReduceOp):
            return op.kind.data == "sum_square" or (
                op.kind.data in _AVERAGING
                and (is_square(unmoved(op.input)) or self._is_scaled_sum(op))
            )
        if is_square(op.results[0]):
            return any(_averages(user) for user in _readers(op.results[0]))
        return self._has_lost_constant(op) and any(
            HasPoles.points_of(user) for user in _readers(op.results[0])
        )

    def _is_scaled_sum(self, op: top.ReduceOp) -> bool:
        """Tell whether all that reads a sum multiplies it by a number, or divides it by one."""
        readers = list(_readers(op.output))
        return (
            op.kind.data == "sum"
            and bool(readers)
            and all(
                isinstance(user, top.MulOp | top.DivOp)
                and any(self._number(value) is not None for value in user.operands)
                for user in readers
            )
        )

    def _has_lost_constant(self, op: Operation) -> bool:
        """Tell whether `op` adds a number, or compares with one, that the narrow type does not hold."""
        if isinstance(op, top.ClipOp):
            bounds = [each.value.data for each in (op.low, op.high) if each is not None]
            return any(self._is_lost(number) for number in bounds)
        if not isinstance(op, top.AddOp | top.SubOp | top.MaxOp | top.MinOp):
            return False
        numbers = [self._number(value) for value in op.operands]
        return any(number is not None and self._is_lost(number) for number in numbers)

    def _number(self, value: SSAValue) -> float | None:
        """Return the only number of a constant; None for any other value."""
        weight = constant_of(value)
        if weight is None or prod(shape_of(value)) != 1 or element_of(value) != f32:
            return None
        return float(value_of(weight, self.store).reshape(()))

    def _is_lost(self, number: float) -> bool:
        """Tell whether the narrow type makes another number of a small one."""
        with np.errstate(all="ignore"):
            stored = float(np.float64(number).astype(dtype_of(self.narrow)))
        return 0 < abs(number) < 1 and abs(stored - number) > _MOST_ERROR * abs(number)


def _can_be_wide(op: Operation) -> bool:
    """Tell whether the conversion of `op` can give its result, one of floats, in f32."""
    if not op.results or not is_network_float(op.results[0].type):
        return False
    converts = Converts.holds(op) and expressed(element_of(op.results[0])) == f32
    return converts or CanStayFloat.holds(op)


def _is_float_product(op: Operation) -> bool:
    return isinstance(op, top.Conv2dOp | top.MatmulOp) and is_network_float(op.output.type)


def _keeps_size(op: Operation) -> bool:
    """Tell whether what `op` makes of numbers beyond the narrow type may still be beyond it."""
    return not isinstance(op, top.UnaryOp) or op.kind.data in _KEEPS_SIZE


def _size(value: SSAValue) -> int:
    return prod(shape_of(value))


def _is_integer_product(op: top.CallOp) -> bool:
    return op.function.data in INTEGER_PRODUCTS


def _quantizes(op: Operation) -> bool:
    """Tell whether an op quantizes what it reads, in f32 as the model does: by given numbers, or by its range."""
    if isinstance(op, top.CallOp):
        return op.function.data.startswith("dynamic_quantize")
    return isinstance(op, top.QuantizeOp)


def _is_only_quantized(value: SSAValue) -> bool:
    """Tell whether a value is read, and only by ops that quantize it, directly or behind moves."""
    readers = list(_readers(value))
    return bool(readers) and all(map(_quantizes, readers))


def _is_f32_input(value: SSAValue) -> bool:
    return isinstance(value, BlockArgument) and element_of(value) == f32


def _is_cast_of_sums(op: top.CallOp) -> bool:
    """Tell whether a call makes f32 of sums of products of integers."""
    if op.function.data != "cast" or op.call().attribute("to") != "f32":
        return False
    maker = op.inputs[0].owner
    return isinstance(maker, top.CallOp) and _is_integer_product(maker)


def _averages(op: Operation) -> bool:
    return isinstance(op, top.ReduceOp) and op.kind.data in _AVERAGING


def _readers(value: SSAValue) -> Iterator[Operation]:
    """Return the ops that read `value`, themselves or through moves of all its elements."""
    for use in value.uses:
        user = use.operation
        if Moves.holds(user) and user.results:
            yield from _readers(user.results[0])
        else:
            yield user
