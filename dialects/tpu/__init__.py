"""The tpu dialect: what the target computes; every tensor type carries its storage type, scale and
zero point.

Shapes and layouts are those of `top`. Elements are floats or `!quant.uniform` types. `make` takes
the result's element type as `element` where it does not follow from the operands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from xdsl.dialects.builtin import (
    LocationAttr,
    StringAttr,
    TensorType,
    UnitAttr,
)
from xdsl.ir import Attribute, Dialect, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from ..ir.attribute import INTEGER, flag, integer, ints
from ..network import shape as shapes
from ..network.shape import Shape
from ..network.tensor_op import (
    Conv2dBase,
    MatmulBase,
    PoolBase,
    ReduceBase,
    ReshapeBase,
    TransposeBase,
    WeightBase,
)
from ..quant.element_type import element_of, is_quantized, shape_of
from . import quantization_rules as rules
from .along_axis import HostCallOp
from .movement import ConcatOp, MovingOp, PadOp, SliceOp
from .normalization import LocalResponseNormOp, NormalizeOp, SoftmaxOp
from .pointwise import (
    AddOp,
    CompareOp,
    DivOp,
    LogicalOp,
    LookupOp,
    MaxOp,
    MinOp,
    ModuloOp,
    MulOp,
    PowerOp,
    PreluOp,
    SelectOp,
    SubOp,
    UnaryOp,
)
from .pointwise import BinaryOp as BinaryOp
from .tpu_op import ClampedOp, TpuOp, clamp_properties


@irdl_op_definition
class WeightOp(WeightBase, TpuOp):
    """A constant tensor of the weight store (or seeded, or dense<>), in the storage type of its
    type.

    %fw = tpu.weight "fw" seed = 1 : tensor<2x10x!quant.uniform<i8:f32, 2.000000e-02:4>>
    """

    name = "tpu.weight"

    def verify_elements(self) -> None:
        self.verify_source()


class ProductOp(ClampedOp):
    """Base of the ops that sum products, then add bias and residual and clamp.

    Quantized: bias is i32 in units of the product of the operands' scales, residual as the result.
    `accumulator`, which holds the sums: "i32" or "i64" for quantized types, "f32" for floats.
    """

    accumulator = prop_def(StringAttr)
    residual = opt_operand_def(TensorType)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    @classmethod
    def product_properties(
        cls,
        first_factor: SSAValue,
        accumulator: str | None,
        clamp_low: float | None,
        clamp_high: float | None,
    ) -> dict[str, Attribute | None]:
        """The properties that every product has; `accumulator` i32 or f32 if None."""
        default = "i32" if is_quantized(first_factor.type) else "f32"
        return {
            "accumulator": StringAttr(accumulator or default),
            **clamp_properties(clamp_low, clamp_high),
        }


@irdl_op_definition
class Conv2dOp(Conv2dBase, ProductOp):
    """Convolution, bias, residual, clamp; shapes as top.conv2d, residual as the result.

    Quantized: bias is i32 in units of sx·sw[o]; weights are quantized along axis 0 with zero point
    0. `accumulator`: "i32" or "i64" for quantized types, "f32" for floats.

    %conv = tpu.conv2d "conv" %x, %w, %b strides = [2, 2] pads = [1, 1, 1, 1] accumulator = "i32"
        clamp_low = 0.0 :
        (tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>,
        tensor<2x4x3x3x!quant.uniform<i8<-127:127>:f32:0, {2.500000e-01,5.000000e-01}>>, tensor<2xi32>)
        -> tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01:-128>>
    """

    name = "tpu.conv2d"

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        weight: SSAValue,
        bias: SSAValue | None = None,
        residual: SSAValue | None = None,
        *,
        element: Attribute | None = None,
        accumulator: str | None = None,
        strides: Sequence[int] = (1, 1),
        pads: Sequence[int] = (0, 0, 0, 0),
        dilations: Sequence[int] = (1, 1),
        groups: int = 1,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A convolution; `element` is the result's (the input's if None), `accumulator` i32 or f32
        if None.
        """
        properties = {
            **cls.conv2d_properties(strides, pads, dilations, groups),
            **cls.product_properties(input, accumulator, clamp_low, clamp_high),
        }
        operands = [input, weight, bias, residual]
        return cls.build_named(name, operands, properties, location, element=element)

    def verify_elements(self) -> None:
        rules.product(
            self.input, self.weight, self.bias, self.residual, self.output, self.accumulator.data,
            weight_axis=0, weight_zero_point=False,
        )  # fmt: skip


