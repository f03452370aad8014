"""`!quant.calibrated`: floats with the range of values that calibration saw; `!tpu.calibrated` says too where symmetric
schemes saturate and what range 4 bits have, for which MLIR's quant dialect has no words.
"""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Sequence

from xdsl.dialects.builtin import AnyFloat, f64
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from ..ir.attribute import Real, Reals, reals
from ..ir.text.number import parse_real_literal, real_text


class CalibratedType(ParametrizedAttribute, TypeAttribute, ABC):
    """A float whose values were seen to lie between `low` and `high`; `calibrated` makes one."""

    expressed: Attribute
    bounds: Reals

    @property
    def low(self) -> float:
        """Least value seen."""
        return self.bounds.get_values()[0]

    @property
    def high(self) -> float:
        """Greatest value seen."""
        return self.bounds.get_values()[1]

    @property
    def threshold(self) -> float:
        """The magnitude at which symmetric quantization saturates: the greater one of the bounds."""
        return max(-self.low, self.high)

    @property
    def range_of_4_bits(self) -> tuple[float, float]:
        """The least and the greatest value that 4 bits should hold: the bounds."""
        return self.low, self.high

    def verify(self) -> None:
        if not isinstance(self.expressed, AnyFloat):
            raise VerifyException(f"expressed type must be a float, got {self.expressed}")
        if len(self.bounds) != 2 or not all(map(math.isfinite, self.bounds.get_values())):
            raise VerifyException("a calibrated type has two finite bounds")
        if not self.low < self.high:
            raise VerifyException(f"calibrated range {self.low}:{self.high} is empty")


@irdl_attr_definition
class RangeType(CalibratedType):
    """`!quant.calibrated<f32<-1.0:2.5>>`: a float whose values were seen to lie between `low` and
    `high`.
    """

    name = "quant.calibrated"
    expressed: Attribute
    bounds: Reals

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return _parse_range(parser)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            _print_range(self, printer)


@irdl_attr_definition
class ThresholdType(CalibratedType):
    """`!tpu.calibrated<f32<-1.0:2.5>, threshold = 2.0>`: a calibrated float that symmetric
    quantization saturates at ±2.0, not at the greater magnitude of the bounds. With
    `, i4 = -0.5:2.0` after that, what reads it in 4 bits saturates below -0.5 and above 2.0.
    """

    name = "tpu.calibrated"
    expressed: Attribute
    bounds: Reals
    saturation: Real
    four_bits: Reals

    @property
    def threshold(self) -> float:
        """The magnitude at which symmetric quantization saturates."""
        return self.saturation.value.data

    @property
    def range_of_4_bits(self) -> tuple[float, float]:
        """The least and the greatest value that 4 bits should hold: the bounds unless others are given."""
        given = self.four_bits.get_values()
        return (given[0], given[1]) if given else (self.low, self.high)

    def verify(self) -> None:
        super().verify()
        if not (self.threshold > 0 and math.isfinite(self.threshold)):
            raise VerifyException(f"threshold {self.threshold} of a calibrated type is not above 0")
        low, high = self.range_of_4_bits
        if not (low < high and math.isfinite(low) and math.isfinite(high)):
            raise VerifyException(f"calibrated range {low}:{high} of 4 bits is empty")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            expressed, bounds = _parse_range(parser)
            parser.parse_punctuation(",", " before the threshold")
            parser.parse_keyword("threshold")
            parser.parse_punctuation("=")
            threshold = Real(parse_real_literal(parser), f64)
            if parser.parse_optional_punctuation(",") is None:
                return expressed, bounds, threshold, reals([])
            parser.parse_keyword("i4")
            parser.parse_punctuation("=")
            return expressed, bounds, threshold, _parse_bounds(parser)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            _print_range(self, printer)
            printer.print_string(f", threshold = {real_text(self.threshold)}")
            if len(self.four_bits):
                low, high = self.range_of_4_bits
                printer.print_string(f", i4 = {real_text(low)}:{real_text(high)}")


def calibrated(
    expressed: Attribute,
    low: float,
    high: float,
    threshold: float | None = None,
    four_bits: tuple[float, float] | None = None,
) -> CalibratedType:
    """Return the type of floats in [low, high] that symmetric quantization saturates at `threshold`, by default the
    greater magnitude of the bounds, and of which 4 bits hold the range `four_bits`, by default that of the bounds.
    """
    bounds, saturation = reals([low, high]), max(-low, high)
    if threshold in (None, saturation) and four_bits in (None, (low, high)):
        return RangeType(expressed, bounds)
    return ThresholdType(
        expressed, bounds, Real(threshold or saturation, f64), reals(list(four_bits or ()))
    )


def _parse_range(parser: AttrParser) -> tuple[Attribute, Reals]:
    """Read `f32<-1.0:2.5>`."""
    expressed = parser.parse_type()
    with parser.in_angle_brackets():
        return expressed, _parse_bounds(parser)


def _parse_bounds(parser: AttrParser) -> Reals:
    """Read `-1.0:2.5`."""
    low = parse_real_literal(parser)
    parser.parse_punctuation(":", " between the bounds")
    return reals([low, parse_real_literal(parser)])


def _print_range(type: CalibratedType, printer: Printer) -> None:
    printer.print_attribute(type.expressed)
    printer.print_string(f"<{real_text(type.low)}:{real_text(type.high)}>")
