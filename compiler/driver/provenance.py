"""Follows one ONNX node through the levels: which ops, tiles and instructions came from it."""

from __future__ import annotations

import difflib
import io
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects import isa, tile
from ...dialects.ir.location import names_of
from ...dialects.ir.text.printer import SmaltiPrinter
from ...dialects.isa.line import line_format
from ...passes.instrument import PassInstrument
from ..compilation.pipelines import level_of

_SHOWN = 12
_WIDTH = 120


class Provenance(PassInstrument):
    """Writes, at the end of the pipeline, what stems from a node at each level that was passed.

    It shows a level as it was when the pipeline left it, or at the end. A pipeline that goes on where the last one
    ended does not show that level again.
    """

    def __init__(self, node: str, stream: TextIO) -> None:
        self.node = node
        self.stream = stream
        self._found: dict[str, list[Operation]] = {}
        self._texts: dict[str, list[str]] = {}
        self._last = ""

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        self._found.clear()
        self._texts.clear()
        if not _ops_of(module, self.node):
            known = {name for op in module.walk() for name in names_of(op.location)}
            near = difflib.get_close_matches(self.node, known, n=3, cutoff=0.3)
            raise DiagnosticError(
                f"no op stems from the node '{self.node}'",
                hint=f"did you mean {' or '.join(near)}?" if near else "the IR names no such node",
            )
        self._note(module)

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        self._note(module)

    def leave(self, module: ModuleOp, error: BaseException | None) -> None:
        for level, texts in self._texts.items():
            section = _section(self.node, level, self._found[level], texts)
            if section != self._last:
                self.stream.write(section)
            self._last = section

    def _note(self, module: ModuleOp) -> None:
        level = level_of(module)
        ops = _ops_of(module, self.node)
        self._found[level] = ops
        self._texts[level] = [_text(op) for op in ops[:_SHOWN]]


def _ops_of(module: ModuleOp, node: str) -> list[Operation]:
    """Return the ops of a module that stem from a node; the bodies of layers count as their layer."""
    return [
        op
        for op in module.walk()
        if node in names_of(op.location) and not isinstance(op.parent_op(), tile.LayerOp)
    ]


def _text(op: Operation) -> str:
    """Return the op in one line, without its types."""
    if isinstance(op, isa.InstructionOp):
        text = line_format(op.instruction).write(op.line())
    elif isinstance(op, tile.LayerOp):
        first = op.body.block.first_op
        text = f"tile.layer {{ {'' if first is None else _text(first)} }}"
    else:
        stream = io.StringIO()
        SmaltiPrinter(stream, print_debuginfo=False).print_op(op)
        text = stream.getvalue().splitlines()[0].rpartition(" : ")[0] or stream.getvalue()
        text = text.partition(" : (")[0]
    stream_op = op.parent_op()
    if isinstance(stream_op, isa.StreamOp):
        text = f"core {stream_op.core.value.data}  {text}"
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _section(node: str, level: str, ops: Sequence[Operation], texts: Sequence[str]) -> str:
    """Return the lines about a level."""
    kinds = Counter(_kind(op) for op in ops)
    listed = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    lines = [f"=== '{node}' at level {level}: {listed or 'nothing'} ==="]
    lines += [f"  {text}" for text in texts]
    if len(ops) > len(texts):
        lines.append(f"  … {len(ops) - len(texts)} more")
    return "\n".join(lines) + "\n"


def _kind(op: Operation) -> str:
    return op.instruction.mnemonic if isinstance(op, isa.InstructionOp) else op.name
