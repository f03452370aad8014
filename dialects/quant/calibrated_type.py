"""`!quant.calibrated`: floats with the range of values that calibration saw."""

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
    """

    name = "quant.calibrated"
    expressed: Attribute
    bounds: Reals

    def __init__(self, expressed: Attribute, low: float | Reals, high: float | None = None):
        bounds = (
            low if isinstance(low, DenseArrayBase) else reals([low, low if high is None else high])
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

    def verify(self) -> None:
        if not isinstance(self.expressed, AnyFloat):
            raise VerifyException(f"expressed type must be a float, got {self.expressed}")
        if len(self.bounds) != 2 or not all(map(math.isfinite, self.bounds.get_values())):
            raise VerifyException("a calibrated type has two finite bounds")
        if not self.low < self.high:
            raise VerifyException(f"calibrated range {self.low}:{self.high} is empty")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            expressed = parser.parse_type()
            with parser.in_angle_brackets():
                low = parse_real_literal(parser)
                parser.parse_punctuation(":", " between the bounds")
                high = parse_real_literal(parser)
        return expressed, reals([low, high])

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_attribute(self.expressed)
            printer.print_string(f"<{real_text(self.low)}:{real_text(self.high)}>")
