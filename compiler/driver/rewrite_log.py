"""Writes every rewrite as a line of JSON: those by patterns, and those by passes that build new IR."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ...backends.diagnostics.files import open_directly
from ...backends.diagnostics.system_errors import cannot_write
from ...dialects.ir.location import ParsedLoc, names_of
from ...dialects.ir.text.printer import SmaltiPrinter
from ...passes.instrument import PassInstrument
from ...passes.rewrite_observer import observing


class RewriteLog(PassInstrument):
    """Writes `{"number", "pass", "pattern", "before", "after"}` to `path` for each rewrite.

    `before` lists the ops that the rewrite took away, `after` those that it made, each as `{"op": text, "location":
    text}`; an op that was changed in place is in both. A pass that applies no patterns has a line for each ONNX node
    whose ops it replaced (for each result, where no node is known), with `pattern` null.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: BinaryIO | None = None
        self._pass = ""
        self._number = 0
        self._stack = ExitStack()
        self._visited: tuple[Operation, dict[str, str]] | None = None
        self._removed: list[tuple[Operation, dict[str, str]]] = []
        self._ops: dict[str, list[dict[str, str]]] = {}
        self._first = 0

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        try:
            # The file of this run, whatever stood there; further pipelines of the run go on in it.
            self._stream = open_directly(self.path, "a" if self._number else "w")
        except OSError as error:
            raise cannot_write(self.path, error) from None
        self._stack.enter_context(self._stream)
        self._stack.enter_context(observing(self))

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        self._pass = each.name
        self._ops = _by_origin(module)
        self._first = self._number

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        if self._number > self._first:
            return
        found = _by_origin(module)
        for origin in dict.fromkeys([*self._ops, *found]):
            before, after = self._ops.get(origin, []), found.get(origin, [])
            if before != after:
                self._write(None, before, after)

    def leave(self, module: ModuleOp, error: BaseException | None) -> None:
        try:
            self._stack.close()
        except OSError as failure:
            raise cannot_write(self.path, failure) from None

    def visited(self, op: Operation) -> None:
        self._visited = op, _shown(op)
        self._removed.clear()

    def removed(self, op: Operation) -> None:
        known = self._visited is not None and op is self._visited[0]
        self._removed.append((op, self._visited[1] if known and self._visited else _shown(op)))

    def rewritten(self, pattern: str, op: Operation, made: Sequence[Operation]) -> None:
        assert self._visited is not None
        # Patterns replace an op first and erase its producers after.
        before = [text for _, text in reversed(self._removed)]
        after = [_shown(each) for each in made]
        if op not in {each for each, _ in self._removed}:
            before.append(self._visited[1])
            after.append(_shown(op))
        self._write(pattern, before, after)

    def _write(
        self, pattern: str | None, before: list[dict[str, str]], after: list[dict[str, str]]
    ) -> None:
        assert self._stream is not None
        self._number += 1
        line = {"number": self._number, "pass": self._pass, "pattern": pattern}
        text = json.dumps({**line, "before": before, "after": after}) + "\n"
        try:
            self._stream.write(text.encode())
        except OSError as error:
            raise cannot_write(self.path, error) from None


def _by_origin(module: ModuleOp) -> dict[str, list[dict[str, str]]]:
    """Return the ops of a module by the ONNX nodes that they stem from, or by their names if they have none."""
    found: dict[str, list[dict[str, str]]] = {}
    for op in module.walk():
        if not op.regions:
            name = op.properties.get("name")
            own = name.data if isinstance(name, StringAttr) else op.name
            found.setdefault(", ".join(names_of(op.location)) or own, []).append(_shown(op))
    return found


def _shown(op: Operation) -> dict[str, str]:
    """Return an op's text on one line, without the contents of its regions, and its location."""
    stream = io.StringIO()
    printer = SmaltiPrinter(stream)
    if op.regions:
        stream.write(op.name)
    else:
        printer.print_op(op)
    location = op.location.in_full() if isinstance(op.location, ParsedLoc) else op.location
    return {"op": " ".join(stream.getvalue().split()), "location": str(location)}
