"""`smalti-reduce`: find the smallest IR or ONNX model that still shows a fault."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .arguments.command_line import EXIT_FINE
from .arguments.fault import add_fault_arguments, experiment_of, predicate_of
from .arguments.files import OutputIr, check_files
from .arguments.parser import Parser
from .console.progress_bar import progress_bar
from .program import add_program_arguments, run_program

_EPILOG = """\
examples:
  smalti-reduce net.onnx -p "top-fold-shapes,convert-top-to-tpu" -o small.onnx
  smalti-reduce net.top.mlir -p "my-pass" --numerics random:0 -o small.mlir
  smalti-reduce net.tpu.mlir --command "./shows-the-fault.sh {}" -o small.mlir
"""


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="smalti-reduce",
        description="Leave out ops, passes and axes as long as the fault still shows; without a "
        "predicate: as long as it fails as it does now.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_fault_arguments(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=OutputIr,
        required=True,
        metavar="FILE",
        help="file to write, of the input's kind; with --numerics the inputs that show the fault are "
        "written beside it: small.mlir, small.npz",
    )
    add_program_arguments(parser)
    return parser


def _run(args: argparse.Namespace) -> int:
    from ..backends.diagnostics.file_group import check_takes_neighbors
    from ..compiler.debugging.experiment import IrExperiment, OnnxExperiment
    from ..compiler.debugging.reduction import reduce_ir, reduce_onnx

    output = Path(args.output)
    if args.numerics is not None:
        check_takes_neighbors(output)
        check_files(args, output=[*args.output.files(), output.with_suffix(".npz")])
    experiment = experiment_of(args)
    predicate = predicate_of(args, experiment)

    def report(line: str) -> None:
        print(line, file=sys.stderr)

    with progress_bar() as progress:
        if isinstance(experiment, OnnxExperiment):
            reduced = reduce_onnx(experiment, predicate, report, progress)
        else:
            assert isinstance(experiment, IrExperiment)
            reduced = reduce_ir(experiment, predicate, report, progress)
    values = None
    if reduced.inputs is None:
        reduced.experiment.save(output)
    else:
        values = reduced.experiment.save_with_inputs(output, reduced.inputs)
    print(f"{reduced.before} ops -> {reduced.after}, after {reduced.trials} trials: {args.output}")
    print(f"shows: {reduced.evidence}")
    if values is not None:
        print(f"on: {values}")
    if reduced.experiment.passes:
        print(f"passes: {','.join(reduced.experiment.passes)}")
    return EXIT_FINE


def main(argv: Sequence[str] | None = None) -> int:
    """Run `smalti-reduce` and return the exit code."""
    return run_program(_parser(), _run, argv)


if __name__ == "__main__":
    sys.exit(main())
