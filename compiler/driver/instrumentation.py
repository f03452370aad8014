"""What a user can ask to see of a pipeline while it runs, and the instruments that show it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ...dialects.ir.text.module_text import PrintOptions, print_module
from ...passes.instrument import PassInstrument
from ...passes.registry import get_pass
from .crash_reproducer import CrashReproducer, ReproducerWriter
from .ir_difference import IrDifference
from .ir_printing import BannerSink, FolderSink, IrPrinting, PrintPoints
from .plan_tracing import PlanTracing, check_planned
from .provenance import Provenance
from .rewrite_limit import RewriteLimit
from .rewrite_log import RewriteLog
from .statistics import PassStatistics
from .timing import PassTiming, Stopwatch, TimingDisplay

ReportFormat = Literal["text", "json"]
_NONE: Mapping[Operation, str] = MappingProxyType({})


@dataclass(frozen=True)
class PrintStyle:
    """How to print IR: in MLIR's generic form, with locations (for people if `pretty_debug_info`), without aliases,
    without constants of more than `elide_above` elements, no two values with one name, the users of values beside them.
    """

    generic: bool = False
    debug_info: bool = False
    local_scope: bool = False
    elide_above: int | None = None
    pretty_debug_info: bool = False
    unique_ids: bool = False
    users: bool = False

    def text_of(self, module: ModuleOp, comments: Mapping[Operation, str] = _NONE) -> str:
        """Return the module as text, with a newline at its end; `comments` follow their ops."""
        options = self.options()
        options["comments"] = comments
        return print_module(module, debug_info=self.debug_info, **options)

    def options(self) -> PrintOptions:
        """Return the style as `print_module` and `write_module` take it."""
        return {
            "generic": self.generic,
            "positions": self.debug_info,
            "aliases": not self.local_scope,
            "elide_above": self.elide_above,
            "pretty": self.pretty_debug_info,
            "unique_ids": self.unique_ids,
            "users": self.users,
        }


@dataclass(frozen=True)
class Instrumentation:
    """What to show. Reports go to standard error, or to the files named.

    `verify_numerics`: an .npz of inputs, or "random:SEED"; every pass must leave what the IR computes on them as it
    is. `provenance`: an ONNX node to follow. `explain_plan`: layers, or ONNX nodes, whose schedules are to be
    explained; `plan_trace`: the file for all decisions about schedules.
    """

    style: PrintStyle = field(default_factory=PrintStyle)
    points: PrintPoints = field(default_factory=PrintPoints)
    tree_dir: Path | None = None
    difference: bool = False
    timing: bool = False
    statistics: bool = False
    report_format: ReportFormat = "text"
    timing_display: TimingDisplay = "tree"
    crash_reproducer: Path | None = None
    reproducer: Path | None = None
    rewrite_log: Path | None = None
    rewrite_limit: int | None = None
    verify_each: bool = True
    verify_numerics: str | None = None
    provenance: str | None = None
    explain_plan: tuple[str, ...] = ()
    plan_trace: Path | None = None
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    gathered: PassStatistics = field(default_factory=PassStatistics)

    def instruments(self) -> list[PassInstrument]:
        """Return the instruments.

        Timing comes last, so that it does not count what the others take. Raises DiagnosticError if a pass to print
        around is not known.
        """
        made: list[PassInstrument] = []
        if self.crash_reproducer is not None:
            made.append(
                CrashReproducer(self.crash_reproducer, sys.stderr, verify_each=self.verify_each)
            )
        if self.reproducer is not None:
            made.append(ReproducerWriter(self.reproducer, verify_each=self.verify_each))
        made += self._printing()
        if self.rewrite_log is not None:
            made.append(RewriteLog(self.rewrite_log))
        if self.rewrite_limit is not None:
            made.append(RewriteLimit(self.rewrite_limit))
        if self.difference:
            made.append(IrDifference(self.style.text_of, sys.stderr))
        if self.provenance is not None:
            made.append(Provenance(self.provenance, sys.stderr))
        if self.explain_plan or self.plan_trace is not None:
            made.append(PlanTracing(self.explain_plan, self.plan_trace, sys.stderr))
        if self.verify_numerics is not None:
            from ..debugging.numerics_verification import NumericsVerifier

            made.append(NumericsVerifier(self.verify_numerics))
        if self.statistics:
            made.append(self.gathered)
        if self.timing:
            made.append(PassTiming(self.stopwatch))
        return made

    def _printing(self) -> list[PassInstrument]:
        points = self.points
        for name in (*points.before, *points.after):
            get_pass(name)
        if self.tree_dir is not None:
            if not points.any():
                points = PrintPoints(after_all=True)
            return [IrPrinting(points, self.style.text_of, FolderSink(self.tree_dir))]
        if not points.any():
            return []
        return [IrPrinting(points, self.style.text_of, BannerSink(sys.stderr))]

    def check(self, passes: Sequence[ModulePass]) -> None:
        """Raise DiagnosticError if these are all the passes that run, and something that is asked for needs others."""
        if self.explain_plan or self.plan_trace is not None:
            check_planned(passes)

    def report(self) -> None:
        """Write at the end what the passes counted and how long they took, if the user asked for it."""
        sys.stdout.flush()
        if self.statistics:
            sys.stderr.write(self.gathered.report(self.report_format))
        if self.timing:
            sys.stderr.write(self.stopwatch.report(self.report_format, self.timing_display))
