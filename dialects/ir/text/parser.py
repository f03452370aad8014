"""xDSL's parser, extended to read all that MLIR prints, and to read lines of ops quickly.

- `dense<[0x4B800000]> : tensor<1xf32>` is a float by its bits in MLIR; xDSL reads the integer
  1266679808.
- `array<f64: 0x7FF0000000000000>` is infinity in MLIR; xDSL does not read it.
- fused locations may have metadata: `loc(fused<"CSE">["a", "b"])`.
"""

from __future__ import annotations

import builtins
import math
import re
from math import prod
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseArrayBase,
    Float16Type,
    Float32Type,
    FusedLoc,
    IntegerType,
    LocationAttr,
    ModuleOp,
    NoneAttr,
)
from xdsl.ir import Attribute, AttributeInvT, Operation, SSAValue, TypeAttribute
from xdsl.parser import AttrParser, ParserState, UnresolvedOperand
from xdsl.utils.exceptions import ParseError
from xdsl.utils.lexer import Input, Span
from xdsl.utils.mlir_lexer import MLIRLexer, MLIRToken, MLIRTokenKind, StringLiteral

from ....backends.diagnostics.diagnostic import Place
from ..location import ParsedLoc, parsed, place_of
from ..source_text import SourceText, end_of_ir
from .op_line import OpLines
from .source_parser import SourceParser

MAX_INTEGER_BITS = 1024
MAX_DENSE_ELEMENTS = 1 << 22
"""Limits on what a few characters of text can make us compute or allocate."""
_HEX_FLOAT = re.compile(r"0x[0-9A-Fa-f]+")


def float_from_bits(text: str, type: Any) -> float | None:
    """Return the float of `type` whose bits the hexadecimal literal `text` gives; None if the literal has more bits
    than the type.
    """
    size = type.compile_time_size
    bits = int(text, 16)
    if bits >= 1 << (8 * size):
        return None
    return next(type.iter_unpack(bits.to_bytes(size, "little")))


class _Literal(AttrParser._TensorLiteralElement):
    """An element of a dense literal; hexadecimal ones are the bits of a float where the type is a
    float, and a number beyond the range of its float type is infinite, as in MLIR.
    """

    def to_type(self, parser: AttrParser, type: Any) -> Any:
        text = self.span.text
        if isinstance(type, AnyFloat) and text.startswith(("0x", "-0x")):
            if self.is_negative:
                parser.raise_error("hexadecimal float literal may not have a sign", self.span)
            value = float_from_bits(text, type)
            if value is None:
                parser.raise_error(
                    f"hexadecimal float literal has too many bits for {type}", self.span
                )
            return value
        if not isinstance(type, Float16Type | Float32Type):
            return super().to_type(parser, type)
        number = self.to_float(parser)
        try:
            type.pack((number,))
        except OverflowError:
            return math.copysign(math.inf, number)
        return number


class SmaltiLexer(MLIRLexer):
    """xDSL's lexer, mended in two places: a string that is never closed takes no longer to read than one that is, and
    UTF-8 text that was printed with escapes ("\\C3\\BC") is read as a string again, not as bytes.
    """

    # xDSL's own pattern tries every way to split the text of an unclosed string: 2^length of them.
    # A possessive quantifier takes what it can and never gives it back.
    _unescaped_characters_regex = re.compile(r'"(?:[^"\\\n\v\f]++|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*+"')

    def _lex_string_literal(self, start_pos: int) -> MLIRToken:
        token = super()._lex_string_literal(start_pos)
        if token.kind != MLIRTokenKind.BYTES_LIT:
            return token
        try:
            StringLiteral.from_span(token.span).bytes_contents.decode("utf-8")
        except UnicodeDecodeError:
            return token
        return MLIRToken(MLIRTokenKind.STRING_LIT, token.span)


