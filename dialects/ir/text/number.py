"""Real numbers as text, the way MLIR writes and reads them."""

from __future__ import annotations

import math

from xdsl.dialects.builtin import f64
from xdsl.parser import AttrParser
from xdsl.utils.mlir_lexer import MLIRTokenKind


def real_text(value: float) -> str:
    """Return a finite real as the float literal that MLIR's quant types print: with six decimals where these are exact,
    else with 17 digits.
    """
    text = f"{value:.6e}"
    if float(text) == value:
        return text
    text = f"{value:.17g}"
    if "." in text:
        return text
    return text.replace("e", ".0e") if "e" in text else f"{text}.0"


def real_literal(value: float) -> str:
    """Return a real as short text: a float literal, or the bits of the f64 if it is infinite or not a number."""
    if math.isfinite(value):
        short = repr(value)
        return short if "." in short and "e" not in short else real_text(value)
    return f"0x{f64.pack((value,))[::-1].hex().upper()}"


def parse_real_literal(parser: AttrParser) -> float:
    """Read a float or integer literal; a hexadecimal integer gives the bits of an f64."""
    token = parser._current_token
    if token.kind == MLIRTokenKind.INTEGER_LIT and token.text[:2] in ("0x", "0X"):
        bits = parser.parse_integer(allow_boolean=False, allow_negative=False)
        if bits >= 1 << 64:
            parser.raise_error("hexadecimal float literal has more than 64 bits", token.span)
        return f64.unpack(bits.to_bytes(8, "little"), 1)[0]
    return float(parser.parse_number())
