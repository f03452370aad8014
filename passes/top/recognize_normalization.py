"""`top-recognize-normalization`: merges normalizations that exporters write as several ops into one.

Before:

    %m = top.reduce "m" %x kind = "mean" axes = [1] keepdims : (tensor<2x4xf32>) -> tensor<2x1xf32>
    %d = top.sub "d" %x, %m : ...
    %s = top.mul "s" %d, %d : ...
    %v = top.reduce "v" %s kind = "mean" axes = [1] keepdims : ...
    %e = top.add "e" %v, %epsilon : ...
    %r = top.unary "r" %e kind = "sqrt" : ...
    %n = top.div "n" %d, %r : ...
    %t = top.mul "t" %n, %weight : ...
    %y = top.add "y" %t, %bias : ...

After:

    %y = top.normalize "y" %x, %weight bias %bias kind = "mean_variance" axes = [1] epsilon = ... : ...

Recognized: (x − mean(x))/√(mean((x − mean(x))²) + ε) (mean_variance, as ONNX models before opset 17 write
LayerNormalization) and x/√(mean(x²) + ε) (rms), the root as a divisor or as a factor 1/√…; x·s + (bias − mean(x)·s)
with s = scale/√(variance(x) + ε), as TensorFlow writes it; and a constant scale and bias after a normalization that has
none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.network import shape as shapes
from ...dialects.network.rewriting import erase_if_unused, take_type
from ...dialects.network.shape import ShapeError
from ...dialects.quant.element_type import shape_of
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass, store_of
from .constant import constant_of, weight_of

Axes = tuple[int, ...]


@dataclass(frozen=True)
class _Statistic:
    """√(mean(`squared`²) + `epsilon`) over `axes`."""

    squared: SSAValue
    axes: Axes
    epsilon: float

    def normalizes(self, value: SSAValue) -> tuple[str, SSAValue] | None:
        """Return the kind and input of the normalization that dividing `value` by this gives; None if it is not a
        normalization.
        """
        deviation = _deviation(value)
        if deviation is not None and deviation[1] == self.axes and self.is_of(deviation[0]):
            return "mean_variance", deviation[0]
        return ("rms", value) if value is self.squared else None

    def is_of(self, x: SSAValue) -> bool:
        """Tell whether it is the standard deviation of `x` over `axes`."""
        return _deviation(self.squared) == (x, self.axes)


class RecognizeNormalization(RewritePattern):
    """A value divided by its deviation, or by its root mean square  ⇒  one normalization."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, top.DivOp | top.MulOp):
            return
        for value, divisor, inverse in _quotients(op):
            statistic = _statistic(divisor, self.store, inverse=inverse)
            found = None if statistic is None else statistic.normalizes(value)
            if statistic is None or found is None:
                continue
            kind, x = found
            if shape_of(x) == shape_of(op.results[0]):
                axes, epsilon = statistic.axes, statistic.epsilon
                name = op.result_name.data
                made = top.NormalizeOp(name, x, kind=kind, axes=axes, epsilon=epsilon)
                _replace(rewriter, op, made)
                return