class SmaltiParser(SourceParser):
    """xDSL's parser, with MLIR's hexadecimal floats; it notes in the location of each op where the op began."""

    def __init__(self, ctx: Context, source: SourceText) -> None:
        super().__init__(ctx, source)
        self.positions: dict[Operation, int] = {}
        """The offset at which each op of a listing began; kept here because many lines share one location."""
        self._first_uses: dict[str, Span[Any]] = {}
        self._after_op = 0
        """The offset of what follows the op that was read last."""
        self._lines = OpLines(self)

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        try:
            # Making the state reads the first token, which may already be wrong.
            self._parser_state = ParserState(SmaltiLexer(Input(self.source.text, self.source.file)))
            start = self.pos
            module = super().parse_module(allow_implicit_module)
            if not isinstance(module.location, ParsedLoc):
                # The text leaves the module out; it begins where its first op does.
                module.location = parsed(module.location, self.source, start)
            return module
        except ParseError as error:
            # xDSL reports undefined values only at the end of the text, without a place.
            undefined = [name for name in self.forward_ssa_references if name in self._first_uses]
            if undefined and error.msg.startswith("values used but not defined"):
                raise ParseError(
                    self._first_uses[undefined[0]], f"value %{undefined[0]} is used but not defined"
                ) from None
            raise

    def resolve_operand(
        self, operand: UnresolvedOperand, type: AttributeInvT
    ) -> SSAValue[AttributeInvT]:
        if operand.operand_name not in self.ssa_values:
            self._first_uses.setdefault(operand.operand_name, operand.span)
        return super().resolve_operand(operand, type)

    def _parse_location(self) -> LocationAttr:
        if self._current_token.text != "fused":
            return super()._parse_location()
        self._consume_token()
        metadata: Attribute = NoneAttr()
        if self.parse_optional_punctuation("<") is not None:
            metadata = self.parse_attribute()
            self.parse_punctuation(">", " after the metadata of a fused location")
        parts = self.parse_comma_separated_list(self.Delimiter.SQUARE, self._parse_location)
        return FusedLoc(tuple(parts), metadata)

    def _get_op_by_name(self, name: str) -> builtins.type[Operation]:
        found = self.ctx.get_optional_op(name, dialect_stack=self._parser_state.dialect_stack)
        if found is None:
            # The parser has already passed the name: it is the last occurrence before this position.
            at = self.lexer.input.content.rfind(name, 0, self.pos)
            self.raise_error(f"operation {name} is not registered", at, at + len(name))
        return found

    def parse_operation(self) -> Operation:
        position = self.pos
        op = self._lines.read(position) or super().parse_operation()
        op.location = parsed(op.location, self.source, position)
        self._after_op = self.pos
        return op

    def end_before(self, offset: int) -> int | None:
        """Return the offset behind the line that an error at `offset` is about: the line before it, if `offset` is
        where the parser stopped, at the begin of a line, and the op above is not complete. None if it is about what
        stands at `offset`.
        """
        text = self.source.text
        line = text.rfind("\n", 0, offset) + 1
        if offset != self.pos or offset == self._after_op or text[line:offset].strip():
            return None
        end = end_of_ir(text[:line])
        return None if end == 0 or text[end - 1] in "{}([<," else end

    def place_of(self, op: Operation) -> Place:
        """Return the place that a diagnostic about `op` points at."""
        offset = self.positions.get(op)
        return place_of(op) if offset is None else self.source.place(offset, op=op)

    def _parse_optional_integer_or_float_type(self) -> TypeAttribute | None:
        match = self._builtin_integer_type_regex.match(self._current_token.text)
        # The range of a type is computed with integers of its width, so the width must be limited first.
        if match is not None and (len(match[1]) > 4 or int(match[1]) > MAX_INTEGER_BITS):
            self.raise_error(f"integer types have at most {MAX_INTEGER_BITS} bits")
        return super()._parse_optional_integer_or_float_type()

    def _parse_dense_literal_type(self) -> Any:
        type = super()._parse_dense_literal_type()
        if prod(type.get_shape()) > MAX_DENSE_ELEMENTS:
            self.raise_error(
                f"a dense literal has at most {MAX_DENSE_ELEMENTS} elements: keep larger "
                "constants in the weight file"
            )
        return type

    def _parse_tensor_literal_element(self) -> AttrParser._TensorLiteralElement:
        element = super()._parse_tensor_literal_element()
        return _Literal(element.is_negative, element.value, element.span)

    def _parse_builtin_densearray_attr(self) -> DenseArrayBase | None:
        self.parse_characters("<", " in dense array")
        position = self.pos
        element = self.parse_attribute()
        if not isinstance(element, IntegerType | AnyFloat):
            self.raise_error(
                "dense array element type must be an integer or floating point type",
                position,
                self.pos,
            )
        values: list[Any] = []
        if self.parse_optional_punctuation(">") is None:
            self.parse_characters(":", " in dense array")
            values = self.parse_comma_separated_list(
                self.Delimiter.NONE, lambda: self._parse_array_element(element)
            )
            self.parse_characters(">", " in dense array")
        return DenseArrayBase.from_list(element, values)

    def _parse_array_element(self, element: Any) -> int | float:
        if isinstance(element, IntegerType):
            return self._parse_typed_integer(element, allow_boolean=True)
        return self.parse_real(element)

    def parse_real(self, type: Any) -> float:
        """Read a float literal, or the bits of a float of `type` in hexadecimal."""
        token = self._current_token
        if token.kind == MLIRTokenKind.INTEGER_LIT and _HEX_FLOAT.fullmatch(token.text):
            value = float_from_bits(token.text, type)
            if value is None:
                self.raise_error(f"hexadecimal float literal has too many bits for {type}")
            self._consume_token()
            return value
        return float(self.parse_number(context_msg=" in list of reals"))
