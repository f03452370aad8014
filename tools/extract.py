"""`smalti-extract`: cut ops out of IR into a file that runs by itself on the inputs that they saw."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .arguments.command_line import EXIT_FINE
from .arguments.files import InputFile, OutputIr, check_files
from .arguments.parser import Parser
from .program import add_program_arguments, run_program

_EPILOG = """\
examples:
  smalti-extract net.tpu.mlir --op conv3 --inputs images.npz -o conv3.mlir
  smalti-extract net.top.mlir --span conv3 add7 --inputs images.npz -o block.mlir
  smalti-extract net.tile.mlir --node /layer1/Conv --inputs random:0 -o layer.mlir
  smalti run conv3.mlir --inputs conv3.npz
"""


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="smalti-extract",
        description="Cut ops out of IR of any level: FILE.mlir runs on FILE.npz, the values "
        "that they read when the whole ran.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", type=InputFile, help="IR file of any level")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument(
        "--op", action="append", metavar="NAME", help="the op that makes NAME; may be repeated"
    )
    chosen.add_argument(
        "--span", nargs=2, metavar=("FIRST", "LAST"), help="all ops from one result to another"
    )
    chosen.add_argument("--node", metavar="NODE", help="all ops that stem from an ONNX node")
    parser.add_argument(
        "--inputs",
        type=InputFile,
        required=True,
        metavar="INPUTS",
        help="inputs of the whole: an .npz, or random:SEED",
    )
    parser.add_argument(
        "-o", "--output", type=OutputIr, required=True, metavar="FILE.mlir", help="IR to write"
    )
    add_program_arguments(parser)
    return parser


def _run(args: argparse.Namespace) -> int:
    from ..backends.diagnostics.file_group import check_takes_neighbors
    from ..compiler.debugging.cutting.extraction import extract
    from ..compiler.debugging.cutting.selection import Selection
    from ..compiler.debugging.experiment import IrExperiment
    from ..compiler.debugging.inputs import InputSource
    from ..dialects.context import make_context

    output = Path(args.output)
    check_takes_neighbors(output)
    check_files(args, output=[*args.output.files(), output.with_suffix(".npz")])
    span = None if args.span is None else (args.span[0], args.span[1])
    selection = Selection(tuple(args.op or ()), span, args.node)
    experiment = IrExperiment.read(args.input, make_context(), ())
    source = replace(InputSource.of(args.inputs), is_strict=True)
    part, inputs = extract(experiment, selection, source.arrays(experiment.module))
    values = part.save_with_inputs(output, inputs)
    print(f"{output} runs on {values}: smalti run {output} --inputs {values}")
    return EXIT_FINE


def main(argv: Sequence[str] | None = None) -> int:
    """Run `smalti-extract` and return the exit code."""
    return run_program(_parser(), _run, argv)


if __name__ == "__main__":
    sys.exit(main())
