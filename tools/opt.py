"""`smalti-opt`: read IR of any level, run passes, print IR."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .arguments.command_line import EXIT_FINE, EXIT_WRONG_INPUT, add_debug_argument, run_command
from .arguments.driver import add_driver_arguments, instrumentation
from .arguments.files import InputFile, OutputFile, OutputIr, PassText
from .arguments.parser import Parser
from .arguments.plugin import add_plugin_argument, load_plugins_of
from .arguments.version import add_version_argument
from .console.progress_bar import progress_bar

_EPILOG = """\
passes run in the order given, as flags or as a pipeline:
  smalti-opt m.top.mlir --top-fold-shapes --convert-top-to-tpu='quantize=f32' -o m.tpu.mlir
  smalti-opt m.top.mlir -p "top-fold-shapes,convert-top-to-tpu{quantize=f32}" -o m.tpu.mlir
  smalti-opt m.tile.mlir --pass-pipeline="builtin.module(tile-assign-addresses{slack=0})"
  smalti-opt --list-passes
  smalti-opt --help-pass tile-order-engines

IR alone goes to standard output, everything else to standard error.
exit codes: 0 fine, 1 the input is wrong, 2 usage
"""


class _Parser(Parser):
    """A parser that suggests passes as well, which are flags."""

    def flags(self) -> list[str]:
        from ..passes.registry import PASSES

        return [*super().flags(), *(f"--{name}" for name in PASSES)]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="smalti-opt",
        usage="smalti-opt [options] [input]",
        description="Read IR of any level, run passes over it, print the IR that results.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "input", type=InputFile, nargs="?", default="-", help="IR file; - is standard input"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=OutputIr,
        default="-",
        help="IR file to write; - is standard output",
    )
    parser.add_argument(
        "--weights-out",
        type=OutputFile,
        metavar="FILE",
        help="where to write weights that passes changed, when the IR goes to standard output (without it "
        "they go along, at the end of the text, unless that is a terminal)",
    )
    _add_pipeline_arguments(parser)
    _add_input_arguments(parser)
    add_driver_arguments(parser)
    add_plugin_argument(parser)
    add_version_argument(parser)
    parser.add_argument(
        "--cost",
        action="store_true",
        help="write beside each op what it costs, lowered the rest of the way: cycles, bytes, energy",
    )
    add_debug_argument(parser)
    return parser


def _add_pipeline_arguments(parser: argparse.ArgumentParser) -> None:
    pipeline = parser.add_argument_group(
        "passes", "every pass is a flag as well: --cse, --convert-top-to-tpu='quantize=f32'"
    )
    chosen = pipeline.add_mutually_exclusive_group()
    chosen.add_argument(
        "-p",
        "--passes",
        type=PassText,
        metavar="PIPELINE",
        help='passes in order, such as "a,b{option=1}"',
    )
    chosen.add_argument(
        "--pass-pipeline",
        type=PassText,
        metavar="PIPELINE",
        help='the same as MLIR writes it, "builtin.module(a,b{option=1})"',
    )
    chosen.add_argument(
        "--run-reproducer", action="store_true", help="run the pipeline that the input file says"
    )
    pipeline.add_argument(
        "--dump-pass-pipeline", action="store_true", help="print the pipeline with all its options"
    )
    pipeline.add_argument("--list-passes", action="store_true", help="every pass, and stop")
    pipeline.add_argument("--list-dialects", action="store_true", help="every dialect, and stop")
    pipeline.add_argument(
        "--show-dialects", action="store_true", help="the names of the dialects, and stop"
    )
    pipeline.add_argument("--json", action="store_true", help="lists as JSON, with all details")
    pipeline.add_argument("--help-pass", metavar="NAME", help="all about a pass, and stop")


def _add_input_arguments(parser: argparse.ArgumentParser) -> None:
    reading = parser.add_argument_group("reading")
    reading.add_argument(
        "--split-input-file",
        nargs="?",
        const="// -----",
        metavar="MARKER",
        help="treat parts between '// -----' lines one by one (=MARKER: between other lines); a wrong one does not "
        "stop the rest",
    )
    reading.add_argument(
        "--output-split-marker",
        default="// -----",
        metavar="MARKER",
        help="line to write between the parts (default: // -----)",
    )
    reading.add_argument(
        "--verify-diagnostics",
        action="store_true",
        help="match errors with comments such as '// expected-error @+1 {{text}}'",
    )
    reading.add_argument(
        "--verify-roundtrip", action="store_true", help="check that the IR survives its text"
    )
    reading.add_argument(
        "--allow-unregistered-dialect", action="store_true", help="let ops of unknown dialects be"
    )


def _listing(args: argparse.Namespace) -> str | None:
    """Return the list that is asked for in place of any work, or None."""
    if args.show_dialects:
        from ..dialects.context import DIALECTS

        return f"Available Dialects: {','.join(sorted(DIALECTS))}\n"
    if not (args.list_passes or args.list_dialects or args.help_pass):
        return None
    from .console.listing import help_pass, list_dialects, list_passes

    if args.help_pass:
        return help_pass(args.help_pass)
    return list_passes(as_json=args.json) if args.list_passes else list_dialects(as_json=args.json)


def _pipeline(args: argparse.Namespace) -> str | None:
    """Return the text of the pipeline that is asked for, or None if the input says it."""
    from ..backends.diagnostics.diagnostic import DiagnosticError
    from ..passes.anchors import is_anchored

    if args.pass_flags and (args.passes or args.pass_pipeline or args.run_reproducer):
        raise DiagnosticError(
            "passes are given as flags and as a pipeline, which leaves their order open",
            hint="write all as flags, or all in one pipeline",
        )
    if args.pass_pipeline is not None and not is_anchored(args.pass_pipeline):
        raise DiagnosticError(
            f"--pass-pipeline says what it runs on first, got '{args.pass_pipeline}'",
            hint=f"write --pass-pipeline='builtin.module({args.pass_pipeline})', or -p without it",
        )
    if args.run_reproducer:
        return None
    return args.pass_pipeline or args.passes or args.pass_flags


def _read(args: argparse.Namespace) -> tuple[str, str]:
    from ..dialects.ir.text.module_text import read_text

    if args.input == "-":
        return _standard_input(), "<stdin>"
    return read_text(args.input), args.input


def _standard_input() -> str:
    """Return the text on standard input, which may be a pipe without an end."""
    from ..backends.diagnostics.diagnostic import DiagnosticError
    from ..backends.diagnostics.files import TEXT_LIMIT_BYTES

    text = sys.stdin.read(TEXT_LIMIT_BYTES + 1)
    if len(text) > TEXT_LIMIT_BYTES:
        raise DiagnosticError(
            f"standard input has more than the limit of {TEXT_LIMIT_BYTES:,} characters",
            hint="give IR in a file of at most that size",
        )
    return text


def _run(args: argparse.Namespace) -> int:
    listing = _listing(args)
    if listing is not None:
        sys.stdout.write(listing)
        return EXIT_FINE
    from ..compiler.driver.opt import OptDriver, OptOptions

    options = OptOptions(
        pipeline=_pipeline(args),
        dump_pipeline=args.dump_pass_pipeline,
        output=None if args.output == "-" else Path(args.output),
        weights_out=args.weights_out,
        shown=sys.stdout.isatty(),
        split_input=args.split_input_file,
        output_marker=args.output_split_marker,
        verify_diagnostics=args.verify_diagnostics,
        verify_round_trip=args.verify_roundtrip,
        allow_unregistered=args.allow_unregistered_dialect,
        debug=args.debug,
        cost=args.cost,
        instrumentation=instrumentation(args),
        progress=progress_bar,
    )
    text, file = _read(args)
    return EXIT_FINE if OptDriver(options).run(text, file) else EXIT_WRONG_INPUT


def main(argv: Sequence[str] | None = None) -> int:
    """Run `smalti-opt` and return the exit code."""
    from .arguments.pass_flags import take_pass_flags

    given = sys.argv[1:] if argv is None else argv
    if code := load_plugins_of(given):
        return code
    words, flags = take_pass_flags(given)
    args = _parser().parse_args(words)
    args.pass_flags = PassText(",".join(flags))
    return run_command(lambda: _run(args), args)


if __name__ == "__main__":
    sys.exit(main())
