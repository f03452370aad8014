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

Recognized: (x − mean(x))/√(variance(x) + ε) (mean_variance, as ONNX models before opset 17 write LayerNormalization)
and x/√(mean(x²) + ε) (rms), the root as a divisor or as a factor 1/√… or scale/√…; x·s + (bias − mean(x)·s) with
s = scale/√(variance(x) + ε), as TensorFlow writes it; and a constant scale and bias after a normalization that has
none. `normalization_statistic` lists the forms of means, variances and roots. The recognized op computes in f32,
without the differences of large numbers and the squares beyond f16 that some of these forms have.
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
from .constant import weight_of
from .normalization_statistic import Statistic, StatisticReader


class RecognizeNormalization(RewritePattern):
    """A value divided by its deviation, or by its root mean square  ⇒  one normalization."""

    def __init__(self, store: WeightStore) -> None:
        self.reader = StatisticReader(store)

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, top.DivOp | top.MulOp):
            return
        for value, statistic, scale in self._quotients(op):
            found = self.reader.normalization(value, statistic)
            if found is None or shape_of(value) != shape_of(op.results[0]):
                continue
            kind, x = found
            if scale is not None and not _fits(scale, x):
                continue
            made = top.NormalizeOp(
                op.result_name.data,
                x,
                scale,
                kind=kind,
                axes=statistic.axes,
                epsilon=statistic.epsilon,
            )
            _replace(rewriter, op, made)
            return

    def _quotients(
        self, op: top.DivOp | top.MulOp
    ) -> Iterator[tuple[SSAValue, Statistic, SSAValue | None]]:
        """Return what `op` divides by a statistic, the statistic, and the constant that it multiplies by, too."""
        if isinstance(op, top.DivOp):
            statistic = self.reader.divisor(op.rhs)
            if statistic is not None:
                yield op.lhs, statistic, None
            return
        for value, factor in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
            found = _scaled_inverse(factor, self.reader)
            if found is not None:
                yield value, *found


class RecognizeShiftedNormalization(RewritePattern):
    """x·s + (bias − mean(x)·s), s being scale/√(variance(x) + ε)  ⇒  one normalization."""

    def __init__(self, store: WeightStore) -> None:
        self.reader = StatisticReader(store)

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
        found, product, bias = _scaled_inverse(factor, self.reader), shift.rhs.owner, shift.lhs
        if found is None or not isinstance(product, top.MulOp):
            return None
        statistic, scale = found
        if not statistic.is_deviation_of(x, self.reader):
            return None
        means = [value for value in (product.lhs, product.rhs) if value is not factor]
        of_mean = len(means) == 1 and self.reader.is_mean(means[0], x, statistic.axes)
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


def _scaled_inverse(
    factor: SSAValue, reader: StatisticReader
) -> tuple[Statistic, SSAValue | None] | None:
    """Return the statistic whose inverse `factor` is, or is times or by a constant, and the constant that it is
    multiplied by; None if it is no such factor.
    """
    statistic = reader.inverse(factor)
    if statistic is not None:
        return statistic, None
    op = factor.owner
    if isinstance(op, top.DivOp):
        statistic, scale = reader.divisor(op.rhs), op.lhs
        return (statistic, scale) if statistic is not None and weight_of(scale) else None
    if isinstance(op, top.MulOp):
        for scale, root in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
            statistic = reader.inverse(root)
            if statistic is not None and weight_of(scale) is not None:
                return statistic, scale
    return None


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
