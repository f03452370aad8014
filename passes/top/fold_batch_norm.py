"""`top-fold-batch-norm`: folds what scales and shifts channels after a convolution or matrix product into its weights.

Before:

    %c = top.conv2d "c" %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x6x6xf32>
    %n = top.batch_norm "n" %c, %scale, %bias, %mean, %variance epsilon = 1.0e-05 : ...

After (with w'[o] = w[o] · s[o], b'[o] = bias[o] − mean[o] · s[o], s = scale / sqrt(variance + epsilon)):

    %n = top.conv2d "n" %x, %w', %b' : (...) -> tensor<1x4x6x6xf32>

The same goes for +, −, · and / by constants with one value per channel. A batch normalization that follows something
else becomes a multiplication and an addition. New weights are computed in f64 and rounded once; where that would make
an infinity, nothing is folded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from ...backends.numerics.storage import round_to
from ...dialects import top
from ...dialects.ir.weights import WeightStore
from ...dialects.network.rewriting import erase_if_unused, take_type, with_operands
from ...dialects.network.traits import SumsProducts
from ...dialects.quant.element_type import element_storage, shape_of
from ..pattern_driver import pattern_counts
from ..smalti_pass import Level, SmaltiPass, store_of
from .constant import constant_of, make_constant, per_channel, weight_of


@dataclass(frozen=True)
class Affine:
    """y = x · factor + offset per channel; both f64 [channels]."""

    factor: np.ndarray
    offset: np.ndarray


@dataclass(frozen=True)
class Product:
    """An op whose channels have weights and biases of their own, and where they lie."""

    op: top.TopOp
    channels: SumsProducts

    @staticmethod
    def of(owner: object) -> Product | None:
        """Return the op that makes a value as a product; None if its channels have no weights of their own."""
        channels = SumsProducts.of(owner)
        return Product(owner, channels) if channels and isinstance(owner, top.TopOp) else None

    @property
    def weight(self) -> SSAValue:
        """The weights."""
        return getattr(self.op, self.channels.weight)

    @property
    def bias(self) -> SSAValue | None:
        """The bias, if there is one."""
        return getattr(self.op, self.channels.bias)

    @property
    def axis(self) -> int:
        """The axis of the result along which the channels lie."""
        return self.channels.axis % len(shape_of(self.op.output))

    def with_weights(self, name: str, weight: SSAValue, bias: SSAValue | None) -> top.TopOp:
        """Return the op with other weights and another bias, under another name."""
        operands = {self.channels.weight: weight, self.channels.bias: bias}
        return with_operands(self.op, name, operands)


class FoldBatchNormIntoProduct(RewritePattern):
    """conv2d or matmul → batch_norm  ⇒  conv2d or matmul with scaled weights and another bias."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.BatchNormOp, rewriter: PatternRewriter, /) -> None:
        product = Product.of(op.input.owner)
        if product is None or product.axis != 1:
            return
        affine = batch_norm_affine(op, self.store)
        if affine is not None:
            fold_into_product(product, op, affine, self.store, rewriter)


