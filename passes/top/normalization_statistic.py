"""Reads the statistic by which a value is normalized, 1/√(mean(x²) + ε) or 1/√(variance(x) + ε), from the ops that
compute it.

Exporters write a mean as a mean, or as a sum times 1/n; keep the reduced axes, or bring them back by a reshape; take
the variance as mean((x − mean(x))²) or, as jax does, as mean(x²) − mean(x)², which a clip at 0 guards from rounding;
and the inverse root as a divisor √, as 1/√, √(1/…), or as a power.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose, prod

from xdsl.ir import SSAValue

from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.quant.element_type import shape_of
from .constant import constant_of

Axes = tuple[int, ...]

_NEAR = 1e-5
"""How near a factor must be to 1/n, which stands in the model in f32 or a narrower type."""


@dataclass(frozen=True)
class Statistic:
    """√(mean(`squared`²) + `epsilon`) over `axes`; if `is_centered`, √(variance(`squared`) + `epsilon`)."""

    squared: SSAValue
    axes: Axes
    epsilon: float
    is_centered: bool = False

    def is_deviation_of(self, x: SSAValue, reader: StatisticReader) -> bool:
        """Tell whether it is the standard deviation of `x` over `axes`."""
        if self.is_centered:
            return self.squared is x
        return reader.deviation(self.squared) == (x, self.axes)


@dataclass(frozen=True)
class StatisticReader:
    """Reads statistics; `store` has the constants."""

    store: WeightStore

    def normalization(self, value: SSAValue, statistic: Statistic) -> tuple[str, SSAValue] | None:
        """Return the kind and input of the normalization that dividing `value` by `statistic` gives; None if it is not
        a normalization.
        """
        deviation = self.deviation(value)
        if deviation is not None and deviation[1] == statistic.axes:
            x = deviation[0]
            if statistic.is_deviation_of(x, self):
                return "mean_variance", x
        is_rms = value is statistic.squared and not statistic.is_centered
        return ("rms", value) if is_rms else None

    def divisor(self, value: SSAValue) -> Statistic | None:
        """Return the statistic that `value` is, with its axes of size 1; None if it is none."""
        root = self._under_root(value)
        return None if root is None else self._statistic(root, value)

    def inverse(self, value: SSAValue) -> Statistic | None:
        """Return the statistic whose inverse `value` is, with its axes of size 1; None if it is none."""
        root = self._under_inverse_root(value)
        return None if root is None else self._statistic(root, value)

    def deviation(self, value: SSAValue) -> tuple[SSAValue, Axes] | None:
        """Return the x and axes for which value = x − mean of x over the axes."""
        op = value.owner
        if not isinstance(op, top.SubOp):
            return None
        mean = self._mean(op.rhs)
        if mean is None or mean[0] is not op.lhs:
            return None
        return mean if _is_kept(op.rhs, *mean) else None

    def is_mean(self, value: SSAValue, x: SSAValue, axes: Axes) -> bool:
        """Tell whether value = mean of x over `axes`, which stay as axes of size 1."""
        return self._mean(value) == (x, axes) and _is_kept(value, x, axes)

    def number(self, value: SSAValue) -> float | None:
        """Return the only number of a constant; None for any other value."""
        constant = constant_of(value, self.store)
        return float(constant.reshape(())) if constant is not None and constant.size == 1 else None

    def _statistic(self, total: SSAValue, root: SSAValue) -> Statistic | None:
        """Return the statistic √`total`, whose axes must stay in `root`; None if it is none."""
        sum_op = _unreshaped(total).owner
        if not isinstance(sum_op, top.AddOp):
            return None
        for mean, addend in ((sum_op.lhs, sum_op.rhs), (sum_op.rhs, sum_op.lhs)):
            epsilon = self.number(addend)
            if epsilon is None or epsilon <= 0:
                continue
            found = self._mean_square(mean) or self._variance(mean)
            if found is not None and _is_kept(root, found.squared, found.axes):
                return Statistic(found.squared, found.axes, epsilon, found.is_centered)
        return None

    def _mean_square(self, value: SSAValue) -> Statistic | None:
        """Return the mean of squares that `value` is, without ε; None if it is none."""
        mean = self._mean(_unclipped(value))
        squared = None if mean is None else self._square(mean[0])
        if mean is None or squared is None or shape_of(mean[0]) != shape_of(squared):
            return None
        return Statistic(squared, mean[1], 0.0)

    def _variance(self, value: SSAValue) -> Statistic | None:
        """Return the variance mean(x²) − mean(x)² that `value` is, without ε; None if it is none."""
        op = _unreshaped(_unclipped(value)).owner
        if not isinstance(op, top.SubOp) or shape_of(op.lhs) != shape_of(op.rhs):
            return None
        squares, mean = self._mean_square(op.lhs), self._square(op.rhs)
        found = None if mean is None else self._mean(mean)
        if squares is None or found != (squares.squared, squares.axes):
            return None
        return Statistic(squares.squared, squares.axes, 0.0, is_centered=True)

    def _square(self, value: SSAValue) -> SSAValue | None:
        """Return the x for which value = x², but for reshapes that only add and drop axes of size 1."""
        op = _unreshaped(value).owner
        if isinstance(op, top.MulOp):
            return op.lhs if op.lhs is op.rhs or self._is_same_deviation(op.lhs, op.rhs) else None
        if isinstance(op, top.UnaryOp) and op.kind.data == "power" and op.parameters[0] == 2:
            return op.input
        return None

    def _is_same_deviation(self, lhs: SSAValue, rhs: SSAValue) -> bool:
        found = self.deviation(lhs)
        return found is not None and found == self.deviation(rhs)

    def _mean(self, value: SSAValue) -> tuple[SSAValue, Axes] | None:
        """Return the x and axes of which `value` has the means, in the order of what is left of x, whatever its axes of
        size 1.
        """
        factor, inner = 1.0, _unreshaped(value)
        while isinstance(inner.owner, top.MulOp | top.DivOp):
            scaled = self._scaled(inner.owner)
            if scaled is None:
                return None
            factor, inner = factor * scaled[1], _unreshaped(scaled[0])
        op = inner.owner
        if not isinstance(op, top.ReduceOp) or not op.axes.get_values():
            return None
        axes, shape = tuple(op.axes.get_values()), shape_of(op.input)
        wanted = {"mean": 1.0, "sum": 1 / max(prod(shape[axis] for axis in axes), 1)}
        found = wanted.get(op.kind.data)
        is_mean = found is not None and isclose(factor, found, rel_tol=_NEAR)
        return (op.input, axes) if is_mean else None

    def _scaled(self, op: top.MulOp | top.DivOp) -> tuple[SSAValue, float] | None:
        """Return what `op` multiplies by a number, and the number; None if it multiplies by something else."""
        number = self.number(op.rhs)
        if isinstance(op, top.DivOp):
            return None if not number else (op.lhs, 1 / number)
        if number is not None:
            return op.lhs, number
        number = self.number(op.lhs)
        return None if number is None else (op.rhs, number)

    def _under_root(self, value: SSAValue) -> SSAValue | None:
        """Return the x for which value = √x."""
        value = _unreshaped(value)
        return _operand_of(value, "sqrt") or _under_power(value, 0.5)

    def _under_inverse_root(self, value: SSAValue) -> SSAValue | None:
        """Return the x for which value = 1/√x."""
        value = _unreshaped(value)
        found = _under_power(value, -0.5)
        if found is not None:
            return found
        divisor, under = self._under_inverse(value), self._under_root(value)
        if divisor is not None:
            return self._under_root(divisor)
        return None if under is None else self._under_inverse(_unreshaped(under))

    def _under_inverse(self, value: SSAValue) -> SSAValue | None:
        """Return the x for which value = 1/x."""
        op = value.owner
        if isinstance(op, top.DivOp) and self.number(op.lhs) == 1:
            return op.rhs
        return _operand_of(value, "reciprocal") or _under_power(value, -1.0)


def _operand_of(value: SSAValue, kind: str) -> SSAValue | None:
    """Return the x for which value = kind(x)."""
    op = value.owner
    return op.input if isinstance(op, top.UnaryOp) and op.kind.data == kind else None


def _under_power(value: SSAValue, exponent: float) -> SSAValue | None:
    """Return the x for which value = x^exponent."""
    op = value.owner
    if not isinstance(op, top.UnaryOp) or op.kind.data != "power":
        return None
    return op.input if op.parameters[0] == exponent else None


def _unreshaped(value: SSAValue) -> SSAValue:
    """Return what `value` is, before reshapes that only add and drop axes of size 1."""
    while isinstance(value.owner, top.ReshapeOp):
        given = value.owner.input
        if _sizes(given) != _sizes(value):
            break
        value = given
    return value


def _unclipped(value: SSAValue) -> SSAValue:
    """Return what `value` is, before a clip at 0, which no mean of squares needs."""
    value = _unreshaped(value)
    op = value.owner
    if isinstance(op, top.ReluOp):
        return op.input
    if isinstance(op, top.ClipOp) and op.high is None and op.low is not None:
        return op.input if op.low.value.data == 0 else value
    return value


def _sizes(value: SSAValue) -> Axes:
    """Return the sizes other than 1 of a value."""
    return tuple(size for size in shape_of(value) if size != 1)


def _is_kept(value: SSAValue, x: SSAValue, axes: Axes) -> bool:
    """Tell whether `value`, a statistic of `x` over `axes`, broadcasts to `x` as one whose axes stayed does."""
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape_of(x)))
    shape = shape_of(value)
    return (1,) * (len(kept) - len(shape)) + shape == kept
