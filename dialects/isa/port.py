"""The attribute that describes an input or output of a program."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, StringAttr, i64
from xdsl.ir import Attribute, ParametrizedAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.storage import STORAGE_TYPES, bytes_of
from ..ir.attribute import Integer, Ints
from .head import parse_string
from .line import quoted


@irdl_attr_definition
class PortAttr(ParametrizedAttribute):
    """An input or output: name, storage type, ONNX shape, offset in its segment: `#isa.port<"x"
    f32[1, 3, 8, 8] at 0>`.
    """

    name = "isa.port"
    port_name: StringAttr
    storage: StringAttr
    shape: Ints
    offset: Integer

    @staticmethod
    def get(name: str, storage: str, shape: Sequence[int], offset: int) -> PortAttr:
        """Return the port of a tensor of `storage` elements with the dense, row-major `shape`, at byte `offset` of its
        segment.
        """
        dims = DenseArrayBase.from_list(i64, list(shape))
        return PortAttr(StringAttr(name), StringAttr(storage), dims, IntegerAttr(offset, i64))

    @classmethod
    def parse_body(cls, parser: AttrParser) -> PortAttr:
        """Read `"x" f32[1, 3, 8, 8] at 0`."""
        name = parse_string(parser, " for the port's name")
        storage = parser.parse_identifier(" for the port's storage type")
        shape = parser.parse_comma_separated_list(
            parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False)
        )
        parser.parse_keyword("at")
        offset = parser.parse_integer(allow_boolean=False)
        return PortAttr.get(name, storage, shape, offset)

    def body(self) -> str:
        """Return what `parse_body` reads."""
        shape = ", ".join(str(dim) for dim in self.shape.iter_values())
        tensor = f"{self.storage.data}[{shape}]"
        return f"{quoted(self.port_name.data)} {tensor} at {self.offset.value.data}"

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        """Read the body in angle brackets."""
        with parser.in_angle_brackets():
            return list(cls.parse_body(parser).parameters)

    def print_parameters(self, printer: Printer) -> None:
        """Write the body in angle brackets."""
        printer.print_string(f"<{self.body()}>")

    def verify(self) -> None:
        """Raise VerifyException unless the storage type is known and no number is negative."""
        if self.storage.data not in STORAGE_TYPES:
            raise VerifyException(
                f"port '{self.port_name.data}': there is no storage type '{self.storage.data}'"
            )
        if any(dim < 0 for dim in self.shape.iter_values()) or self.offset.value.data < 0:
            raise VerifyException(f"port '{self.port_name.data}': a size or offset is negative")

    @property
    def size_bytes(self) -> int:
        """Size of the tensor in bytes."""
        return bytes_of(prod(self.shape.get_values()), self.storage.data)
