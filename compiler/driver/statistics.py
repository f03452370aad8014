"""What the passes of a pipeline counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TextIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...passes.instrument import PassInstrument
from ...passes.smalti_pass import SmaltiPass

_RULE = f"==={'-' * 73}==="


class PassStatistics(PassInstrument):
    """Writes at the end of a pipeline what each of its passes declares to count, in MLIR's form."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._passes: Sequence[ModulePass] = ()

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        self._passes = passes

    def leave(self, module: ModuleOp, error: BaseException | None) -> None:
        lines = [_RULE, "... Pass statistics report ...".center(80).rstrip(), _RULE]
        lines.append("'builtin.module' Pipeline")
        for each in self._passes:
            lines.append(f"  {each.name}")
            if isinstance(each, SmaltiPass):
                lines += _lines(each.statistics, each.counts)
        self.stream.write("\n".join(lines) + "\n")


def _lines(statistics: Mapping[str, int], declared: Mapping[str, str]) -> list[str]:
    numbers = {**dict.fromkeys(declared, 0), **statistics}
    width = max((len(f"{number:,}") for number in numbers.values()), default=0)
    return [
        f"    (S) {number:>{width},} {name} - {declared.get(name, '')}".rstrip(" -")
        for name, number in numbers.items()
    ]
