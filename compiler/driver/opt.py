"""`smalti-opt` without its command line: reads text as IR, runs passes over it, prints it, part by part."""

from __future__ import annotations

import os
import stat
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place, as_diagnostic
from ...backends.diagnostics.progress import Progress, silent
from ...dialects.context import make_context
from ...dialects.ir.context import SmaltiContext, print_diagnostic
from ...dialects.ir.text.module_text import (
    carry_weights,
    parse_module,
    save_changed_weights,
    weights_left_out,
    write_module,
    write_text,
)
from ...dialects.ir.weights import keys_used
from ...passes.instrument import PassInstrument
from ...passes.pipeline import run_pipeline
from ...passes.registry import parse_pipeline, print_pipeline
from ..compilation.pass_progress import PassProgress
from .crash_reproducer import read_reproducer
from .expected_diagnostics import read_expectations, unmatched
from .instrumentation import Instrumentation
from .round_trip import verify_round_trip
from .split_input import MARKER, Chunk, split_input


@dataclass(frozen=True)
class OptOptions:
    """What `smalti-opt` does with a text.

    `pipeline`: passes as text, or None to take it from the reproducer that the input is. `output`: an IR file, with
    its weights beside it, or None for standard output: changed weights then go to `weights_out`, or with the text,
    unless `shown` says that a person looks at it. `dump_pipeline` writes the pipeline with all its options, and
    `debug` tracebacks, to standard error; `cost` writes its cost beside each op. `split_input`: the marker between
    the parts of the text, None if it is one part; `output_marker` is written between what becomes of them. `progress`
    opens what shows the progress of the passes over a part.
    """

    pipeline: str | None = ""
    dump_pipeline: bool = False
    output: Path | None = None
    weights_out: Path | None = None
    shown: bool = False
    split_input: str | None = None
    output_marker: str = MARKER
    verify_diagnostics: bool = False
    verify_round_trip: bool = False
    allow_unregistered: bool = False
    debug: bool = False
    cost: bool = False
    instrumentation: Instrumentation = field(default_factory=Instrumentation)
    progress: Callable[[], AbstractContextManager[Progress]] = lambda: nullcontext(silent)


class OptDriver:
    """Runs the passes over one text; errors of a part go to standard error, and the other parts go on."""

    def __init__(self, options: OptOptions) -> None:
        self.options = options
        self.instrumentation = options.instrumentation
        self._stopwatch = options.instrumentation.stopwatch
        self._verify_each = options.instrumentation.verify_each
        self._failed = False

    def run(self, text: str, file: str) -> bool:
        """Handle all of `text`, which messages call `file`, and return whether all was well.

        Raises DiagnosticError if the pipeline or the options are wrong, before it runs anything.
        """
        passes = parse_pipeline(self._pipeline(text, file))
        if self.options.dump_pipeline:
            shown = print_pipeline(passes, defaults=True)
            sys.stderr.write(f"Pass pipeline of {len(passes)} passes:\nbuiltin.module({shown})\n")
        self.instrumentation.check(passes)
        instruments = self.instrumentation.instruments()
        chunks = (
            [Chunk(text, 1)]
            if self.options.split_input is None
            else split_input(text, self.options.split_input)
        )
        try:
            if self.options.output is not None and len(chunks) == 1:
                self._handle(chunks[0], file, passes, instruments)
            else:
                self._print_all(chunks, file, passes, instruments)
        finally:
            self.instrumentation.report()
        return not self._failed

    def _pipeline(self, text: str, file: str) -> str:
        if self.options.pipeline is not None:
            return self.options.pipeline
        reproducer = read_reproducer(text, file)
        self._verify_each = self._verify_each and reproducer.verify_each
        if reproducer.left_out:
            listed = ", ".join(reproducer.left_out)
            message = f"options of MLIR's passes are left out, ours do not have them: {listed}"
            print_diagnostic(Diagnostic("warning", message, Place(file=file)))
        return reproducer.pipeline

    def _print_all(
        self,
        chunks: Sequence[Chunk],
        file: str,
        passes: Sequence[ModulePass],
        instruments: Sequence[PassInstrument],
    ) -> None:
        """Handle each part, and write the IR of those that were well with marks between them."""
        printed = [self._handle(chunk, file, passes, instruments) for chunk in chunks]
        output = f"{self.options.output_marker}\n".join(
            text for text in printed if text is not None
        )
        if self.options.output is None:
            sys.stdout.write(output)
        elif not self._failed:
            write_text(self.options.output, output)

    def _handle(
        self,
        chunk: Chunk,
        file: str,
        passes: Sequence[ModulePass],
        instruments: Sequence[PassInstrument],
    ) -> str | None:
        """Handle one part: return its IR as text ("" if it went to a file), or None if something was wrong."""
        reported: list[Diagnostic | DiagnosticError] = []
        printed: str | None = None
        ctx = make_context()
        ctx.allow_unregistered = self.options.allow_unregistered
        if self.options.verify_diagnostics:
            ctx.on_report = reported.append
        try:
            module = self._transform(ctx, chunk, file, passes, instruments)
            printed = self._put_out(module, ctx)
        except KeyboardInterrupt:
            raise
        except BaseException as raised:
            error = as_diagnostic(raised)
            if self.options.debug:
                traceback.print_exception(raised)
            if not self.options.verify_diagnostics:
                self._tell(error)
            reported.append(error)
        if self.options.verify_diagnostics:
            expectations = read_expectations(chunk.text, file, chunk.first_line)
            for error in unmatched(expectations, reported):
                self._tell(error)
        return printed

    def _tell(self, error: DiagnosticError) -> None:
        self._failed = True
        print(error, file=sys.stderr)

    def _transform(
        self,
        ctx: SmaltiContext,
        chunk: Chunk,
        file: str,
        passes: Sequence[ModulePass],
        instruments: Sequence[PassInstrument],
    ) -> ModuleOp:
        """Parse, verify and transform one module."""
        with self._stopwatch.step("Parser"):
            module = parse_module(chunk.text, ctx, file, first_line=chunk.first_line)
        if self.options.verify_round_trip:
            with self._stopwatch.step("Round trip"):
                verify_round_trip(module, ctx, file)
        with self.options.progress() as progress:
            watched = [PassProgress(progress), *instruments]
            run_pipeline(ctx, module, passes, verify=self._verify_each, instruments=watched)
        return module

    def _put_out(self, module: ModuleOp, ctx: SmaltiContext) -> str:
        """Write the module to the file asked for, or return its text."""
        with self._stopwatch.step("Output"):
            style = self.instrumentation.style
            comments: dict[Operation, str] = {}
            if self.options.cost:
                from .cost import cost_comments

                comments = cost_comments(module, ctx)
            if self.options.output is not None and self.options.split_input is None:
                options = style.options()
                options["comments"] = comments
                write_module(module, self.options.output, ctx, **options)
                return ""
            carried = self._send_weights(module, ctx)
            return style.text_of(module, comments) + carried

    def _send_weights(self, module: ModuleOp, ctx: SmaltiContext) -> str:
        """See to the weights of a module that goes to standard output; return what to write after its text."""
        if self.options.weights_out is not None:
            save_changed_weights(module, ctx, self.options.weights_out)
        elif not self.options.shown:
            return carry_weights(module, ctx, same_folder=_is_pipe(sys.stdout))
        elif ctx.weights.added(keys_used(module.walk())):
            print_diagnostic(weights_left_out("the passes changed weights"))
        return ""


def _is_pipe(stream: TextIO) -> bool:
    """Tell whether what is written to a stream goes on to another program, and not to a file, which may be anywhere."""
    try:
        return not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return True