class RecognizeShiftedNormalization(RewritePattern):
    """x·s + (bias − mean(x)·s), s being scale/√(variance(x) + ε)  ⇒  one normalization."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.AddOp, rewriter: PatternRewriter, /) -> None:
        for scaled, shift in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
            outer, difference = scaled.owner, shift.owner
            if not isinstance(outer, top.MulOp) or not isinstance(difference, top.SubOp):
                continue
            for x, factor in ((outer.lhs, outer.rhs), (outer.rhs, outer.lhs)):
                made = self._normalization(op, x, factor, difference)
                if made is not None:
                    _replace(rewriter, op, made)
                    return

    def _normalization(
        self, op: top.AddOp, x: SSAValue, factor: SSAValue, shift: top.SubOp
    ) -> top.NormalizeOp | None:
        """Return the normalization that x·factor + shift is; None if it is not one."""
        scale, root = _scale_and_root(factor)
        statistic = _statistic(root, self.store, inverse=True)
        product, bias = shift.rhs.owner, shift.lhs
        if statistic is None or not statistic.is_of(x) or not isinstance(product, top.MulOp):
            return None
        means = [value for value in (product.lhs, product.rhs) if value is not factor]
        of_mean = len(means) == 1 and _is_mean(means[0], x, statistic.axes)
        if not of_mean or not _fits(bias, x) or (scale is not None and not _fits(scale, x)):
            return None
        return top.NormalizeOp(
            op.result_name.data,
            x,
            scale,
            bias,
            kind="mean_variance",
            axes=statistic.axes,
            epsilon=statistic.epsilon,
        )


class FoldScale(RewritePattern):
    """normalize → mul with a constant  ⇒  normalize with a scale."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.MulOp, rewriter: PatternRewriter, /) -> None:
        for norm, constant in _normalized(op):
            if norm.scale is None and norm.bias is None:
                _replace(rewriter, op, _with_parameters(op, norm, constant, None))
                return


