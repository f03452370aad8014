"""`!quant.calibrated`: floats with the range of values that calibration saw, and where symmetric schemes saturate."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import AnyFloat, DenseArrayBase
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from ..ir.attribute import Reals, reals
from ..ir.text.number import parse_real_literal, real_text


@irdl_attr_definition
class CalibratedType(ParametrizedAttribute, TypeAttribute):
    """`!quant.calibrated<f32<-1.0:2.5>>`: a float whose values were seen to lie between `low` and
    `high`.

    `!quant.calibrated<f32<-1.0:2.5>, threshold = 2.0>` says too that symmetric quantization saturates at ±2.0; without
    it, that does at the greater magnitude of the two bounds. `bounds` are low, high and, if it is another, the
    threshold.
    """

    name = "quant.calibrated"
    expressed: Attribute
    bounds: Reals

    def __init__(
        self,
        expressed: Attribute,
        low: float | Reals,
        high: float | None = None,
        threshold: float | None = None,
    ):
        bounds = (
            low
            if isinstance(low, DenseArrayBase)
            else _bounds(low, low if high is None else high, threshold)
        )
        super().__init__(expressed, bounds)

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
        """The magnitude at which symmetric quantization saturates."""
        low, high, *threshold = self.bounds.get_values()
        return threshold[0] if threshold else max(-low, high)

    def verify(self) -> None:
        if not isinstance(self.expressed, AnyFloat):
            raise VerifyException(f"expressed type must be a float, got {self.expressed}")
        if len(self.bounds) not in (2, 3) or not all(map(math.isfinite, self.bounds.get_values())):
            raise VerifyException(
                "a calibrated type has two finite bounds, and perhaps a threshold"
            )
        if not self.low < self.high:
            raise VerifyException(f"calibrated range {self.low}:{self.high} is empty")
        if not self.threshold > 0:
            raise VerifyException(f"threshold {self.threshold} of a calibrated type is not above 0")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            expressed = parser.parse_type()
            with parser.in_angle_brackets():
                low = parse_real_literal(parser)
                parser.parse_punctuation(":", " between the bounds")
                high = parse_real_literal(parser)
            threshold = None
            if parser.parse_optional_punctuation(",") is not None:
                parser.parse_keyword("threshold")
                parser.parse_punctuation("=")
                threshold = parse_real_literal(parser)
        return expressed, _bounds(low, high, threshold)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_attribute(self.expressed)
            printer.print_string(f"<{real_text(self.low)}:{real_text(self.high)}>")
            if len(self.bounds) > 2:
                printer.print_string(f", threshold = {real_text(self.threshold)}")


def _bounds(low: float, high: float, threshold: float | None) -> Reals:
    """Return what is kept of a range: a threshold only if it is another than that of the range itself."""
    if threshold is None or threshold == max(-low, high):
        return reals([low, high])
    return reals([low, high, threshold])
