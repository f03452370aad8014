"""The top dialect: what a network does, one op per thing, on float tensors, the same on every
target.

Tensors have ONNX's layout. Calibration writes the range of a value into its type,
`!quant.calibrated<f32<low:high>>`; apart from that the element types of operands and result agree
(`top.cast` changes them).
Every op knows the shape of its result (`expected_shape`), which `make` and the verifier share, its
multiply-accumulates (`macs`) and the bytes of its operands and result (`size_bytes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from xdsl.dialects.builtin import (
    LocationAttr,
    StringAttr,
    TensorType,
    UnitAttr,
)
from xdsl.ir import Attribute, Dialect, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from ..ir.attribute import REAL, REALS, check_one_of, flag, ints, real, reals
from ..ir.text.assembly import Defaults
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
from ..quant.element_type import element_of, expressed, is_float, shape_of
from .along_axis import AlongAxisOp
from .movement import ConcatOp, GatherOp, PadOp, SliceOp
from .normalization import LocalResponseNormOp, NormalizeOp, SoftmaxOp
from .pointwise import (
    AddOp,
    ClipOp,
    CompareOp,
    DivOp,
    LogicalOp,
    MaxOp,
    MinOp,
    ModuloOp,
    MulOp,
    PowerOp,
    PreluOp,
    ReluOp,
    SelectOp,
    SubOp,
    UnaryOp,
)
from .pointwise import BinaryOp as BinaryOp
from .top_op import TopOp


@irdl_op_definition
class WeightOp(WeightBase, TopOp):
    """A constant tensor: by key in the weight store, from a seed (reproducible random values), or a
    small `dense<>`.

    %w = top.weight "w" key = "conv1.weight" : tensor<8x1x3x3xf32>
    """

    name = "top.weight"

    def verify_(self) -> None:
        self.verify_source()


@irdl_op_definition
class Conv2dOp(Conv2dBase, TopOp):
    """2-D convolution; input [N,C,H,W], weight [O,C/groups,KH,KW], bias [O]; pads
    [top,left,bottom,right].

    output[n,o,y,x] = bias[o] + Σ input[n,c,y·s+i·d−pad,x·s+j·d−pad] · weight[o,c,i,j], c over the
    channels of o's group.

    %y = top.conv2d "conv1" %x, %w, %b strides = [2, 2] pads = [1, 1, 1, 1] :
        (tensor<1x1x8x8xf32>, tensor<8x1x3x3xf32>, tensor<8xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.conv2d"

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        weight: SSAValue,
        bias: SSAValue | None = None,
        *,
        strides: Sequence[int] = (1, 1),
        pads: Sequence[int] = (0, 0, 0, 0),
        dilations: Sequence[int] = (1, 1),
        groups: int = 1,
        location: LocationAttr | None = None,
    ) -> Self:
        """A convolution with the result type that follows; DiagnosticError where shapes do not
        fit.
        """
        properties = cls.conv2d_properties(strides, pads, dilations, groups)
        return cls.build_named(name, [input, weight, bias], properties, location)


@irdl_op_definition
class MatmulOp(MatmulBase, TopOp):
    """Matrix product with NumPy's rules for leading axes; optional bias [N] added to every row.

    %y = top.matmul "fc" %x, %w, %b :
        (tensor<1x64xf32>, tensor<64x10xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    """

    name = "top.matmul"

    @classmethod
    def make(
        cls,
        name: str,
        lhs: SSAValue,
        rhs: SSAValue,
        bias: SSAValue | None = None,
        *,
        location: LocationAttr | None = None,
    ) -> Self:
        """A matrix product with the result type that follows; DiagnosticError where shapes do not
        fit.
        """
        return cls.build_named(name, [lhs, rhs, bias], {}, location)


@irdl_op_definition
class BatchNormOp(TopOp):
    """(input − mean) / sqrt(variance + epsilon) · scale + bias, per channel (axis 1).

    The parameters may be of another float type than the input, as in ONNX.

    %norm = top.batch_norm "bn" %depthwise, %b, %b, %b, %b epsilon = 1.000000e-05 :
        (tensor<1x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) ->
        tensor<1x8x4x4xf32>
    """

    name = "top.batch_norm"
    epsilon = prop_def(REAL)
    input = operand_def(TensorType)
    scale = operand_def(TensorType)
    bias = operand_def(TensorType)
    mean = operand_def(TensorType)
    variance = operand_def(TensorType)

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        scale: SSAValue,
        bias: SSAValue,
        mean: SSAValue,
        variance: SSAValue,
        *,
        epsilon: float = 1e-5,
        location: LocationAttr | None = None,
    ) -> Self:
        """A batch normalization with fixed statistics [C]; DiagnosticError where shapes do not
        fit.
        """
        operands = [input, scale, bias, mean, variance]
        return cls.build_named(name, operands, {"epsilon": real(epsilon)}, location)

    def expected_shape(self) -> Shape:
        parameters = {name: shape_of(value) for name, value in self.named_operands()[1:]}
        return shapes.channel_shape(shape_of(self.input), **parameters)

    def verify_(self) -> None:
        super().verify_()
        if not self.epsilon.value.data >= 0:
            raise VerifyException(f"epsilon must not be negative, got {self.epsilon.value.data}")

    def _verify_elements(self) -> None:
        self.verify_same_floats([("input", self.input)])
        for name, value in self.named_operands()[1:]:
            if not is_float(value.type):
                raise VerifyException(f"{name} must have float elements, got {element_of(value)}")


