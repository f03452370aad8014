"""`!tpu.scaled`: floats of 8 bits with a scale, for which MLIR's quant dialect has no words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import AnyFloat, StringAttr
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.storage import SCALED_FLOAT_NAMES
from ..ir.attribute import Ints, Reals, ints, reals
from ..ir.text.number import parse_real_literal, real_text


@irdl_attr_definition
class ScaledFloatType(ParametrizedAttribute, TypeAttribute):
    """`!tpu.scaled<f8E4M3FN:f32, 0.25>`: floats of 8 bits, each of which stands for itself times the scale.

    - per tensor: one scale; `axes` is empty;
    - per axis, `!tpu.scaled<f8E4M3FN:f32:1, {0.5,0.25}>`: a scale for each index of axis `axes[0]`.
    """

    name = "tpu.scaled"
    storage: StringAttr
    expressed: Attribute
    scale_values: Reals
    axes: Ints

    @property
    def storage_name(self) -> str:
        """The storage type's name: "f8E4M3FN" or "f8E5M2"."""
        return self.storage.data

    @property
    def scales(self) -> tuple[float, ...]:
        """Every scale, in order."""
        return self.scale_values.get_values()

    @property
    def axis(self) -> int | None:
        """The axis along which scales differ; None if there is one scale."""
        return self.axes.get_values()[0] if len(self.axes) else None

    def verify(self) -> None:
        if self.storage_name not in SCALED_FLOAT_NAMES:
            known = " or ".join(SCALED_FLOAT_NAMES)
            raise VerifyException(f"scaled floats are stored as {known}, got {self.storage_name}")
        if not isinstance(self.expressed, AnyFloat):
            raise VerifyException(f"expressed type must be a float, got {self.expressed}")
        if not len(self.scales) or (self.axis is None and len(self.scales) != 1):
            raise VerifyException(f"{len(self.scales)} scales without an axis")
        for scale in self.scales:
            if not (math.isfinite(scale) and scale > 0):
                raise VerifyException(f"scale {scale} is not a positive number")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            storage = parser.parse_identifier(" (the storage type)")
            parser.parse_punctuation(":", " before the expressed type")
            expressed = parser.parse_type()
            axes: list[int] = []
            if parser.parse_optional_punctuation(":") is not None:
                axes = [parser.parse_integer(allow_boolean=False, allow_negative=False)]
            parser.parse_punctuation(",", " before the scales")
            if axes:
                scales = parser.parse_comma_separated_list(
                    parser.Delimiter.BRACES, lambda: parse_real_literal(parser)
                )
            else:
                scales = [parse_real_literal(parser)]
        return StringAttr(storage), expressed, reals(scales), ints(axes)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(f"{self.storage_name}:")
            printer.print_attribute(self.expressed)
            texts = [real_text(scale) for scale in self.scales]
            if self.axis is None:
                printer.print_string(f", {texts[0]}")
            else:
                printer.print_string(f":{self.axis}, {{{','.join(texts)}}}")


def scaled(
    storage: str, scales: Sequence[float], expressed: Attribute, axis: int | None = None
) -> ScaledFloatType:
    """Return the type of floats stored as `storage`, with one scale or, along `axis`, several."""
    return ScaledFloatType(
        StringAttr(storage),
        expressed,
        reals([float(scale) for scale in scales]),
        ints([] if axis is None else [axis]),
    )
