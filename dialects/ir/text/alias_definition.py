"""Moves definitions of aliases to the front of a text: they may stand anywhere in it, and mlir-opt prints those of
locations at the end.
"""

from __future__ import annotations

import re

from ..source_text import Piece, SourceText

_ALIAS = re.compile(r"^([#!][A-Za-z_][\w$.\-]*)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_ALIAS_USE = re.compile(r'"(?:\\.|[^"\\])*"|([#!][A-Za-z_][\w$.\-]*)')


def hoist_aliases(source: SourceText) -> SourceText:
    """Return a text with its alias definitions (`#name = ...` lines) moved to a new first line, each after those that
    it uses; every other character keeps its line and column.

    A text that defines only aliases of types is left as it is: they already stand before their uses.
    """
    definitions = list(_ALIAS.finditer(source.text))
    found = {match[1]: match for match in definitions}
    if not any(name.startswith("#") for name in found) or len(found) != len(definitions):
        # There is nothing to move, or an alias is defined twice, which the parser reports.
        return source
    head = ""
    pieces: list[Piece] = []
    for name in _in_order(found):
        match = found[name]
        pieces.append(Piece(len(head), match.start(1)))
        head += f"{name} = "
        pieces.append(Piece(len(head), match.start(2)))
        head += f"{match[2]} "
    return source.with_line_in_front(head, _ALIAS.sub("", source.text), pieces)


def _in_order(found: dict[str, re.Match[str]]) -> list[str]:
    """Return the names of the definitions, each after the names that it uses."""
    ordered: dict[str, None] = {}
    pending: list[tuple[str, bool]] = [(name, False) for name in reversed(found)]
    open_names: set[str] = set()
    while pending:
        name, done = pending.pop()
        if done:
            ordered[name] = None
            continue
        if name in ordered or name in open_names:
            continue
        open_names.add(name)
        pending.append((name, True))
        uses = (use[1] for use in _ALIAS_USE.finditer(found[name][2]))
        pending += [(use, False) for use in uses if use in found and use not in open_names]
    return list(ordered)
