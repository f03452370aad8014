"""Quantizes activations by their calibrated ranges, and notes which ranges are missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf

from xdsl.ir import SSAValue

from ....backends.diagnostics.diagnostic import DiagnosticError, Place
from ....backends.numerics.quantization import activation_parameters, float_scale
from ....backends.numerics.storage import LOOKUP_NAMES, integer_range
from ....dialects.network.traits import FixedQuantization
from ....dialects.quant import CalibratedType, UniformQuantizedType, uniform
from ....dialects.quant.element_type import element_of
from ..precision.schemes import Scheme

_SHOWN_NAMES = 20


class MissingRangesError(DiagnosticError):
    """Values that INT8 stores with a scale have no range: `listed` names them."""

    def __init__(self, names: Sequence[str]) -> None:
        shown = ", ".join(f"'{name}'" for name in names[:_SHOWN_NAMES])
        rest = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
        self.listed = f"{shown}{rest}"
        super().__init__(
            f"quantization needs a calibrated range for {self.listed}",
            Place(name="convert-top-to-tpu"),
            hint="calibrate the model and run top-annotate-calibration{table=FILE} before, "
            "or convert with quantize=f32",
        )


def is_calibrated(value: SSAValue) -> bool:
    """Tell whether a value of `top` has a calibrated range."""
    return isinstance(element_of(value), CalibratedType)


def activation_type(low: float, high: float, scheme: Scheme) -> UniformQuantizedType:
    """Return the type in which a scheme stores activations between two numbers. Raises ValueError if they are no
    range.
    """
    parameters = activation_parameters(
        low,
        high,
        scheme.activations,
        symmetric=scheme.symmetric,
        power_of_two=scheme.power_of_two,
    )
    return uniform(scheme.activations, *parameters)


def range_in(element: CalibratedType, scheme: Scheme) -> tuple[float, float]:
    """Return between which numbers a scheme keeps a calibrated value: up to the threshold if it is symmetric, else in
    the range.
    """
    if scheme.symmetric:
        return -element.threshold, element.threshold
    return element.low, element.high


class ActivationRanges:
    """The quantized element types of the values of one function of `top`.

    Values that need a calibrated range and have none are collected, so that one diagnostic can name them all;
    `name_of` gives their names.
    """

    def __init__(self, name_of: Callable[[SSAValue], str]) -> None:
        self._name_of = name_of
        self._elements: dict[tuple[SSAValue, Scheme], UniformQuantizedType] = {}
        self._settled: dict[SSAValue, UniformQuantizedType] = {}
        self._missing: dict[str, None] = {}
        self._given: set[SSAValue] = set()
        self.bounds: Mapping[SSAValue, float] = {}
        """The magnitudes beyond which values of 8 bits may be cut, whatever calibration saw."""

    def give(self, value: SSAValue, element: UniformQuantizedType) -> None:
        """Note the quantized element type that the model itself gives a value, whatever its range is."""
        self._settled[value] = element
        self._given.add(value)

    def is_given(self, value: SSAValue) -> bool:
        """Tell whether the model itself gives the value a quantized type."""
        return value in self._given

    def element(self, value: SSAValue, scheme: Scheme) -> UniformQuantizedType:
        """Return the quantized element type of a value of `top`: the one that is settled, else one by its range and a
        scheme of integers. A value without a range is noted as missing one.
        """
        return self._settled.get(value) or self.element_in(value, scheme)

    def element_in(self, value: SSAValue, scheme: Scheme) -> UniformQuantizedType:
        """Return the element type of a value in a scheme of integers, whatever is settled for what makes it."""
        found = self._elements.get((value, scheme))
        if found is None:
            found = self._elements[value, scheme] = self._derived(value, scheme)
        return found

    def _derived(self, value: SSAValue, scheme: Scheme) -> UniformQuantizedType:
        element, fixed = element_of(value), FixedQuantization.parameters_of(value.owner)
        if fixed is not None:
            scale, zero_point = fixed
            if scheme.activations in LOOKUP_NAMES and not (scheme.symmetric or scheme.power_of_two):
                least, _ = integer_range(scheme.activations)
                return uniform(scheme.activations, scale, zero_point + 128 + least)
            low, high = (-128 - zero_point) * scale, (128 - zero_point) * scale
            return activation_type(low, high, scheme)
        settled = self._settled.get(value)
        if isinstance(element, CalibratedType):
            bound = self.bounds.get(value, inf) if scheme.has_8_bits else inf
            low, high = range_in(element, scheme)
            low, high = max(low, -bound), min(high, bound)
            try:
                return activation_type(min(low, bound), max(high, -bound), scheme)
            except ValueError as error:
                raise DiagnosticError(
                    f"the range of '{self._name_of(value)}' is of no use: {error}"
                ) from None
        if settled is not None:
            steps = settled.storage_min, settled.storage_max
            low, high = ((step - settled.zero_point) * settled.scale for step in steps)
            return activation_type(low, high, scheme)
        self._missing[self._name_of(value)] = None
        return uniform(scheme.activations, 1.0, 0)

    def float_scale(self, value: SSAValue, storage: str) -> float:
        """Return the scale with which small floats of a storage type hold a value of `top`. A value without a range is
        noted as missing one.
        """
        element = element_of(value)
        if isinstance(element, CalibratedType):
            return float(float_scale(max(-element.low, element.high), storage))
        self._missing[self._name_of(value)] = None
        return 1.0

    def take(self, value: SSAValue, successor: SSAValue, scheme: Scheme) -> None:
        """Let `value` be quantized as `successor` is by a scheme, if that has a range; what the model gives stays as it
        is.
        """
        if value in self._given:
            return
        if successor in self._given:
            self._given.add(value)
        if successor in self._settled or is_calibrated(successor):
            self._settled[value] = self.element(successor, scheme)

    def check(self) -> None:
        """Raise MissingRangesError that names the values which needed a calibrated range and had none."""
        if self._missing:
            raise MissingRangesError(list(self._missing))
