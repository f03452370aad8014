"""Reads the text of a calibration table, Smalti's or TPU-MLIR's, and tells mistakes with line and column.

lark is imported only when a table is read, because it takes long to load.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import read_bytes
from .calibration_table import CalibrationTable, Row

if TYPE_CHECKING:
    from lark import Lark, Token, Tree
    from lark.exceptions import UnexpectedInput

# A name is whatever stands first in a line: the lexer looks for one only there, so that a name may look like a number.
_GRAMMAR = r"""
start: _LINE* rows (four_bits | asymmetric)* other?
rows: (row _LINE+)*
four_bits: FOUR_BITS _LINE+ (row _LINE+)*
asymmetric: ASYMMETRIC _LINE+ (NAME _LINE+)*
other: OTHER
row: NAME NUMBER NUMBER NUMBER METHOD?
FOUR_BITS.2: /#int4_th[^\n]*/
ASYMMETRIC.2: /#asym_op[^\n]*/
OTHER.2: /#(weight_scale|int4_op|tpu-mlir-fp8|mqbench-fp8)(.|\n)*/
NAME: /"(?:[^"\\\n]|\\[^\n])*"|[^\s"#]\S*/
METHOD: /[^\s"#]\S*/
NUMBER: /[-+]?(?:inf|nan|[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][-+]?[0-9]{1,4})?(?!\S)/i
COMMENT: /#[^\n]*/
_LINE: /\r?\n/
BLANK: /[ \t\f]+/
%ignore COMMENT
%ignore BLANK
"""
_DESCRIPTIONS = {
    "NAME": "the name of a tensor",
    "NUMBER": "a number",
    "METHOD": "a method",
    "_LINE": "the end of the line",
    "$END": "the end of the table",
}
TABLE_LIMIT_BYTES = 256 << 20
"""The greatest size of a table: 256 MiB."""
_SHOWN = 40
"""The most characters of a wrong word that a message shows."""


def read_table(path: str | Path) -> CalibrationTable:
    """Return a calibration table; its comments are dropped.

    Raises:
        DiagnosticError: if there is no such file, or if it is not a calibration table.
    """
    hint = "`smalti compile` and `smalti calibrate` write tables: NAME THRESHOLD MIN MAX METHOD in a line"
    content = read_bytes(path, "the calibration table", TABLE_LIMIT_BYTES, hint)
    try:
        return parse_table(content.decode("utf-8"), str(path))
    except UnicodeDecodeError as error:
        message = f"not a calibration table: byte {error.start} is not UTF-8"
        raise DiagnosticError(message, Place(file=str(path)), hint=hint) from None


def parse_table(text: str, file: str) -> CalibrationTable:
    """Return the table that a text describes. Raises DiagnosticError, with a line of `file`, for what is wrong."""
    from lark import Tree
    from lark.exceptions import UnexpectedInput

    reader = _Reader(file, text.split("\n"))
    try:
        tree = _parser().parse(text if text.endswith("\n") else text + "\n")
    except UnexpectedInput as error:
        raise reader.syntax_error(error) from None
    rows, four_bits, asymmetric = {}, {}, frozenset()
    for section in tree.children:
        assert isinstance(section, Tree)
        match section.data:
            case "rows":
                rows = reader.rows(section)
            case "four_bits":
                four_bits = reader.rows(section)
            case "asymmetric":
                asymmetric = frozenset(reader.name(each) for each in _tokens(section)[1:])
            case _:
                token = _tokens(section)[0]
                raise reader.error(
                    token,
                    f"section '{token.split()[0]}' is not read",
                    "delete it: Smalti finds the scales of weights itself, and which layers have 4 bits or 8-bit "
                    "floats is said by options",
                )
    return CalibrationTable(rows, (), four_bits, asymmetric)


@cache
def _parser() -> Lark:
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", propagate_positions=False)


class _Reader:
    """Makes rows of syntax trees; `lines` are those of the text, for what errors show."""

    def __init__(self, file: str, lines: list[str]) -> None:
        self.file = file
        self.lines = lines

    def rows(self, section: Tree[Token]) -> dict[str, Row]:
        """Return the rows of a section by name. Raises DiagnosticError if a name stands twice or a row is wrong."""
        rows: dict[str, Row] = {}
        places: dict[str, Token] = {}
        for child in section.iter_subtrees_topdown():
            if child is section:
                continue
            tokens = _tokens(child)
            name = self.name(tokens[0])
            if name in rows:
                raise self.error(
                    tokens[0],
                    f"'{name}' is there twice, first in line {places[name].line}",
                    "delete one of the rows",
                )
            rows[name], places[name] = self._row(name, tokens), tokens[0]
        return rows

    def _row(self, name: str, tokens: list[Token]) -> Row:
        threshold, low, high = (self._number(token) for token in tokens[1:4])
        if threshold < 0:
            raise self.error(
                tokens[1],
                f"the threshold of '{name}' is negative",
                "give the magnitude, at least 0",
            )
        if low > high:
            raise self.error(
                tokens[2],
                f"the range of '{name}' is upside down: its min is {low:g}, its max {high:g}",
                "swap them",
            )
        return Row(threshold, low, high, str(tokens[4]) if len(tokens) > 4 else "")

    def _number(self, token: Token) -> float:
        value = float(token)
        if not math.isfinite(value):
            raise self.error(
                token,
                f"{token[:_SHOWN]} is not finite",
                "give a number that 64-bit floats hold",
            )
        return value

    def name(self, token: Token) -> str:
        """Return the name that a token stands for. Raises DiagnosticError if it is no JSON string in its quotes."""
        if not token.startswith('"'):
            return str(token)
        try:
            return json.loads(token)
        except json.JSONDecodeError as error:
            raise self.error(
                token, f"not a name: {error.msg}", "write it as a JSON string"
            ) from None

    def error(self, token: Token, message: str, hint: str) -> DiagnosticError:
        """Return the error about a token."""
        return DiagnosticError(message, self._place(token.line, token.column), hint=hint)

    def syntax_error(self, error: UnexpectedInput) -> DiagnosticError:
        """Return a mistake of syntax in words: what stands there, and what was expected."""
        from lark.exceptions import UnexpectedCharacters, UnexpectedToken

        expected: set[str] = set()
        if isinstance(error, UnexpectedToken):
            expected = set(error.accepts or error.expected)
        elif isinstance(error, UnexpectedCharacters):
            expected = set(error.allowed or ())
        words = [text for name, text in _DESCRIPTIONS.items() if name in expected]
        line, column = max(error.line, 1), max(error.column, 1)
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        rest = text[column - 1 :].split(maxsplit=1)
        found = f"unexpected '{rest[0][:_SHOWN]}'" if rest else "the line ends too early"
        message = f"{found}, expected {' or '.join(words)}" if words else found
        return DiagnosticError(
            message,
            self._place(line, column),
            hint="a row is NAME THRESHOLD MIN MAX METHOD; the method may be left out, # begins a comment",
        )

    def _place(self, line: int | None, column: int | None) -> Place:
        source = self.lines[line - 1] if line and line <= len(self.lines) else None
        return Place(file=self.file, line=line, column=column, source=source)


def _tokens(tree: Tree[Token]) -> list[Token]:
    from lark import Token

    return [each for each in tree.children if isinstance(each, Token)]
