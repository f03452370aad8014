"""ONNX's resize in `top`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from xdsl.dialects.builtin import LocationAttr, StringAttr, TensorType, UnitAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics import resampling
from ..ir.attribute import REAL, REALS, check_one_of, flag, real, reals
from ..ir.text.assembly import Defaults
from ..network.shape import Shape
from ..network.tensor_op import Arrays
from ..quant.element_type import element_of, expressed, shape_of
from .top_op import TopOp

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

    def evaluate(self, operands: Arrays) -> np.ndarray:
        (x,) = operands
        rank = x.ndim - 1
        outside = np.zeros((1,) * rank, np.bool_)
        for axis, (index, weight) in self.taps().items():
            x = resampling.resample(x, axis - rank, index, weight)
            outside = outside | beside_input(weight, axis, rank)
        if outside.any():
            x = np.where(outside, np.asarray(self.extrapolation_value.value.data, x.dtype), x)
        return x

    def taps(self) -> dict[int, resampling.Taps]:
        """Return, for each axis that the resize changes, index i32 [out,taps] and weight f32 [out,taps] of the
        elements that it mixes.
        """
        sizes, results, scales = (
            shape_of(self.input),
            shape_of(self.output),
            self.scales.get_values(),
        )
        roi = None if self.roi is None else self.roi.get_values()
        taps: dict[int, resampling.Taps] = {}
        for axis, (size, result, scale) in enumerate(zip(sizes, results, scales, strict=True)):
            region = None if roi is None else (roi[2 * axis], roi[2 * axis + 1])
            if size == result and scale == 1.0 and region in (None, (0.0, 1.0)):
                continue
            taps[axis] = resampling.resize_taps(
                self.mode.data,
                size,
                result,
                scale,
                region,
                self.coordinate_transformation_mode.data,
                self.nearest_mode.data,
                self.cubic_coeff_a.value.data,
                self.exclude_outside is not None,
                self.antialias is not None,
            )
        return taps


def beside_input(weight: np.ndarray, axis: int, rank: int) -> np.ndarray:
    """Tell which outputs of a resize lie beside the input along `axis`, as bools that broadcast with `rank`
    axes: they get the extrapolation value.
    """
    return resampling.extrapolated(weight).reshape(-1, *(1,) * (rank - axis - 1))