class FoldBias(RewritePattern):
    """normalize → add of a constant  ⇒  normalize with a bias."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.AddOp, rewriter: PatternRewriter, /) -> None:
        for norm, constant in _normalized(op):
            if norm.bias is None:
                _replace(rewriter, op, _with_parameters(op, norm, norm.scale, constant))
                return


@dataclass(frozen=True)
class RecognizeNormalizations(SmaltiPass):
    """Merge the ops of normalizations that are written as several into one."""

    name = "top-recognize-normalization"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(
        RecognizeNormalization, RecognizeShiftedNormalization, FoldScale, FoldBias
    )

    def run(self, ctx: Context, module: ModuleOp) -> None:
        store = store_of(ctx)
        recognized = [RecognizeNormalization(store), RecognizeShiftedNormalization(store)]
        self.rewrite(module, [*recognized, FoldScale(), FoldBias()])


def _replace(rewriter: PatternRewriter, op: Operation, made: top.NormalizeOp) -> None:
    """Put `made` in the place of `op`, and erase the ops that only `op` has used."""
    unused = [value.owner for value in op.operands]
    take_type(made, op.results[0])
    rewriter.replace(op, made)
    while unused:
        owner = unused.pop()
        above = [value.owner for value in owner.operands] if isinstance(owner, Operation) else []
        erase_if_unused(rewriter, owner)
        if isinstance(owner, Operation) and owner.parent is None:
            unused += above


def _quotients(op: top.DivOp | top.MulOp) -> Iterator[tuple[SSAValue, SSAValue, bool]]:
    """Return the numerator and divisor of what `op` computes, and False; or the numerator, the inverse of the divisor,
    and True.
    """
    if isinstance(op, top.DivOp):
        yield op.lhs, op.rhs, False
    else:
        yield op.lhs, op.rhs, True
        yield op.rhs, op.lhs, True


def _statistic(value: SSAValue, store: WeightStore, *, inverse: bool) -> _Statistic | None:
    """Return the root of a mean of squares if `value` is one or, with `inverse`, if `value` is the inverse of one."""
    total = _under_inverse_root(value, store) if inverse else _operand_of(value, "sqrt")
    sum_op = None if total is None else total.owner
    if not isinstance(sum_op, top.AddOp):
        return None
    for mean, epsilon in ((sum_op.lhs, sum_op.rhs), (sum_op.rhs, sum_op.lhs)):
        number, op = _number(epsilon, store), _mean_at(mean)
        squared = None if op is None else _square_of(op.input)
        if number is not None and number > 0 and op is not None and squared is not None:
            return _Statistic(squared, tuple(op.axes.get_values()), number)
    return None


def _under_inverse_root(value: SSAValue, store: WeightStore) -> SSAValue | None:
    """Return the x for which value = 1/√x."""
    op = value.owner
    if isinstance(op, top.DivOp) and _number(op.lhs, store) == 1:
        return _operand_of(op.rhs, "sqrt")
    if isinstance(op, top.UnaryOp) and op.kind.data == "power" and op.parameters[0] == -0.5:
        return op.input
    root = _operand_of(value, "reciprocal")
    return None if root is None else _operand_of(root, "sqrt")


def _operand_of(value: SSAValue, kind: str) -> SSAValue | None:
    """Return the x for which value = kind(x)."""
    op = value.owner
    return op.input if isinstance(op, top.UnaryOp) and op.kind.data == kind else None


def _square_of(value: SSAValue) -> SSAValue | None:
    """Return the x for which value = x²."""
    op = value.owner
    if isinstance(op, top.MulOp):
        return op.lhs if op.lhs is op.rhs or _same_deviation(op.lhs, op.rhs) else None
    if isinstance(op, top.UnaryOp) and op.kind.data == "power" and op.parameters[0] == 2:
        return op.input
    return None


def _same_deviation(lhs: SSAValue, rhs: SSAValue) -> bool:
    found = _deviation(lhs)
    return found is not None and found == _deviation(rhs)


def _deviation(value: SSAValue) -> tuple[SSAValue, Axes] | None:
    """Return the x and axes for which value = x − mean of x over the axes."""
    op = value.owner
    if not isinstance(op, top.SubOp) or not isinstance(op.rhs.owner, top.ReduceOp):
        return None
    axes = tuple(op.rhs.owner.axes.get_values())
    return (op.lhs, axes) if _is_mean(op.rhs, op.lhs, axes) else None


def _is_mean(value: SSAValue, x: SSAValue, axes: Axes) -> bool:
    """Tell whether value = mean of x over `axes`, which stay as axes of size 1."""
    op = _mean_at(value)
    return op is not None and op.input is x and tuple(op.axes.get_values()) == axes


def _mean_at(value: SSAValue) -> top.ReduceOp | None:
    """Return the op that makes `value`, if it is a mean over axes that stay as axes of size 1."""
    op = value.owner
    if not isinstance(op, top.ReduceOp) or op.kind.data != "mean" or op.keepdims is None:
        return None
    return op if op.axes.get_values() else None


def _scale_and_root(factor: SSAValue) -> tuple[SSAValue | None, SSAValue]:
    """Return the constant scale and the other value of which `factor` is the product; (None, factor) if it is not such
    a product.
    """
    op = factor.owner
    if isinstance(op, top.MulOp):
        for scale, root in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
            if weight_of(scale) is not None:
                return scale, root
    return None, factor


def _number(value: SSAValue, store: WeightStore) -> float | None:
    constant = constant_of(value, store)
    return float(constant.reshape(())) if constant is not None and constant.size == 1 else None


def _normalized(op: top.MulOp | top.AddOp) -> Iterator[tuple[top.NormalizeOp, SSAValue]]:
    """Return the normalization whose result only `op` reads, and the constant with which `op` combines it."""
    for value, constant in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        norm = value.owner
        if isinstance(norm, top.NormalizeOp) and value.has_one_use() and _fits(constant, value):
            yield norm, constant


def _fits(constant: SSAValue, x: SSAValue) -> bool:
    """Tell whether `value` is a constant that broadcasts to the shape of `x`."""
    try:
        broadcast = shapes.broadcast_shape(shape_of(x), shape_of(constant))
    except ShapeError:
        return False
    return weight_of(constant) is not None and broadcast == shape_of(x)


def _with_parameters(
    op: top.TopOp, norm: top.NormalizeOp, scale: SSAValue | None, bias: SSAValue | None
) -> top.NormalizeOp:
    return top.NormalizeOp(
        op.result_name.data,
        norm.input,
        scale,
        bias,
        kind=norm.kind.data,
        axes=norm.axes.get_values(),
        epsilon=norm.epsilon.value.data,
    )
