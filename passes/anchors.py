"""Reads pipelines as MLIR writes them, nested in the ops that they run on: `builtin.module(a,b{x=1})`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..backends.diagnostics.diagnostic import DiagnosticError, Place

MODULE_ANCHORS = ("builtin.module", "any")
"""The ops in which a pipeline of Smalti's passes may be nested: every pass runs on a module."""

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*+"|[(){},]|[^(){},"]+|"')
_ANCHOR = re.compile(r"\s*([A-Za-z_][\w.$-]*)\s*\Z")


def is_anchored(text: str) -> bool:
    """Tell whether a pipeline's text begins with the name of an op to run on and a parenthesis."""
    head, parenthesis, _ = text.partition("(")
    return bool(parenthesis) and _ANCHOR.match(head) is not None


def without_anchors(text: str) -> str:
    """Return the passes of a pipeline without the ops that they are nested in: `builtin.module(a,b{x=1})` gives
    `a,b{x=1}`.

    Raises DiagnosticError if an op other than a module is named, or if parentheses do not match.
    """
    return ",".join(_items(text, text))


def _items(text: str, whole: str) -> Iterator[str]:
    """Return the items of a list of passes and nested lists, as one flat list; it is empty for an empty text."""
    if not text.strip():
        return
    for item in map(str.strip, _split(text, whole)):
        if not item:
            raise _error(whole, "a pass was expected on both sides of a comma")
        anchor, parenthesis, inner = item.partition("(")
        if not parenthesis or "{" in anchor or '"' in anchor:
            yield item
            continue
        name = anchor.strip()
        if not inner.rstrip().endswith(")"):
            raise _error(whole, f"after '{name}(...)' a comma or the end was expected")
        if name not in MODULE_ANCHORS:
            raise DiagnosticError(
                f"passes run on builtin.module, not on '{name}'",
                Place(name=f"pipeline '{whole}'"),
                hint="write builtin.module(a,b{x=1})",
            )
        yield from _items(inner.rstrip()[:-1], whole)


def _split(text: str, whole: str) -> Iterator[str]:
    """Return the parts of the text, split at the commas that stand outside parentheses and braces."""
    open_marks: list[str] = []
    item = ""
    for token in _TOKEN.findall(text):
        if token in "({":
            open_marks.append(token)
        elif token in ")}":
            if not open_marks or open_marks.pop() + token not in ("()", "{}"):
                raise _error(whole, f"'{token}' closes nothing")
        elif token == "," and not open_marks:
            yield item
            item = ""
            continue
        item += token
    if open_marks:
        raise _error(whole, f"'{open_marks[-1]}' is not closed")
    yield item


def _error(whole: str, note: str) -> DiagnosticError:
    return DiagnosticError(
        "the pipeline does not parse",
        Place(name=f"pipeline '{whole}'"),
        notes=[note],
        hint="write passes as a,b{option=1 other=x}, or builtin.module(a,b{option=1})",
    )