@irdl_op_definition
class MatmulOp(MatmulBase, ProductOp):
    """Matrix product, bias, residual, clamp; shapes as top.matmul, residual as the result.

    Quantized: as tpu.conv2d, but rhs is quantized along its last axis with zero point 0, or per
    tensor with any zero point.

    %fc = tpu.matmul "fc" %flat, %fw accumulator = "i32" :
        (tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>, tensor<2x10x!quant.uniform<i8:f32,
        2.000000e-02:4>>) -> tensor<1x10x!quant.uniform<i8:f32, 1.000000e+00>>
    """

    name = "tpu.matmul"

    @classmethod
    def make(
        cls,
        name: str,
        lhs: SSAValue,
        rhs: SSAValue,
        bias: SSAValue | None = None,
        residual: SSAValue | None = None,
        *,
        element: Attribute | None = None,
        accumulator: str | None = None,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A matrix product; `element` is the result's (lhs's if None), `accumulator` i32 or f32 if
        None.
        """
        properties = cls.product_properties(lhs, accumulator, clamp_low, clamp_high)
        operands = [lhs, rhs, bias, residual]
        return cls.build_named(name, operands, properties, location, element=element)

    def verify_elements(self) -> None:
        rules.product(
            self.lhs, self.rhs, self.bias, self.residual, self.output, self.accumulator.data,
            weight_axis=len(shape_of(self.rhs)) - 1, weight_zero_point=True,
        )  # fmt: skip


@irdl_op_definition
class CastOp(TpuOp):
    """Between float and quantized types: quantize (round half to even) or dequantize; between
    floats one rounding.

    %r = tpu.cast "x" %a :
        (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8x!quant.uniform<i8:f32, 5.000000e-01:-3>>
    """

    name = "tpu.cast"
    input = operand_def(TensorType)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        element: Attribute,
        location: LocationAttr | None = None,
    ) -> Self:
        """A cast to elements of type `element`."""
        return cls.build_named(name, [input], {}, location, element=element)

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def verify_elements(self) -> None:
        rules.cast(self.input, self.output)


@irdl_op_definition
class RequantizeOp(ClampedOp):
    """Between quantized types: round_half_even((x − zx) · multiplier · 2^−shift) + zy, saturated.

    multiplier · 2^−shift is the ratio of the scales, input by result, as `quantize_multiplier`
    gives it.

    %rq = tpu.requantize "rq" %residual multiplier = 1073741824 shift = 31 clamp_high = 6.0 :
        (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.250000e-01>>) -> tensor<1x2x4x4x!quant.uniform<i8:f32,
        2.500000e-01:5>>
    """

    name = "tpu.requantize"
    multiplier = prop_def(INTEGER)
    shift = prop_def(INTEGER)
    input = operand_def(TensorType)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        element: Attribute,
        multiplier: int | None = None,
        shift: int | None = None,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A requantization to `element`; multiplier and shift follow from the types if None."""
        if multiplier is None or shift is None:
            multiplier, shift = rules.ratio(element_of(input), element)
        properties: dict[str, Attribute | None] = {
            "multiplier": integer(multiplier),
            "shift": integer(shift),
            **clamp_properties(clamp_low, clamp_high),
        }
        return cls.build_named(name, [input], properties, location, element=element)

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def verify_elements(self) -> None:
        rules.activations([("input", self.input), ("result", self.output)], one_storage=False)
        expected = rules.ratio(element_of(self.input), self.output.type.element_type)
        found = self.multiplier.value.data, self.shift.value.data
        if found != expected:
            raise VerifyException(
                f"multiplier {found[0]} and shift {found[1]} are not the ratio of the scales, "
                f"{expected[0]} and {expected[1]}"
            )


@irdl_op_definition
class ClampOp(ClampedOp):
    """min(max(input, clamp_low), clamp_high); input and result types are equal.

    %clamp = tpu.clamp "clamp" %rq clamp_low = -1.0 clamp_high = 1.0 :
        (tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>) ->
        tensor<1x2x4x4x!quant.uniform<i8:f32, 2.500000e-01:5>>
    """

    name = "tpu.clamp"
    input = operand_def(TensorType)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A clamp with the input's type."""
        return cls.build_named(name, [input], clamp_properties(clamp_low, clamp_high), location)

    def expected_shape(self) -> Shape:
        return shape_of(self.input)


class PoolOp(PoolBase, ClampedOp):
    """Base of 2-D pooling, as in top; max_pool keeps the type, avg_pool requantizes."""


@irdl_op_definition
class MaxPoolOp(PoolOp):
    """Largest element of each window; padding never wins; input and result have one element
    type.

    %max = tpu.max_pool "max" %mul kernel = [2, 2] strides = [2, 2] :
        (tensor<1x2x4x4x!quant.uniform<i8:f32, 1.000000e-01:1>>) ->
        tensor<1x2x2x2x!quant.uniform<i8:f32, 1.000000e-01:1>>
    """

    name = "tpu.max_pool"

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        kernel: Sequence[int],
        strides: Sequence[int] = (1, 1),
        pads: Sequence[int] = (0, 0, 0, 0),
        dilations: Sequence[int] = (1, 1),
        ceil_mode: bool = False,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """Max pooling; the result has the input's element type."""
        properties = {
            **cls.pool_properties(kernel, strides, pads, dilations, ceil_mode),
            **clamp_properties(clamp_low, clamp_high),
        }
        return cls.build_named(name, [input], properties, location)


@irdl_op_definition
class AvgPoolOp(PoolOp):
    """Mean of each window; with count_include_pad, padding counts as zeros.

    %avg = tpu.avg_pool "avg" %max kernel = [1, 1] :
        (tensor<1x2x2x2x!quant.uniform<i8:f32, 1.000000e-01:1>>) ->
        tensor<1x2x2x2x!quant.uniform<i8:f32, 5.000000e-02>>
    """

    name = "tpu.avg_pool"
    count_include_pad = opt_prop_def(UnitAttr)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        kernel: Sequence[int],
        element: Attribute | None = None,
        strides: Sequence[int] = (1, 1),
        pads: Sequence[int] = (0, 0, 0, 0),
        dilations: Sequence[int] = (1, 1),
        ceil_mode: bool = False,
        count_include_pad: bool = False,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """Average pooling; `element` is the result's (the input's if None)."""
        properties = {
            **cls.pool_properties(kernel, strides, pads, dilations, ceil_mode),
            **clamp_properties(clamp_low, clamp_high),
        }
        properties["count_include_pad"] = flag(count_include_pad)
        return cls.build_named(name, [input], properties, location, element=element)

    def verify_elements(self) -> None:
        rules.mean(self.input, self.output)


@irdl_op_definition
class ReduceOp(ReduceBase, ClampedOp):
    """The reduction `kind` (see top.reduce) over `axes`; with keepdims they stay as axes of size 1.

    Quantized: mean and sum round once, to the result's quantization; max and min keep the input's;
    the other kinds are for floats.

    %mean = tpu.reduce "mean" %gather kind = "mean" axes = [2, 3] :
        (tensor<1x2x4x2x!quant.uniform<i8:f32, 5.000000e-02>>) -> tensor<1x2x!quant.uniform<i8:f32,
        4.000000e-02>>
    """

    name = "tpu.reduce"

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        kind: str,
        axes: Sequence[int],
        keepdims: bool = True,
        element: Attribute | None = None,
        clamp_low: float | None = None,
        clamp_high: float | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A reduction; `element` is the result's (the input's if None)."""
        properties: dict[str, Attribute | None] = {
            "kind": StringAttr(kind),
            "axes": ints(axes),
            "keepdims": flag(keepdims),
            **clamp_properties(clamp_low, clamp_high),
        }
        return cls.build_named(name, [input], properties, location, element=element)

    def verify_elements(self) -> None:
        self.verify_kind()
        rules.reduction(self.kind.data, self.input, self.output)


@irdl_op_definition
class ResampleOp(TpuOp):
    """Interpolation along one axis: out[i] = Σ_t weight[i,t] · x[index[i,t]].

    index i32 [out,taps], weight f32 [out,taps]; without `weight` there is one tap and the op is a
    gather, for any type.

    %gather = tpu.resample "gather" %avg, %index axis = 2 :
        (tensor<1x2x2x2x!quant.uniform<i8:f32, 5.000000e-02>>, tensor<4x1xi32>) ->
        tensor<1x2x4x2x!quant.uniform<i8:f32, 5.000000e-02>>
    """

    name = "tpu.resample"
    axis = prop_def(INTEGER)
    input = operand_def(TensorType)
    index = operand_def(TensorType)
    weight = opt_operand_def(TensorType)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        index: SSAValue,
        weight: SSAValue | None = None,
        *,
        axis: int,
        location: LocationAttr | None = None,
    ) -> Self:
        """An interpolation along `axis`; the result has the input's element type."""
        operands = [input, index, weight]
        return cls.build_named(name, operands, {"axis": integer(axis)}, location)

    def expected_shape(self) -> Shape:
        return shapes.resample_shape(
            shape_of(self.input),
            shape_of(self.index),
            None if self.weight is None else shape_of(self.weight),
            self.axis.value.data,
        )

    def verify_elements(self) -> None:
        super().verify_elements()
        rules.stored_as("index", self.index, "i32")
        if self.weight is not None:
            rules.stored_as("weight", self.weight, "f32")
            rules.floats([("input", self.input)])


