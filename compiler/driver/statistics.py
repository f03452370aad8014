"""Reports what the passes of a pipeline counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...passes.instrument import PassInstrument
from ...passes.smalti_pass import SmaltiPass
from .heading import heading


class PassStatistics(PassInstrument):
    """Gathers what the passes of all pipelines count: everything that a pass declares, also numbers that are 0."""

    def __init__(self) -> None:
        self._passes: dict[int, ModulePass] = {}

    def enter(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        # A pass that runs over several modules counts on: it is reported once.
        self._passes.update((id(each), each) for each in passes)

    def report(self, format: str) -> str:
        """Return the numbers, as "text" in MLIR's form or as "json"."""
        if format == "json":
            return json.dumps([_as_json(each) for each in self._passes.values()], indent=2) + "\n"
        lines = [*heading("Pass statistics report"), "'builtin.module' Pipeline"]
        for each in self._passes.values():
            lines += [f"  {each.name}", *_lines(*_numbers(each))]
        return "\n".join(lines) + "\n"


def _numbers(each: ModulePass) -> tuple[dict[str, int], Mapping[str, str]]:
    """Return what a pass counted, and what each number means."""
    if not isinstance(each, SmaltiPass):
        return {}, {}
    return {**dict.fromkeys(each.counts, 0), **each.statistics}, each.counts


def _as_json(each: ModulePass) -> dict[str, Any]:
    return {"pass": each.name, "statistics": _numbers(each)[0]}


def _lines(numbers: Mapping[str, int], declared: Mapping[str, str]) -> list[str]:
    width = max((len(f"{number:,}") for number in numbers.values()), default=0)
    return [
        f"    (S) {number:>{width},} {name} - {declared.get(name, '')}".rstrip(" -")
        for name, number in numbers.items()
    ]
