"""The attribute that describes a call of the host in a program."""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, StringAttr
from xdsl.ir import Attribute, ParametrizedAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.functions.call import Call
from ...backends.numerics.functions.function import FunctionError, TensorKind
from ..ir.attribute import (
    Integer,
    Ints,
    integer,
    ints,
    optional_dictionary,
    plain_values,
    text,
)
from ..ir.text.assembly import parse_dictionary, value_text
from .head import name_text


@irdl_attr_definition
class OperandAttr(ParametrizedAttribute):
    """The storage type and the shape of an operand of a call, and at which byte of the weights it lies, -1 if it stands
    in the call's frame: `#isa.operand<f32[2, 5]>`, `#isa.operand<f32[2, 5] at 64>`.
    """

    name = "isa.operand"
    storage: StringAttr
    shape: Ints
    place: Integer

    @staticmethod
    def get(kind: TensorKind, place: int | None) -> OperandAttr:
        """Return the attribute of an operand."""
        return OperandAttr(
            text(kind.storage), ints(kind.shape), integer(-1 if place is None else place)
        )

    @classmethod
    def parse_body(cls, parser: AttrParser) -> OperandAttr:
        """Read `f32[2, 5]` or `f32[2, 5] at 64`."""
        storage = parser.parse_identifier(" for the operand's storage type")
        sizes = parser.parse_comma_separated_list(
            parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False)
        )
        place = -1
        if parser.parse_optional_keyword("at") is not None:
            place = parser.parse_integer(allow_boolean=False, allow_negative=False)
        return OperandAttr(text(storage), ints(sizes), integer(place))

    def body(self) -> str:
        """Return what `parse_body` reads."""
        kind = f"{self.storage.data}{list(self.shape.get_values())}"
        return kind if self.place_in_weights is None else f"{kind} at {self.place_in_weights}"

    @property
    def place_in_weights(self) -> int | None:
        """At which byte of the weights the operand lies; None if it stands in the frame."""
        place = self.place.value.data
        return None if place < 0 else place

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        """Read the body in angle brackets."""
        with parser.in_angle_brackets():
            return list(cls.parse_body(parser).parameters)

    def print_parameters(self, printer: Printer) -> None:
        """Write the body in angle brackets."""
        printer.print_string(f"<{self.body()}>")


@irdl_attr_definition
class CallAttr(ParametrizedAttribute):
    """A call of the host: a named function, the storage type and shape of each operand, the function's attributes,
    and the number of the result, if it is not the first: `#isa.call<top_k(f32[5, 9]) with {count = 3} result 1>`.
    """

    name = "isa.call"
    function: StringAttr
    operands: ArrayAttr[OperandAttr]
    given: DictionaryAttr
    result: Integer

    @staticmethod
    def get(call: Call) -> CallAttr:
        """Return the attribute of a call."""
        return CallAttr(
            text(call.function),
            ArrayAttr(
                [
                    OperandAttr.get(kind, call.in_weights.get(number))
                    for number, kind in enumerate(call.operands)
                ]
            ),
            optional_dictionary(dict(call.attributes)) or DictionaryAttr({}),
            integer(call.result),
        )

    def call(self) -> Call:
        """Return the call. Raises FunctionError if there can be no such call."""
        return Call.from_parts(
            self.function.data,
            [(each.storage.data, each.shape.get_values()) for each in self.operands.data],
            plain_values(self.given),
            self.result.value.data,
            [each.place_in_weights for each in self.operands.data],
        )

    @classmethod
    def parse_body(cls, parser: AttrParser) -> CallAttr:
        """Read `top_k(f32[5, 9]) with {count = 3} result 1`."""
        function = parser.parse_identifier_or_str_literal(" for the function's name")

        operands = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: OperandAttr.parse_body(parser)
        )
        given = DictionaryAttr({})
        if parser.parse_optional_keyword("with") is not None:
            given = parse_dictionary(parser)
        result = 0
        if parser.parse_optional_keyword("result") is not None:
            result = parser.parse_integer(allow_boolean=False)
        return CallAttr(
            text(function),
            ArrayAttr(operands),
            given,
            integer(result),
        )

    def body(self) -> str:
        """Return what `parse_body` reads."""
        operands = ", ".join(each.body() for each in self.operands.data)
        words = [f"{name_text(self.function.data)}({operands})"]
        if self.given.data:
            words.append(f"with {value_text(self.given)}")
        if self.result.value.data:
            words.append(f"result {self.result.value.data}")
        return " ".join(words)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        """Read the body in angle brackets."""
        with parser.in_angle_brackets():
            return list(cls.parse_body(parser).parameters)

    def print_parameters(self, printer: Printer) -> None:
        """Write the body in angle brackets."""
        printer.print_string(f"<{self.body()}>")

    def verify(self) -> None:
        """Raise VerifyException unless there can be such a call."""
        try:
            self.call()
        except FunctionError as error:
            raise VerifyException(str(error)) from None