@irdl_op_definition
class ReshapeOp(ReshapeBase, MovingOp):
    """The same elements in row-major order under another shape.

    %flat = tpu.reshape "flat" %swapped :
        (tensor<2x1x!quant.uniform<i8:f32, 4.000000e-02>>) -> tensor<1x2x!quant.uniform<i8:f32,
        4.000000e-02>>
    """

    name = "tpu.reshape"


@irdl_op_definition
class TransposeOp(TransposeBase, MovingOp):
    """Axis i of the result is axis permutation[i] of the input.

    %swapped = tpu.transpose "swapped" %mean permutation = [1, 0] :
        (tensor<1x2x!quant.uniform<i8:f32, 4.000000e-02>>) -> tensor<2x1x!quant.uniform<i8:f32,
        4.000000e-02>>
    """

    name = "tpu.transpose"


_OPS: list[Any] = [
    WeightOp,
    Conv2dOp,
    MatmulOp,
    AddOp,
    SubOp,
    MulOp,
    DivOp,
    MinOp,
    MaxOp,
    PowerOp,
    ModuloOp,
    PreluOp,
    UnaryOp,
    LookupOp,
    CompareOp,
    LogicalOp,
    SelectOp,
    CastOp,
    RequantizeOp,
    ClampOp,
    MaxPoolOp,
    AvgPoolOp,
    ReduceOp,
    ResampleOp,
    ReshapeOp,
    TransposeOp,
    ConcatOp,
    SliceOp,
    PadOp,
    SoftmaxOp,
    NormalizeOp,
    LocalResponseNormOp,
    HostCallOp,
]

Tpu = Dialect("tpu", _OPS, [])
