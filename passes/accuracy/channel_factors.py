"""Factors of channels along paths, and the rewriting of the weights that take them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.network.constant import value_of
from ...dialects.network.rewriting import erase_if_unused, take_type, with_operands
from ..top.constant import make_constant, weight_of
from ..top.fold_batch_norm import Product
from .channel_paths import ChannelPath


@dataclass
class ChannelFactors:
    """By what the channels that each op makes are divided, and what the weights that read channels are multiplied by:
    f64 vectors, which are 1 for ops that are not there.
    """

    store: WeightStore
    made: dict[Operation, np.ndarray] = field(default_factory=dict)
    read: dict[Operation, tuple[int, np.ndarray]] = field(default_factory=dict)
    """The axis of the weights, and the factors."""

    def apply(self, path: ChannelPath, factors: np.ndarray) -> None:
        """Divide the channels of a path by `factors`, too."""
        one = np.ones(path.channels)
        self.made[path.maker] = self.made.get(path.maker, one) * factors
        for reader, axis in path.readers.items():
            self.read[reader] = (axis, self.read.get(reader, (axis, one))[1] * factors)

    def changes(self, op: Operation) -> bool:
        """Tell whether a constant of `op` gets other numbers."""
        vectors = [self.made.get(op), self.read[op][1] if op in self.read else None]
        return any(each is not None and bool(np.any(each != 1)) for each in vectors)

    def weight(self, op: top.TopOp) -> np.ndarray:
        """Return the weights of a product with its factors: f64 in the op's shape."""
        product = Product.of(op)
        assert product is not None
        weight = self._numbers(product.weight)
        if op in self.made:
            weight = weight / along(self.made[op], product.channels.weight_axis, weight.ndim)
        if op in self.read:
            axis, factors = self.read[op]
            weight = weight * along(factors, axis, weight.ndim)
        return weight

    def constants(self, op: top.TopOp) -> Mapping[str, np.ndarray]:
        """Return the new numbers of the constants of `op`, f32, by the names of the operands."""
        product = Product.of(op)
        if product is not None:
            found = {product.channels.weight: self.weight(op)}
            if product.bias is not None:
                found[product.channels.bias] = self._divided(op, product.bias, 0)
        else:
            assert isinstance(op, top.NormalizeOp) and op.scale is not None
            found = {"scale": self._divided(op, op.scale, -1)}
            if op.bias is not None:
                found["bias"] = self._divided(op, op.bias, -1)
        return {name: numbers.astype(np.float32) for name, numbers in found.items()}

    def _numbers(self, value: SSAValue) -> np.ndarray:
        constant = weight_of(value)
        assert constant is not None
        return value_of(constant, self.store).astype(np.float64)

    def _divided(self, op: top.TopOp, value: SSAValue, axis: int) -> np.ndarray:
        numbers = self._numbers(value)
        if op not in self.made:
            return numbers
        return numbers / along(self.made[op], axis, max(numbers.ndim, 1))


def along(vector: np.ndarray, axis: int, rank: int) -> np.ndarray:
    """Return a vector in the shape that broadcasts along `axis` of `rank` axes."""
    shape = [1] * rank
    shape[axis] = -1
    return vector.reshape(shape)


class TakeFactors(RewritePattern):
    """product or normalization on a path  ⇒  the same with weights, biases and scales that have taken factors in."""

    def __init__(self, factors: ChannelFactors) -> None:
        self.factors = factors
        self._left = {op for op in (*factors.made, *factors.read) if factors.changes(op)}

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if op not in self._left or not isinstance(op, top.TopOp):
            return
        self._left.discard(op)
        operands: dict[str, SSAValue] = {}
        made: list[top.TopOp] = []
        old: list[top.WeightOp | None] = []
        for name, numbers in self.factors.constants(op).items():
            before = weight_of(getattr(op, name))
            assert before is not None
            constant = make_constant(before.result_name.data, numbers, self.factors.store)
            made.append(constant)
            old.append(before)
            operands[name] = constant.output
        changed = with_operands(op, op.result_name.data, operands)
        take_type(changed, op.output)
        rewriter.replace(op, [*made, changed])
        erase_if_unused(rewriter, *old)


def finite(factors: np.ndarray) -> np.ndarray:
    """Return factors with 1 for those that are no positive finite number, as those of channels that are all 0."""
    with np.errstate(invalid="ignore"):
        usable = np.isfinite(factors) & (factors > 0)
    return np.where(usable, factors, 1.0)


def channel_magnitudes(array: np.ndarray, axis: int) -> np.ndarray:
    """Return the greatest magnitude of each slice of `array` along `axis`."""
    axis %= array.ndim
    return np.abs(array).max(tuple(a for a in range(array.ndim) if a != axis), initial=0)
