"""The attribute that describes an input or output of a program."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.dialects.builtin import ArrayAttr, StringAttr
from xdsl.ir import Attribute, ParametrizedAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.ports.port_format import PortFormat
from ...backends.numerics.quantization import Quantization
from ...backends.numerics.storage import bytes_of
from ..ir.attribute import Integer, Ints, Real, integer, ints, real, text
from ..ir.text.number import parse_real_literal, real_literal
from .head import parse_string
from .line import quoted


@irdl_attr_definition
class PortAttr(ParametrizedAttribute):
    """An input or output: name, storage type, ONNX shape, offset in its segment: `#isa.port<"x"
    f32[1, 3, 8, 8] at 0>`.

    `order` lists the axes as they lie in memory, outermost first, if that is not their own order. `model` is the
    storage type of the model's tensor if it has another, with `scale` and `zero_point` if integers stand for its
    numbers: `#isa.port<"x" i8[1, 3, 8, 8] order [0, 2, 3, 1] model f32 scale 0.5 zero_point -3 at 0>`.
    """

    name = "isa.port"
    port_name: StringAttr
    storage: StringAttr
    shape: Ints
    offset: Integer
    order: Ints
    model: StringAttr
    quantization: ArrayAttr[Real | Integer]

    @staticmethod
    def get(
        name: str, storage: str, shape: Sequence[int], offset: int, format: PortFormat | None = None
    ) -> PortAttr:
        """Return the port of a tensor at byte `offset` of its segment: of `storage` elements with the dense, row-major
        `shape`, or as `format` says.
        """
        form = format or PortFormat.plain(tuple(shape), storage)
        quantization: list[Real | Integer] = []
        if form.quantization is not None:
            scale, zero_point = form.quantization.scale, form.quantization.zero_point
            quantization = [real(scale), integer(zero_point)]
        return PortAttr(
            text(name),
            text(form.storage),
            ints(form.shape),
            integer(offset),
            ints(form.order),
            text(form.model),
            ArrayAttr(quantization),
        )

    @property
    def format(self) -> PortFormat:
        """How the port holds the model's tensor."""
        numbers = [each.value.data for each in self.quantization]
        quantization = Quantization(float(numbers[0]), int(numbers[1])) if numbers else None
        return PortFormat(
            self.shape.get_values(),
            self.storage.data,
            self.order.get_values(),
            self.model.data,
            quantization,
        )

    @classmethod
    def parse_body(cls, parser: AttrParser) -> PortAttr:
        """Read `"x" f32[1, 3, 8, 8] at 0`."""
        name = parse_string(parser, " for the port's name")
        storage = parser.parse_identifier(" for the port's storage type")
        shape = tuple(_parse_numbers(parser))
        order, model, quantization = tuple(range(len(shape))), storage, None
        if parser.parse_optional_keyword("order") is not None:
            order = tuple(_parse_numbers(parser))
        if parser.parse_optional_keyword("model") is not None:
            model = parser.parse_identifier(" for the storage type of the model's tensor")
        if parser.parse_optional_keyword("scale") is not None:
            scale = parse_real_literal(parser)
            parser.parse_keyword("zero_point")
            quantization = Quantization(scale, parser.parse_integer(allow_boolean=False))
        parser.parse_keyword("at")
        offset = parser.parse_integer(allow_boolean=False)
        format = PortFormat(shape, storage, order, model, quantization)
        return PortAttr.get(name, storage, shape, offset, format)

    def body(self) -> str:
        """Return what `parse_body` reads."""
        form = self.format
        words = [f"{quoted(self.port_name.data)} {form.storage}{list(form.shape)}"]
        if form.order != tuple(range(len(form.shape))):
            words.append(f"order {list(form.order)}")
        if form.model != form.storage:
            words.append(f"model {form.model}")
        if form.quantization is not None:
            scale, zero_point = form.quantization.scale, form.quantization.zero_point
            words.append(f"scale {real_literal(scale)} zero_point {zero_point}")
        return " ".join([*words, f"at {self.offset.value.data}"])

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        """Read the body in angle brackets."""
        with parser.in_angle_brackets():
            return list(cls.parse_body(parser).parameters)

    def print_parameters(self, printer: Printer) -> None:
        """Write the body in angle brackets."""
        printer.print_string(f"<{self.body()}>")

    def verify(self) -> None:
        """Raise VerifyException unless the port can hold the model's tensor, and no number is negative."""
        problem = self.format.error()
        if problem is not None:
            raise VerifyException(f"port '{self.port_name.data}': {problem}")
        if any(dim < 0 for dim in self.shape.iter_values()) or self.offset.value.data < 0:
            raise VerifyException(f"port '{self.port_name.data}': a size or offset is negative")

    @property
    def size_bytes(self) -> int:
        """Size of the tensor in bytes."""
        return bytes_of(prod(self.shape.get_values()), self.storage.data)


def _parse_numbers(parser: AttrParser) -> list[int]:
    return parser.parse_comma_separated_list(
        parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False)
    )
