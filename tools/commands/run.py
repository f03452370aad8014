"""`smalti run`: run a program, or IR of any level, for its values, its time, or both."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile, OutputFile
from ..arguments.model import positive
from ..arguments.ports import add_raw_io
from ..arguments.profile import add_profile_arguments, choose_mode, report_profile
from ..console.progress_bar import progress_bar
from ..files_of_one_compile import warn_of_mixed_files

if TYPE_CHECKING:
    import numpy as np

    from ...backends.program.program import Program


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti run`."""
    parser.add_argument(
        "program", type=InputFile, help="program file (.smalti), or IR of any level (.mlir)"
    )
    parser.add_argument(
        "--inputs",
        type=InputFile,
        metavar="FILE",
        help=".npz with an array per input; axis 0 may hold many samples",
    )
    parser.add_argument(
        "--outputs", type=OutputFile, metavar="FILE", help=".npz to write the outputs to"
    )
    add_raw_io(parser)
    parser.add_argument(
        "--mode",
        choices=("functional", "timing", "both"),
        help="values, cycles, or both (default: functional; with a profile, trace or timeline: timing, or both with "
        "inputs)",
    )
    parser.add_argument(
        "--compare",
        type=InputFile,
        metavar="FILE",
        help=".npz of reference outputs: print cosine, SNR and largest error of each",
    )
    parser.add_argument(
        "--sanitize",
        action=argparse.BooleanOptionalAction,
        help="look for races, unwritten reads and deadlock, or do not "
        "(default: do so for isa IR, which anyone may have edited)",
    )
    parser.add_argument(
        "--repeat",
        type=positive,
        default=1,
        metavar="N",
        help="inferences in a row, for timing: the first from cold, then the steady state (default: 1)",
    )
    parser.add_argument(
        "--instances",
        type=positive,
        default=1,
        metavar="N",
        help="copies of the program beside each other, for timing: each on cores of its own, sharing the card's buses "
        "(default: 1)",
    )
    parser.add_argument(
        "--jobs",
        type=positive,
        default=1,
        metavar="N",
        help="processes that compute the samples' values (default: 1)",
    )
    add_profile_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the program and print what was asked for."""
    from ...backends.diagnostics.diagnostic import DiagnosticError

    args.mode = choose_mode(args)
    values = args.mode in ("functional", "both")
    for option, value in (
        ("--outputs", args.outputs),
        ("--compare", args.compare),
        ("--raw-io", args.raw_io),
    ):
        if value and not values:
            raise DiagnosticError(
                f"--mode timing computes no values for {option}", hint="use --mode both"
            )
    if args.repeat > 1 and args.mode == "functional":
        raise DiagnosticError(
            "--repeat is for timing, --mode functional counts no cycles",
            hint="use --mode timing or both",
        )
    if args.instances > 1 and args.mode != "timing":
        raise DiagnosticError(
            "--instances is for timing, values do not depend on it", hint="use --mode timing"
        )
    if args.jobs > 1 and not values:
        raise DiagnosticError(
            "--jobs is for values, --mode timing computes none", hint="use --mode both"
        )
    if values and not args.inputs:
        raise DiagnosticError(
            f"--mode {args.mode} needs --inputs",
            hint="give an .npz, or --mode timing for cycles alone",
        )
    warn_of_mixed_files(args.program)
    if Path(args.program).suffix == ".mlir":
        return _run_ir(args)
    from ...backends.program import container

    return _run_program(args, container.load(args.program))


def _run_ir(args: argparse.Namespace) -> int:
    from ...backends.diagnostics.diagnostic import DiagnosticError, Place
    from ...backends.program.assemble import assemble
    from ...compiler.compilation.execution import run_ir
    from ...compiler.compilation.pipelines import level_of
    from ...compiler.inputs.arrays import read_npz
    from ...dialects.context import make_context
    from ...dialects.ir.text.module_text import read_module

    ctx = make_context()
    module = read_module(args.program, ctx)
    level = level_of(module)
    if level == "isa":
        if args.sanitize is None:
            args.sanitize = True
        return _run_program(args, assemble(module, ctx))
    if args.mode != "functional" or args.sanitize:
        raise DiagnosticError(
            f"{level} IR runs in the interpreter, which has no cycles and nothing to sanitize",
            Place(file=args.program),
            hint="compile it to a program first: smalti compile FILE.mlir -o FILE.smalti",
        )
    if args.jobs > 1:
        raise DiagnosticError(
            f"--jobs is for programs, {level} IR runs in one process",
            Place(file=args.program),
            hint="compile it to a program first: smalti compile FILE.mlir -o FILE.smalti",
        )
    _finish(args, run_ir(module, ctx, read_npz(args.inputs), raw_io=args.raw_io))
    return EXIT_FINE


def _run_program(args: argparse.Namespace, program: Program) -> int:
    from ...backends.program.side_by_side import side_by_side
    from ...backends.simulator.simulate import simulate
    from ...compiler.inputs.arrays import read_npz
    from ..console.timing_report import format_timing

    program = side_by_side([program] * args.instances)
    inputs = read_npz(args.inputs) if args.inputs and args.mode != "timing" else None
    with progress_bar() as progress:
        result = simulate(
            program,
            inputs,
            mode=args.mode,
            sanitize=bool(args.sanitize),
            repeat=args.repeat,
            jobs=args.jobs,
            progress=lambda done, total: progress("simulate", done, total),
            raw_io=args.raw_io,
        )
    if result.outputs is not None:
        _finish(args, result.outputs)
    if result.host_seconds is not None:
        print(f"host time: {result.host_seconds * 1e3:.3f} ms, all samples, measured here")
    if result.timing is not None:
        print(format_timing(result.timing))
        report_profile(args, result.timing)
    return EXIT_FINE


def _finish(args: argparse.Namespace, outputs: dict[str, np.ndarray]) -> None:
    """Compare the outputs with the reference, write them, and name them."""
    from ...compiler.analysis.comparison import compare_tensors
    from ...compiler.analysis.comparison_table import format_outputs, summary_line
    from ...compiler.analysis.output_parts import OutputDifference
    from ...compiler.inputs.arrays import read_npz, write_npz

    if args.compare:
        reference = read_npz(args.compare)
        found = [
            OutputDifference.between(each.name, outputs[each.name], reference[each.name])
            for each in compare_tensors(outputs, reference)
        ]
        print(format_outputs(found))
        print(summary_line(found, []))
    if args.outputs:
        write_npz(args.outputs, outputs)
    for name, value in outputs.items():
        sizes = "x".join(map(str, value.shape))
        span = f"from {value.min():.6g} to {value.max():.6g}" if value.size else "empty"
        print(f"{name}: {sizes} {value.dtype}, {span}")
    if args.outputs:
        print(f"outputs written to {args.outputs}")
