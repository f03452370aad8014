"""Shows what each pass changed in the IR, as a unified diff."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TextIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...passes.instrument import PassInstrument
from .ir_printing import ModuleText

_COLORS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
_PLAIN = "\x1b[0m"


class IrDifference(PassInstrument):
    """Writes to `stream` what each pass changed as a unified diff, colored if `stream` is a terminal."""

    def __init__(self, text_of: ModuleText, stream: TextIO) -> None:
        self.text_of, self.stream = text_of, stream
        self._text = ""

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        self._text = ""

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        self._text = self._text or self.text_of(module)

    def after(self, each: ModulePass, module: ModuleOp) -> None:
        old, self._text = self._text, self.text_of(module)
        if old == self._text:
            self.stream.write(f"pass {each.name}: no change\n")
            return
        names = f"before {each.name}", f"after {each.name}"
        lines = difflib.unified_diff(old.splitlines(), self._text.splitlines(), *names, lineterm="")
        self.stream.writelines(f"{self._colored(line)}\n" for line in lines)

    def _colored(self, line: str) -> str:
        color = _COLORS.get(line[:1]) if self.stream.isatty() else None
        return f"{color}{line}{_PLAIN}" if color else line
