"""`smalti-opt`: reads IR of any level, runs passes, prints IR."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .command_line import EXIT_FINE, guarded

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from ..dialects.context import SmaltiContext

_EPILOG = """\
examples:
  smalti-opt m.top.mlir -p "top-fold-shapes,top-fold-batch-norm"
  smalti-opt m.tile.mlir -p "tile-cut-to-local-memory" -o cut.mlir
  smalti-opt --list-passes
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="smalti-opt",
        description="Read IR of any level, run a pipeline of passes, print the IR that results.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", nargs="?", default="-", help="IR file; - is standard input")
    parser.add_argument(
        "-o", "--output", default="-", help="IR file to write; - is standard output"
    )
    parser.add_argument(
        "-p",
        "--passes",
        default="",
        metavar="PIPELINE",
        help='passes in order, such as "a,b{option=1}"',
    )
    parser.add_argument("--list-passes", action="store_true", help="name every pass and stop")
    parser.add_argument(
        "--print-op-generic",
        action="store_true",
        help="print MLIR's generic form, which mlir-opt reads",
    )
    parser.add_argument(
        "--mlir-print-debuginfo", action="store_true", help="print locations on standard output too"
    )
    parser.add_argument(
        "--split-input-file",
        action="store_true",
        help="treat parts between '// -----' lines one by one",
    )
    parser.add_argument(
        "--verify-diagnostics",
        action="store_true",
        help="print an error of the verifier or of a pass in place of the IR, and go on",
    )
    parser.add_argument(
        "--parsing-diagnostics",
        action="store_true",
        help="print an error of the parser in place of the IR, and go on",
    )
    parser.add_argument(
        "--weights-out",
        metavar="FILE",
        help="where to write weights that passes changed, when the IR goes to standard output",
    )
    return parser


def _list_passes() -> None:
    from ..passes.registry import PASSES, get_pass

    width = max(map(len, PASSES))
    for name in sorted(PASSES):
        summary = (get_pass(name).__doc__ or "").strip().partition("\n")[0]
        print(f"{name:{width}}  {summary}")


def _read(args: argparse.Namespace) -> tuple[str, str]:
    from ..dialects.text import read_text

    if args.input == "-":
        return sys.stdin.read(), "<stdin>"
    return read_text(args.input), args.input


def _transform(text: str, file: str, args: argparse.Namespace) -> tuple[ModuleOp, SmaltiContext]:
    """Parses one module, verifies it and runs the pipeline on it."""
    from ..dialects.context import make_context
    from ..dialects.text import parse_module
    from ..passes.pipeline import run_pipeline
    from ..passes.registry import parse_pipeline

    ctx = make_context()
    passes = parse_pipeline(args.passes)
    module = parse_module(text, ctx, file)
    run_pipeline(ctx, module, passes)
    return module, ctx


def _print_chunk(text: str, file: str, args: argparse.Namespace) -> str:
    """The text that one part of the input becomes: IR, or the diagnostic where that is asked for."""
    from ..dialects.diagnostic import DiagnosticError
    from ..dialects.text import print_module, save_changed_weights

    try:
        module, ctx = _transform(text, file, args)
    except DiagnosticError as error:
        if args.verify_diagnostics or args.parsing_diagnostics:
            return f"{error}\n"
        raise
    if ctx.weights.changed:
        save_changed_weights(module, ctx, args.weights_out)
    return print_module(module, generic=args.print_op_generic, debug_info=args.mlir_print_debuginfo)


def _run(args: argparse.Namespace) -> int:
    from ..dialects.text import write_module

    if args.list_passes:
        _list_passes()
        return EXIT_FINE
    text, file = _read(args)
    if args.output != "-" and not args.split_input_file:
        module, ctx = _transform(text, file, args)
        write_module(module, Path(args.output), ctx, generic=args.print_op_generic)
        return EXIT_FINE
    chunks = text.split("// -----") if args.split_input_file else [text]
    printed = [_print_chunk(chunk, file, args) for chunk in chunks]
    output = "// -----\n".join(printed)
    if args.output == "-":
        sys.stdout.write(output)
    else:
        from ..dialects.text import write_text

        write_text(Path(args.output), output)
    return EXIT_FINE


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `smalti-opt`; returns the exit code."""
    args = _parser().parse_args(argv)
    return guarded(lambda: _run(args))


if __name__ == "__main__":
    sys.exit(main())
