"""`smalti compile`: lower a model, or IR of any level, to IR of lower levels and a program file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...dialects.level import STAGES
from ..arguments.accuracy import accuracy_of, add_accuracy_arguments
from ..arguments.cache import add_cache_arguments, cache_of
from ..arguments.command_line import EXIT_FINE
from ..arguments.driver import add_driver_arguments, instrumentation
from ..arguments.files import InputFile, OutputFile, PassText, PlacedPassText, check_files
from ..arguments.model import add_compile_arguments, add_shape_arguments, sizes, started
from ..arguments.optimization import add_optimization_arguments, optimization_of
from ..arguments.parser import choice
from ..arguments.ports import add_port_arguments, ports_of
from ..arguments.sanitize import add_no_sanitize
from ..console.progress_bar import progress_bar

if TYPE_CHECKING:
    from ...compiler.compilation.artifacts import Artifacts
    from ...compiler.compilation.compile_options import CompileOptions
    from ...compiler.driver.instrumentation import Instrumentation
    from ...passes.instrument import PassInstrument


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
    add_cache_arguments(parser)
    add_optimization_arguments(parser)
    add_accuracy_arguments(parser)
    add_port_arguments(parser)
    add_no_sanitize(parser)
    add_compile_arguments(parser)
    add_shape_arguments(parser)
    add_driver_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Compile and write the stages that were asked for, or write those of a program that was compiled before."""
    from ...compiler.cache.entry_of import entry_of
    from ...compiler.cache.program_cache import CachedProgram
    from ...compiler.calibration.samples import is_table
    from ...compiler.compilation.artifacts import Artifacts
    from ...dialects.ir.context import print_diagnostic
    from ..output_files import program_path

    source = Path(args.input)
    output = program_path(
        Path(args.output) if args.output else source.parent / f"{_stem(source)}.smalti"
    )
    artifacts = Artifacts(output, args.emit)
    check_files(args, output=artifacts.paths(args.calibration))
    options = _options_of(args)
    watch = instrumentation(args)
    instruments = watch.instruments()
    measures = args.calibration is not None and not is_table(args.calibration)
    cycles, pipeline = "", None
    with entry_of(source, options, {**sizes(args)}, cache_of(args), print_diagnostic) as entry:
        kept = entry.found
        if (
            kept is not None
            and not (instruments or args.print_pipeline)
            and artifacts.can_write_of(kept.program, kept.calibration, measures)
        ):
            files = artifacts.write_of(kept.program, kept.calibration)
            files["cache"] = Path(args.cache)
            cycles = kept.cycles
        else:
            files, pipeline = _compiled(args, source, options, artifacts, watch, instruments)
        try:
            if artifacts.built is not None and not (args.print_pipeline or cycles):
                from ...compiler.analysis.program_cycles import describe_cycles

                with watch.stopwatch.step("Cycles"):
                    cycles = describe_cycles(artifacts.built)
        finally:
            watch.report()
        if artifacts.built is not None:
            entry.put(CachedProgram(artifacts.built, artifacts.table, cycles))
    if args.print_pipeline:
        print(pipeline)
    else:
        for stage, path in files.items():
            print(f"{stage:<12} {path}")
    if cycles:
        print(cycles)
    return EXIT_FINE


def _options_of(args: argparse.Namespace) -> CompileOptions:
    from ...compiler.compilation.compile_options import CompileOptions
    from ...compiler.compilation.pass_change import PassChange
    from ...compiler.compilation.pipelines import Insertion
    from ...passes.tile.schedule_text import read_schedule

    insertions = tuple(Insertion.parse(text) for text in args.insert_pass)
    changes = (
        *(PassChange.parse(text) for text in args.set_pass),
        *(PassChange.disabling(name) for name in args.disable_pass),
    )
    return CompileOptions(
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


def _compiled(
    args: argparse.Namespace,
    source: Path,
    options: CompileOptions,
    artifacts: Artifacts,
    watch: Instrumentation,
    instruments: Sequence[PassInstrument],
) -> tuple[dict[str, Path], str]:
    """Compile, write the files, and return their paths by stage and the text of the passes."""
    with progress_bar() as progress:
        with watch.stopwatch.step("Parser" if source.suffix == ".mlir" else "Import"):
            compilation = started(args, source, options, progress)
        watch.check(compilation.passes_down_to(artifacts.last_level))
        compilation.instruments = instruments
        compilation.verify_each = watch.verify_each
        compilation.sanitize = compilation.sanitize and args.sanitize
        try:
            with watch.stopwatch.step("Compile"):
                files = artifacts.write(compilation)
        except BaseException:
            watch.report()
            raise
    return files, ",".join(compilation.pipeline)


def _stem(path: Path) -> str:
    """Return the file name without `.onnx`, or without `.mlir` and the level before it."""
    name = path.name.removesuffix(path.suffix)
    for stage in STAGES:
        name = name.removesuffix(f".{stage}")
    return name
