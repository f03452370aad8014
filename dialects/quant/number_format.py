"""What quantized types say about an op's arithmetic: scales, zero points, multipliers, clamps in
storage units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute

from ...backends.numerics.quantization import clamp_bounds, dequantize, quantize_multiplier
from .element_type import element_storage
from .uniform_type import UniformQuantizedType

Clamp = tuple[float | None, float | None]


@dataclass(frozen=True)
class Element:
    """The element type of a tensor: its storage, and scale(s) and zero point where it is quantized.

    `scales` is f64, one number or one per index of `axis`; empty for plain elements.
    """

    storage: str
    scales: np.ndarray
    zero_point: int
    axis: int | None
    is_quantized: bool

    @staticmethod
    def of(type: Attribute) -> Element:
        """The element type of tensor type `type`; ValueError for sub-channel types and zero points
        that differ.
        """
        element = type.element_type if isinstance(type, TensorType) else type
        storage = element_storage(type)
        if not isinstance(element, UniformQuantizedType):
            return Element(storage, np.zeros(0), 0, None, False)
        if element.is_sub_channel:
            raise ValueError(f"elements quantized by blocks are not supported: {element}")
        zero_points = set(element.zero_points)
        if len(zero_points) != 1:
            raise ValueError(f"zero points that differ along an axis are not supported: {element}")
        scales = np.asarray(element.scales, np.float64)
        axis = element.axis if element.is_per_axis else None
        return Element(storage, scales, int(zero_points.pop()), axis, True)

    @property
    def scale(self) -> float:
        """The one scale; ValueError where there are several."""
        if len(self.scales) != 1:
            raise ValueError("one scale for the whole tensor is needed here, not one per channel")
        return float(self.scales[0])

    def clamp(self, bounds: Clamp) -> tuple[int, int]:
        """Real bounds in storage units; where one is missing, the end of the storage's range."""
        return clamp_bounds(*bounds, self.scale, self.zero_point, self.storage)

    def ratio_to(self, result: Element) -> tuple[int, int]:
        """Multiplier and shift of this scale over the result's."""
        multiplier, shift = quantize_multiplier(np.float64(self.scale) / np.float64(result.scale))
        return int(multiplier), int(shift)


def float_clamp(bounds: Clamp) -> tuple[float, float] | None:
    """Real bounds, infinite where one is missing; None where both are."""
    low, high = bounds
    if low is None and high is None:
        return None
    return (-np.inf if low is None else low, np.inf if high is None else high)


def real_value(value: np.ndarray, type: Attribute) -> np.ndarray:
    """A value [S, shape...] in storage as the f32 numbers that it stands for."""
    element = Element.of(type)
    if not element.is_quantized:
        return value.astype(np.float32, copy=False)
    if element.axis is None:
        return dequantize(value, element.scale, element.zero_point)
    return dequantize(value, element.scales, element.zero_point, axis=element.axis + 1)
