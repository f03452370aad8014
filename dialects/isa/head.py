"""Reads and writes the parts of the heads of programs and streams: numbers, names and strings."""

from __future__ import annotations

import re

from xdsl.parser import AttrParser, Parser

from .line import NAME, quoted


def parse_string(parser: AttrParser, context: str) -> str:
    """Read a string literal; xDSL's parser would return one with escapes beyond ASCII as bytes."""
    data = parser.parse_optional_bytes_literal()
    if data is None:
        return parser.parse_str_literal(context)
    try:
        return data.decode()
    except ValueError:
        parser.raise_error(f"expected UTF-8{context}")


def parse_number(parser: Parser, keyword: str) -> int:
    """Read `keyword(NUMBER)`."""
    parser.parse_keyword(keyword)
    with parser.in_parens():
        return parser.parse_integer(allow_boolean=False, allow_negative=False)


def parse_pairs(parser: Parser) -> list[tuple[str, int]]:
    """Read `(NAME = NUMBER, …)`."""

    def pair() -> tuple[str, int]:
        name = parser.parse_identifier_or_str_literal()
        parser.parse_punctuation("=")
        return name, parser.parse_integer(allow_boolean=False)

    return parser.parse_comma_separated_list(parser.Delimiter.PAREN, pair)


def name_text(name: str) -> str:
    """Return a name as it is if the grammar allows that, else in quotes."""
    return name if re.fullmatch(NAME, name) else quoted(name)
