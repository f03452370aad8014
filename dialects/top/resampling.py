"""ONNX's resize in `top`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import InitVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, UnitAttr
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, traits_def
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.windows import resampling
from ..ir.attribute import Real, Reals, check_one_of, flag, optional_reals, real, reals, text
from ..ir.field import argument, operand, prop
from ..network.shape import Shape
from ..network.tensor_op import Arrays
from ..network.traits import CanStayFloat
from ..quant.element_type import shape_of
from .top_op import TopOp

_MODE = re.compile(r'(?<=mode = ")\w+(?=" scales)')


@irdl_op_definition
class ResizeOp(TopOp):
    """ONNX's Resize with all sizes known: the type says the output shape; `scales` holds one f64 per axis, `roi` two.

    %resized = top.resize "resize" %avg mode = "linear" scales = [1.0, 1.0, 2.0, 2.0]
        coordinate_transformation_mode = "asymmetric" antialias :
        (tensor<1x8x2x2xf32>) -> tensor<1x8x4x4xf32>
    """

    name = "top.resize"
    traits = traits_def(CanStayFloat(only_before_poles=lambda op: True))
    mode: StringAttr = prop(converter=text)
    scales: Reals = prop(converter=reals)
    coordinate_transformation_mode: StringAttr = prop(converter=text, default="half_pixel")
    nearest_mode: StringAttr = prop(converter=text, default="round_prefer_floor")
    cubic_coeff_a: Real = prop(converter=real, default=-0.75)
    extrapolation_value: Real = prop(converter=real, default=0.0)
    exclude_outside: UnitAttr | None = prop(converter=flag, default=False)
    antialias: UnitAttr | None = prop(converter=flag, default=False)
    roi: Reals | None = prop(converter=optional_reals, default=None)
    input: SSAValue = operand()
    shape: InitVar[Sequence[int]] = argument()

    @classmethod
    def variants(cls, example: str) -> Mapping[str, str]:
        text = example.replace(" antialias", "")
        return {mode: _MODE.sub(mode, text) for mode in resampling.RESIZE_MODES}

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
        check_one_of("mode", self.mode.data, resampling.RESIZE_MODES)
        transformation = self.coordinate_transformation_mode.data
        check_one_of("coordinate_transformation_mode", transformation, resampling.COORDINATE_MODES)
        check_one_of("nearest_mode", self.nearest_mode.data, resampling.NEAREST_MODES)
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
        """Return for each axis that the resize changes the index i32 [out,taps] and the weight f32 [out,taps] of the
        elements that it mixes.
        """
        return resampling.taps_by_axis(
            self.mode.data,
            shape_of(self.input),
            shape_of(self.output),
            self.scales.get_values(),
            None if self.roi is None else self.roi.get_values(),
            coordinate_transformation_mode=self.coordinate_transformation_mode.data,
            nearest_mode=self.nearest_mode.data,
            cubic_coeff_a=self.cubic_coeff_a.value.data,
            exclude_outside=self.exclude_outside is not None,
            antialias=self.antialias is not None,
        )

    def unchanged_operand(self) -> SSAValue | None:
        mode = self.coordinate_transformation_mode.data
        # tf_crop_and_resize cuts out a region; tf_half_pixel_for_nn reads half a pixel to the right.
        exact = mode not in ("tf_crop_and_resize", "tf_half_pixel_for_nn")
        # Every scale is 1, and each result pixel lies on the input pixel of its index.
        same = exact and all(scale == 1.0 for scale in self.scales.get_values())
        return self.input if same else None


def beside_input(weight: np.ndarray, axis: int, rank: int) -> np.ndarray:
    """Tell which outputs of a resize lie outside the input along `axis`, as bools that broadcast with `rank` axes:
    these outputs get the extrapolation value.
    """
    return resampling.extrapolated(weight).reshape(-1, *(1,) * (rank - axis - 1))
