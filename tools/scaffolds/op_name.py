"""Checks the name of a new op, and makes of it the names that its files have in them."""

from __future__ import annotations

import re

from .pass_sample import class_of

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9]*(_[a-z0-9]+)*")


def words_of_op(op: str) -> dict[str, str]:
    """Return the parts of the name of an op, mine.hard_gate: `dialect` and `stem`, the name `cls` of its class and of
    its ONNX node, the node's `domain`, and the `constant` that holds the dialect.

    Raises DiagnosticError if the name is not that of an op, or Smalti has a dialect of that name.
    """
    from ...backends.diagnostics.diagnostic import DiagnosticError
    from ...dialects.context import DIALECTS

    if not _NAME.fullmatch(op):
        raise DiagnosticError(
            f"'{op}' is no name for an op",
            hint="a dialect of your own, a dot, small letters and underscores: mine.hard_gate",
        )
    dialect, _, stem = op.partition(".")
    if dialect in DIALECTS:
        raise DiagnosticError(
            f"there is a dialect '{dialect}' already",
            hint=f"choose another name before the dot: my_{dialect}.{stem}",
        )
    return {
        "op": op,
        "dialect": dialect,
        "stem": stem,
        "cls": class_of(stem),
        "domain": f"com.{dialect}",
        "constant": dialect.upper(),
    }