class PoolOp(PoolBase, TopOp):
    """Base of 2-D pooling; input [N,C,H,W]; pads [top,left,bottom,right]."""


@irdl_op_definition
class MaxPoolOp(PoolOp):
    """Largest element of each window; padding never wins.

    %y = top.max_pool "pool1" %x kernel = [2, 2] strides = [2, 2] :
        (tensor<1x8x8x8xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.max_pool"

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
        location: LocationAttr | None = None,
    ) -> Self:
        """Max pooling with the result type that follows; DiagnosticError where shapes do not
        fit.
        """
        properties = cls.pool_properties(kernel, strides, pads, dilations, ceil_mode)
        return cls.build_named(name, [input], properties, location)


@irdl_op_definition
class AvgPoolOp(PoolOp):
    """Mean of each window; with count_include_pad, padding counts as zeros.

    %avg = top.avg_pool "avg" %max count_include_pad kernel = [2, 2] pads = [1, 1, 0, 0] :
        (tensor<1x8x2x2xf32>) -> tensor<1x8x2x2xf32>
    """

    name = "top.avg_pool"
    count_include_pad = opt_prop_def(UnitAttr)

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
        count_include_pad: bool = False,
        location: LocationAttr | None = None,
    ) -> Self:
        """Average pooling with the result type that follows; DiagnosticError where shapes do not
        fit.
        """
        properties = cls.pool_properties(kernel, strides, pads, dilations, ceil_mode)
        properties["count_include_pad"] = flag(count_include_pad)
        return cls.build_named(name, [input], properties, location)


@irdl_op_definition
class ReduceOp(ReduceBase, TopOp):
    """The reduction `kind` over `axes` (non-negative, ascending); with keepdims they stay as axes of
    size 1.

    `kind`: mean, sum, max, min, prod, l1 (Σ|x|), l2 (√Σx²), sum_square (Σx²), log_sum (log Σx),
    log_sum_exp (log Σ exp x).

    %y = top.reduce "pooled" %x kind = "mean" axes = [2, 3] keepdims :
        (tensor<1x8x4x4xf32>) -> tensor<1x8x1x1xf32>
    """

    name = "top.reduce"

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        *,
        kind: str,
        axes: Sequence[int],
        keepdims: bool = True,
        location: LocationAttr | None = None,
    ) -> Self:
        """A reduction with the result type that follows; DiagnosticError where an axis is none of
        the input's.
        """
        properties = {"kind": StringAttr(kind), "axes": ints(axes), "keepdims": flag(keepdims)}
        return cls.build_named(name, [input], properties, location)

    def verify_(self) -> None:
        super().verify_()
        self.verify_kind()


RESIZE_MODES = ("nearest", "linear", "cubic")
COORDINATE_MODES = (
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
    "tf_crop_and_resize",
)  # fmt: skip
NEAREST_MODES = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


@irdl_op_definition
class ResizeOp(TopOp):
    """ONNX Resize with all sizes known: output shape from the type, `scales` one f64 per axis,
    `roi` two per axis.

    %resized = top.resize "resize" %avg mode = "linear" scales = [1.0, 1.0, 2.0, 2.0]
        coordinate_transformation_mode = "asymmetric" antialias :
        (tensor<1x8x2x2xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.resize"
    mode = prop_def(StringAttr)
    scales = prop_def(REALS)
    coordinate_transformation_mode = prop_def(StringAttr)
    nearest_mode = prop_def(StringAttr)
    cubic_coeff_a = prop_def(REAL)
    extrapolation_value = prop_def(REAL)
    exclude_outside = opt_prop_def(UnitAttr)
    antialias = opt_prop_def(UnitAttr)
    roi = opt_prop_def(REALS)
    input = operand_def(TensorType)
    DEFAULTS: ClassVar[Defaults] = {
        "coordinate_transformation_mode": StringAttr("half_pixel"),
        "nearest_mode": StringAttr("round_prefer_floor"),
        "cubic_coeff_a": real(-0.75),
        "extrapolation_value": real(0.0),
    }

    @classmethod
    def make(
        cls,
        name: str,
        input: SSAValue,
        shape: Sequence[int],
        *,
        mode: str,
        scales: Sequence[float],
        coordinate_transformation_mode: str = "half_pixel",
        nearest_mode: str = "round_prefer_floor",
        cubic_coeff_a: float = -0.75,
        extrapolation_value: float = 0.0,
        exclude_outside: bool = False,
        antialias: bool = False,
        roi: Sequence[float] | None = None,
        location: LocationAttr | None = None,
    ) -> Self:
        """A resize to `shape`."""
        properties: dict[str, Attribute | None] = {
            "mode": StringAttr(mode),
            "scales": reals(scales),
            "coordinate_transformation_mode": StringAttr(coordinate_transformation_mode),
            "nearest_mode": StringAttr(nearest_mode),
            "cubic_coeff_a": real(cubic_coeff_a),
            "extrapolation_value": real(extrapolation_value),
            "exclude_outside": flag(exclude_outside),
            "antialias": flag(antialias),
            "roi": None if roi is None else reals(roi),
        }
        type = TensorType(expressed(element_of(input)), list(shape))
        return cls.build_named(name, [input], properties, location, type)

    def expected_shape(self) -> Shape:
        return self.output.type.get_shape()

    def verify_(self) -> None:
        super().verify_()
        rank = len(shape_of(self.input))
        if len(self.output.type.get_shape()) != rank or len(self.scales) != rank:
            raise VerifyException(f"input, result and scales must have {rank} axes")
        if not all(scale > 0 for scale in self.scales.get_values()):
            raise VerifyException(f"scales must be positive, got {list(self.scales.get_values())}")
        if self.roi is not None and len(self.roi) != 2 * rank:
            raise VerifyException(f"roi must have {2 * rank} numbers, got {len(self.roi)}")
        check_one_of("mode", self.mode.data, RESIZE_MODES)
        transformation = self.coordinate_transformation_mode.data
        check_one_of("coordinate_transformation_mode", transformation, COORDINATE_MODES)
        check_one_of("nearest_mode", self.nearest_mode.data, NEAREST_MODES)
        if transformation == "tf_crop_and_resize" and self.roi is None:
            raise VerifyException("tf_crop_and_resize needs a roi")


@irdl_op_definition
class ReshapeOp(ReshapeBase, TopOp):
    """The same elements in row-major order under another shape, that of the result type.

    %flat = top.reshape "flat" %mean : (tensor<1x8x1x1xf32>) -> tensor<1x8xf32>
    """

    name = "top.reshape"
    NEEDS_FLOATS: ClassVar[bool] = False


@irdl_op_definition
class TransposeOp(TransposeBase, TopOp):
    """Axis i of the result is axis permutation[i] of the input.

    %back = top.transpose "back" %swapped permutation = [1, 0] :
        (tensor<8x1xf32>) -> tensor<1x8xf32>
    """

    name = "top.transpose"
    NEEDS_FLOATS: ClassVar[bool] = False


@irdl_op_definition
class CastOp(TopOp):
    """The input in the float type of the result, rounded once, half to even; what is too large
    becomes infinite.

    %h = top.cast "h" %x : (tensor<1x8xf32>) -> tensor<1x8xf16>
    """

    name = "top.cast"
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

    def _verify_elements(self) -> None:
        for name, value in (("input", self.input), ("result", self.output)):
            if not is_float(value.type):
                raise VerifyException(f"{name} must have float elements, got {element_of(value)}")


_OPS: list[Any] = [
    WeightOp,
    Conv2dOp,
    MatmulOp,
    BatchNormOp,
    AddOp,
    SubOp,
    MulOp,
    DivOp,
    MinOp,
    MaxOp,
    PowerOp,
    ModuloOp,
    PreluOp,
    ReluOp,
    ClipOp,
    UnaryOp,
    CompareOp,
    LogicalOp,
    SelectOp,
    MaxPoolOp,
    AvgPoolOp,
    ReduceOp,
    ResizeOp,
    ReshapeOp,
    TransposeOp,
    CastOp,
    SoftmaxOp,
    ConcatOp,
    SliceOp,
    PadOp,
    GatherOp,
    NormalizeOp,
    LocalResponseNormOp,
    AlongAxisOp,
]

Top = Dialect("top", _OPS, [])