class FoldScaleIntoProduct(RewritePattern):
    """conv2d or matmul → add, sub, mul or div by a constant per channel  ⇒  conv2d or matmul with
    other weights, another bias."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, top.BinaryOp):
            return
        for product_value, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
            product = Product.of(product_value.owner)
            if product is None:
                continue
            affine = self._affine(op, product, other, reversed=product_value is op.rhs)
            if affine is not None:
                fold_into_product(product, op, affine, self.store, rewriter)
                return

    def _affine(
        self, op: top.BinaryOp, product: Product, other: SSAValue, *, reversed: bool
    ) -> Affine | None:
        """Return what `op` does to the product, if its other operand is a constant per channel; None if not, as for c /
        x.
        """
        constant = constant_of(other, self.store)
        shape = shape_of(product.op.output)
        if constant is None or shape_of(op.output) != shape:
            return None
        vector = per_channel(constant, shape, product.axis)
        if vector is None:
            return None
        affine = op.affine(vector.astype(np.float64), is_lhs=reversed)
        return None if affine is None else Affine(*affine)


class BatchNormToMulAdd(RewritePattern):
    """batch_norm ⇒ mul, add, if no product stands before it into which it could be folded.

    It is no canonicalization of the op, because its constants are in the weight store.
    """

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.BatchNormOp, rewriter: PatternRewriter, /) -> None:
        affine = batch_norm_affine(op, self.store)
        if affine is None:
            return
        name = op.result_name.data
        shape = (-1, *(1 for _ in shape_of(op.input)[2:]))
        scale = _rounded(affine.factor, op.input).reshape(shape)
        shift = _rounded(affine.offset, op.input).reshape(shape)
        if not (_is_finite(scale) and _is_finite(shift)):
            return
        factor = make_constant(f"{name}_scale", scale, self.store)
        offset = make_constant(f"{name}_offset", shift, self.store)
        scaled = top.MulOp(f"{name}_scaled", op.input, factor.output)
        shifted = top.AddOp(name, scaled.output, offset.output)
        parameters = [weight_of(each) for each in (op.scale, op.bias, op.mean, op.variance)]
        take_type(shifted, op.output)
        rewriter.replace(op, [factor, offset, scaled, shifted])
        erase_if_unused(rewriter, *parameters)


@dataclass(frozen=True)
class FoldBatchNorm(SmaltiPass):
    """Fold batch normalizations and constants per channel into weights and biases."""

    name = "top-fold-batch-norm"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = pattern_counts(
        FoldBatchNormIntoProduct, FoldScaleIntoProduct, BatchNormToMulAdd
    )

    def run(self, ctx: Context, module: ModuleOp) -> None:
        store = store_of(ctx)
        patterns = [
            FoldBatchNormIntoProduct(store),
            FoldScaleIntoProduct(store),
            BatchNormToMulAdd(store),
        ]
        self.rewrite(module, patterns)


def batch_norm_affine(op: top.BatchNormOp, store: WeightStore) -> Affine | None:
    """Return factor = scale / sqrt(variance + epsilon) and offset = bias − mean · factor (ONNX, BatchNormalization).

    Return None if a parameter is not a constant, or if a channel's variance + epsilon is not positive.
    """
    parameters = [constant_of(value, store) for value in (op.scale, op.bias, op.mean, op.variance)]
    if any(parameter is None for parameter in parameters):
        return None
    scale, bias, mean, variance = (
        each.astype(np.float64) for each in parameters if each is not None
    )
    spread = variance + op.epsilon.value.data
    if not np.all(spread > 0):
        return None
    factor = scale / np.sqrt(spread)
    return Affine(factor, bias - mean * factor)


def fold_into_product(
    product: Product, op: top.TopOp, affine: Affine, store: WeightStore, rewriter: PatternRewriter
) -> None:
    """Replace `op`, the only user of `product`, by a product with weights · factor and bias · factor + offset.

    Does nothing if the product has another user, if its weights or bias are not constants, or if a new weight is too
    large for its type.
    """
    weight_value, result = product.weight, product.op.output
    weight, bias = constant_of(weight_value, store), constant_of(product.bias, store)
    if not result.has_one_use() or weight is None or (product.bias is not None and bias is None):
        return
    axis = product.channels.weight_axis % weight.ndim
    new_weight = weight
    weight_op, bias_op = weight_of(weight_value), weight_of(product.bias)
    assert weight_op is not None
    old_bias = np.zeros(weight.shape[axis]) if bias is None else bias.astype(np.float64)
    new_bias = _rounded(old_bias * affine.factor + affine.offset, result)
    scales = not np.all(affine.factor == 1.0)
    if scales:
        columns = [-1 if a == axis else 1 for a in range(weight.ndim)]
        scaled = weight.astype(np.float64) * affine.factor.reshape(columns)
        new_weight = _rounded(scaled, result)
    if not (_is_finite(new_weight) and _is_finite(new_bias)):
        return
    made: list[top.TopOp] = []
    if scales:
        weight_value = _add(made, weight_op.result_name.data, new_weight, store)
    bias_value = product.bias
    if bias is not None or np.any(new_bias):
        name = f"{op.result_name.data}_bias" if bias_op is None else bias_op.result_name.data
        bias_value = _add(made, name, new_bias, store)
    folded = product.with_weights(op.result_name.data, weight_value, bias_value)
    take_type(folded, op.output)
    rewriter.replace(op, [*made, folded])
    erase_if_unused(rewriter, product.op, weight_op, bias_op)


def _add(made: list[top.TopOp], name: str, array: np.ndarray, store: WeightStore) -> SSAValue:
    constant = make_constant(name, array, store)
    made.append(constant)
    return constant.output


def _rounded(values: np.ndarray, like: SSAValue) -> np.ndarray:
    """Return `values` in the float type of `like`."""
    return round_to(values, element_storage(like.type))


def _is_finite(values: np.ndarray) -> bool:
    return bool(np.all(np.isfinite(values)))
