"""`smalti compile`: lower a model, or IR of any level, to IR of lower levels and a program file."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...dialects.level import STAGES
from ..arguments.accuracy import accuracy_of, add_accuracy_arguments
from ..arguments.command_line import EXIT_FINE
from ..arguments.driver import add_driver_arguments, instrumentation
from ..arguments.files import InputFile, OutputFile, PassText, PlacedPassText, check_files
from ..arguments.model import add_compile_arguments, add_shape_arguments, started
from ..arguments.optimization import add_optimization_arguments, optimization_of
from ..arguments.parser import choice
from ..arguments.ports import add_port_arguments, ports_of
from ..arguments.sanitize import add_no_sanitize
from ..console.progress_bar import progress_bar


def stages(text: str) -> tuple[str, ...]:
    """Parse a list of stages to write, as an argparse type."""
    chosen = tuple(part.strip() for part in text.split(","))
    return tuple(choice(part, STAGES) for part in chosen)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti compile`."""
    parser.add_argument(
        "input", type=InputFile, help="ONNX model (.onnx), or IR of any level (.mlir)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=OutputFile,
        metavar="FILE",
        help="program file to write (default: the input's name with .smalti)",
    )
    parser.add_argument(
        "--emit",
        type=stages,
        default=("program",),
        metavar="LIST",
        help=f"what to write, of {','.join(STAGES)} (default: program); other files are named after the program "
        "file: m.smalti gives m.top.mlir …, m.schedule",
    )
    parser.add_argument(
        "--schedule",
        type=InputFile,
        metavar="FILE",
        help="how layers are carried out, by the names of their results or globs of them: cores, split, tile … "
        "as in the text that --emit schedule writes; passes decide the rest",
    )
    parser.add_argument(
        "--print-pipeline", action="store_true", help="print the passes as text for smalti-opt -p"
    )
    parser.add_argument(
        "--insert-pass",
        type=PlacedPassText,
        action="append",
        default=[],
        metavar="LEVEL:PASS{...}",
        help="run a pass of your own at the end of a level, or at before=PASS: or after=PASS:; may be "
        "repeated",
    )
    parser.add_argument(
        "--set-pass",
        type=PassText,
        action="append",
        default=[],
        metavar="PASS{OPTION=VALUE}",
        help="set options of a pass of the pipeline, such as tile-order-engines{prefetch=2}; may be repeated",
    )
    parser.add_argument(
        "--disable-pass",
        action="append",
        default=[],
        metavar="PASS",
        help="leave a pass of the pipeline out; may be repeated",
    )
    add_optimization_arguments(parser)
    add_accuracy_arguments(parser)
    add_port_arguments(parser)
    add_no_sanitize(parser)
    add_compile_arguments(parser)
    add_shape_arguments(parser)
    add_driver_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Compile and write the stages that were asked for."""
    from ...compiler.analysis.program_cycles import describe_cycles
    from ...compiler.compilation.artifacts import Artifacts
    from ...compiler.compilation.compile_options import CompileOptions
    from ...compiler.compilation.pass_change import PassChange
    from ...compiler.compilation.pipelines import Insertion
    from ...passes.tile.schedule_text import read_schedule
    from ..output_files import program_path

    source = Path(args.input)
    output = program_path(
        Path(args.output) if args.output else source.parent / f"{_stem(source)}.smalti"
    )
    artifacts = Artifacts(output, args.emit)
    check_files(args, output=artifacts.paths(args.calibration))
    insertions = tuple(Insertion.parse(text) for text in args.insert_pass)
    changes = (
        *(PassChange.parse(text) for text in args.set_pass),
        *(PassChange.disabling(name) for name in args.disable_pass),
    )
    options = CompileOptions(
        args.target,
        args.cores,
        args.quantize,
        args.calibration,
        insertions,
        changes,
        None if args.schedule is None else read_schedule(args.schedule),
        optimization_of(args),
        **ports_of(args),
        qtable=args.qtable,
        scheme=args.scheme,
        accuracy=accuracy_of(args),
    )
    watch = instrumentation(args)
    with progress_bar() as progress:
        with watch.stopwatch.step("Parser" if source.suffix == ".mlir" else "Import"):
            compilation = started(args, source, options, progress)
        watch.check(compilation.passes_down_to(artifacts.last_level))
        compilation.instruments = watch.instruments()
        compilation.verify_each = watch.verify_each
        compilation.sanitize = compilation.sanitize and args.sanitize
        cycles = ""
        try:
            with watch.stopwatch.step("Compile"):
                files = artifacts.write(compilation)
            if artifacts.built is not None and not args.print_pipeline:
                with watch.stopwatch.step("Cycles"):
                    cycles = describe_cycles(artifacts.built)
        finally:
            watch.report()
    if args.print_pipeline:
        print(",".join(compilation.pipeline))
    else:
        for stage, path in files.items():
            print(f"{stage:<12} {path}")
    if cycles:
        print(cycles)
    return EXIT_FINE


def _stem(path: Path) -> str:
    """Return the file name without `.onnx`, or without `.mlir` and the level before it."""
    name = path.name.removesuffix(path.suffix)
    for stage in STAGES:
        name = name.removesuffix(f".{stage}")
    return name
