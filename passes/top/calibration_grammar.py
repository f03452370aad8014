"""Reads calibration tables, Smalti's and TPU-MLIR's."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ..table_text import SHOWN, TERMINALS, TableText, read_table_text, tokens_of
from .calibration_table import CalibrationTable, Row

if TYPE_CHECKING:
    from lark import Token, Tree

_GRAMMAR = (
    r"""
start: _LINE* rows (four_bits | asymmetric)* other?
rows: (row _LINE+)*
four_bits: FOUR_BITS _LINE+ (row _LINE+)*
asymmetric: ASYMMETRIC _LINE+ (NAME _LINE+)*
other: OTHER
row: NAME NUMBER NUMBER NUMBER METHOD?
FOUR_BITS.2: /#int4_th[^\n]*/
ASYMMETRIC.2: /#asym_op[^\n]*/
OTHER.2: /#(weight_scale|int4_op|tpu-mlir-fp8|mqbench-fp8)(.|\n)*/
METHOD: /[^\s"#]\S*/
NUMBER: /[-+]?(?:inf|nan|[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][-+]?[0-9]{1,4})?(?!\S)/i
"""
    + TERMINALS
)
_WORDS = {"NAME": "the name of a tensor", "NUMBER": "a number", "METHOD": "a method"}
_HINT = "a row is NAME THRESHOLD MIN MAX METHOD; the method may be left out, # begins a comment"


def read_table(path: str | Path) -> CalibrationTable:
    """Return a calibration table; its comments are dropped.

    Raises:
        DiagnosticError: if there is no such file, or if it is not a calibration table, or one without a row.
    """
    hint = "`smalti compile` and `smalti calibrate` write tables: NAME THRESHOLD MIN MAX METHOD in a line"
    if Path(path).is_dir():
        raise DiagnosticError(
            "this is a folder, and no calibration table",
            Place(file=str(path)),
            hint=f"of images in it, `smalti calibrate MODEL --data {path} -o m.calibration` makes a table",
        )
    table = parse_table(read_table_text(path, "the calibration table", hint), str(path))
    if not table.rows:
        raise DiagnosticError("the calibration table has no row", Place(file=str(path)), hint=hint)
    return table


def parse_table(text: str, file: str) -> CalibrationTable:
    """Return the table that a text describes. Raises DiagnosticError, with a line of `file`, for what is wrong."""
    from lark import Tree

    table = TableText(text, file, _GRAMMAR, _WORDS, _HINT)
    rows, four_bits, asymmetric = {}, {}, frozenset()
    seen: set[str] = set()
    for section in table.tree.children:
        assert isinstance(section, Tree)
        if section.data in seen:
            token = tokens_of(section)[0]
            raise table.error(token, f"section '{token.split()[0]}' is there twice", "join them")
        seen.add(section.data)
        match section.data:
            case "rows":
                rows = _rows(table, section)
            case "four_bits":
                four_bits = _rows(table, section)
            case "asymmetric":
                asymmetric = frozenset(table.name(each) for each in tokens_of(section)[1:])
            case _:
                token = tokens_of(section)[0]
                raise table.error(
                    token,
                    f"section '{token.split()[0]}' is not read",
                    "delete it: Smalti finds the scales of weights itself, and which layers have 4 bits or 8-bit "
                    "floats is said by options",
                )
    return CalibrationTable(rows, (), four_bits, asymmetric)


def _rows(table: TableText, section: Tree[Token]) -> dict[str, Row]:
    """Return the rows of a section by name. Raises DiagnosticError if a name stands twice or a row is wrong."""
    rows: dict[str, Row] = {}
    places: dict[str, Token] = {}
    for child in section.find_data("row"):
        tokens = tokens_of(child)
        name = table.name(tokens[0])
        if name in rows:
            raise table.error(
                tokens[0],
                f"'{name}' is there twice, first in line {places[name].line}",
                "delete one of the rows",
            )
        rows[name], places[name] = _row(table, name, tokens), tokens[0]
    return rows


def _row(table: TableText, name: str, tokens: list[Token]) -> Row:
    threshold, low, high = (_number(table, token) for token in tokens[1:4])
    if threshold < 0:
        raise table.error(
            tokens[1], f"the threshold of '{name}' is negative", "give the magnitude, at least 0"
        )
    if low > high:
        raise table.error(
            tokens[2],
            f"the range of '{name}' is upside down: its min is {low:g}, its max {high:g}",
            "swap them",
        )
    return Row(threshold, low, high, str(tokens[4]) if len(tokens) > 4 else "")


def _number(table: TableText, token: Token) -> float:
    value = float(token)
    if not math.isfinite(value):
        raise table.error(
            token, f"{token[:SHOWN]} is not finite", "give a number that 64-bit floats hold"
        )
    return value
