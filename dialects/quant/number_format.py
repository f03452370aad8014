"""The number format of a tensor: its storage type, scale and zero point, which say what its stored numbers
stand for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.numerics import storage as numerics_storage
from ...backends.numerics.packing import in_whole_bytes
from ...backends.numerics.quantization import (
    Quantization,
    clamp_bounds,
    dequantize,
    dequantize_linear,
    quantize_multiplier,
)
from ..ir.identity_cache import by_identity
from .element_type import element_storage
from .parameter_grid import spread_parameters
from .scale_groups import ScaleGroups
from .scaled_type import ScaledFloatType
from .uniform_type import UniformQuantizedType

Clamp = tuple[float | None, float | None]
"""The real bounds of a fused activation; None where there is no bound."""


@dataclass(frozen=True, eq=False)
class NumberFormat:
    """How a tensor stores its numbers: a stored number stands for (stored - `zero_point`) · scale.

    `scales` is f64: one number, or one for each index of `axis`. Numbers that are not quantized stand for themselves:
    their scale is 1, their zero point 0.
    """

    storage: str
    scales: np.ndarray
    zero_point: int
    axis: int | None
    is_quantized: bool
    limits: tuple[int, int] | None = None
    """The least and the greatest stored number, if the type says less than its storage can hold."""
    groups: ScaleGroups | None = None
    """The scales of weights in groups of input channels, by which a unit multiplies them. `scales` are what is left for
    sums of integers: the step of each output channel. Beside floats nothing is left.
    """

    @staticmethod
    @by_identity
    def of(type: Attribute) -> NumberFormat:
        """Return the format of a tensor type's elements, or of an element type.

        Raises:
            DiagnosticError: if the type is a sub-channel type, or its zero points differ along an axis.
            ValueError: if no storage holds the type.
        """
        element = type.element_type if isinstance(type, TensorType) else type
        storage = element_storage(type)
        if isinstance(element, ScaledFloatType):
            scales = np.asarray(element.scales, np.float64)
            return NumberFormat(storage, scales, 0, element.axis, True)
        if not isinstance(element, UniformQuantizedType):
            return NumberFormat(storage, np.ones(1), 0, None, False)
        zero_points = set(element.zero_points)
        groups = ScaleGroups.of(element) if storage in numerics_storage.PACKED_NAMES else None
        if groups is not None:
            scales = groups.steps if groups.has_steps else np.ones(1)
            return NumberFormat(storage, scales, 0, groups.channel_axis, True, None, groups)
        if element.is_sub_channel or len(zero_points) > 1:
            raise DiagnosticError(
                "the device computes with one scale per tensor or channel and one zero point, "
                f"not with {element}"
            )
        scales = np.asarray(element.scales, np.float64)
        axis = element.axis if element.is_per_axis else None
        limits = element.storage_min, element.storage_max
        if limits == numerics_storage.integer_range(storage):
            limits = None
        return NumberFormat(storage, scales, int(zero_points.pop()), axis, True, limits)

    @property
    def scale(self) -> float:
        """The scale of the whole tensor. Raises DiagnosticError if there is one scale per channel."""
        if len(self.scales) != 1:
            raise DiagnosticError(
                "the device needs one scale for the whole tensor here, not one per channel"
            )
        return float(self.scales[0])

    @property
    def quantization(self) -> Quantization | None:
        """Scale and zero point of the whole tensor; None for numbers that are not quantized. Raises DiagnosticError if
        there is one scale per channel.
        """
        return Quantization(self.scale, self.zero_point) if self.is_quantized else None

    @cached_property
    def is_float(self) -> bool:
        """Whether the numbers are stored as floats."""
        return numerics_storage.is_float(self.storage)

    @cached_property
    def sums_floats(self) -> bool:
        """Whether products of the numbers are summed as floats: of floats, and of scaled small ones."""
        return numerics_storage.sums_floats(self.storage)

    def multiplied(self, weights: np.ndarray, input: str) -> np.ndarray:
        """Return weights of this format [..., its axes] as numbers that inputs of a storage type are multiplied with:
        of whole bytes, times the scales of their groups.
        """
        whole = in_whole_bytes(weights)
        return whole if self.groups is None else self.groups.multiplied(whole, input)

    def fits(self, storage: str) -> bool:
        """Tell whether every stored number is one of the integer type `storage`, too."""
        if not self.is_quantized or self.sums_floats:
            return False
        own = self.limits or numerics_storage.integer_range(self.storage)
        low, high = numerics_storage.integer_range(storage)
        return low <= own[0] and own[1] <= high

    def clamp(self, bounds: Clamp) -> tuple[int, int]:
        """Return real bounds in storage units, within the range of the type, whose ends stand for missing bounds."""
        low, high = clamp_bounds(*bounds, self.scale, self.zero_point, self.storage)
        if self.limits is None:
            return low, high
        least, greatest = self.limits
        return min(max(low, least), greatest), max(min(high, greatest), least)

    def ratio_to(self, result: NumberFormat) -> tuple[int, int]:
        """Return the multiplier and shift that stand for this scale divided by the result's."""
        multiplier, shift = quantize_multiplier(np.float64(self.scale) / np.float64(result.scale))
        return int(multiplier), int(shift)


def float_clamp(bounds: Clamp) -> tuple[float, float] | None:
    """Return real bounds, with infinity for a missing one; None if both are missing."""
    low, high = bounds
    if low is None and high is None:
        return None
    return (-np.inf if low is None else low, np.inf if high is None else high)


def real_value(value: np.ndarray, type: Attribute) -> np.ndarray:
    """Convert a stored value [S, shape...] to the f32 numbers that it stands for; the type may have scales and zero
    points that differ along any axis, or in blocks.
    """
    element = type.element_type if isinstance(type, TensorType) else type
    if isinstance(element, ScaledFloatType) and element.axis is None:
        return value.astype(np.float32) * np.float32(element.scales[0])
    if not isinstance(element, UniformQuantizedType):
        return value.astype(np.float32, copy=False)
    if element.is_per_tensor:
        return dequantize(value, element.scale, element.zero_point)
    return dequantize_linear(value, *spread_parameters(element, value.shape[1:]), "f32")
