"""Quantizes activations by their calibrated ranges, and notes which ranges are missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf

from xdsl.ir import SSAValue

from ....backends.diagnostics.diagnostic import DiagnosticError, Place
from ....backends.numerics.quantization import activation_parameters
from ....dialects.network.traits import FixedQuantization
from ....dialects.quant import CalibratedType, UniformQuantizedType, uniform
from ....dialects.quant.element_type import element_of

_SHOWN_NAMES = 20


class MissingRangesError(DiagnosticError):
    """Values that INT8 stores with a scale have no range: `listed` names them."""

    def __init__(self, names: Sequence[str]) -> None:
        shown = ", ".join(f"'{name}'" for name in names[:_SHOWN_NAMES])
        rest = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
        self.listed = f"{shown}{rest}"
        super().__init__(
            f"quantization to int8 needs a calibrated range for {self.listed}",
            Place(name="convert-top-to-tpu"),
            hint="calibrate the model and run top-annotate-calibration{table=FILE} before, "
            "or convert with quantize=f32",
        )


def is_calibrated(value: SSAValue) -> bool:
    """Tell whether a value of `top` has a calibrated range."""
    return isinstance(element_of(value), CalibratedType)


class ActivationRanges:
    """The quantized element types of the values of one function of `top`.

    Values that need a calibrated range and have none are collected, so that one diagnostic can name them all;
    `name_of` gives their names.
    """

    def __init__(self, name_of: Callable[[SSAValue], str]) -> None:
        self._name_of = name_of
        self._elements: dict[SSAValue, UniformQuantizedType] = {}
        self._missing: dict[str, None] = {}
        self._given: set[SSAValue] = set()
        self.bounds: Mapping[SSAValue, float] = {}
        """The magnitudes beyond which values may be cut, whatever calibration saw."""

    def give(self, value: SSAValue, element: UniformQuantizedType) -> None:
        """Note the quantized element type that the model itself gives a value, whatever its range is."""
        self._elements[value] = element
        self._given.add(value)

    def is_given(self, value: SSAValue) -> bool:
        """Tell whether the model itself gives the value a quantized type."""
        return value in self._given

    def element(self, value: SSAValue) -> UniformQuantizedType:
        """Return the quantized element type of a value of `top`: the one that its op fixes, or one by its calibrated
        range; a value without a range is noted as missing one.
        """
        found = self._elements.get(value)
        if found is not None:
            return found
        calibrated, fixed = element_of(value), FixedQuantization.parameters_of(value.owner)
        if fixed is not None:
            found = uniform("i8", *fixed)
        elif isinstance(calibrated, CalibratedType):
            try:
                bound = self.bounds.get(value, inf)
                low, high = max(calibrated.low, -bound), min(calibrated.high, bound)
                scale, zero_point = activation_parameters(min(low, bound), max(high, -bound))
            except ValueError as error:
                raise DiagnosticError(
                    f"the range of '{self._name_of(value)}' is of no use: {error}"
                ) from None
            found = uniform("i8", scale, zero_point)
        else:
            self._missing[self._name_of(value)] = None
            found = uniform("i8", 1.0, 0)
        self._elements[value] = found
        return found

    def take(self, value: SSAValue, successor: SSAValue) -> None:
        """Let `value` be quantized as `successor` is, if that has a range; what the model gives stays as it is."""
        if value in self._given:
            return
        if successor in self._given:
            self._given.add(value)
        if successor in self._elements or is_calibrated(successor):
            self._elements[value] = self.element(successor)

    def check(self) -> None:
        """Raise MissingRangesError that names the values which needed a calibrated range and had none."""
        if self._missing:
            raise MissingRangesError(list(self._missing))
