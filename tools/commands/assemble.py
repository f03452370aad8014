"""`smalti assemble`: turn isa IR into a program file, checked by the sanitizer."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile, OutputFile
from ..arguments.sanitize import add_no_sanitize


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti assemble`."""
    parser.add_argument("input", type=InputFile, help="isa IR (.isa.mlir)")
    parser.add_argument(
        "-o",
        "--output",
        type=OutputFile,
        required=True,
        metavar="FILE",
        help="program file to write (.smalti)",
    )
    add_no_sanitize(parser)


def run(args: argparse.Namespace) -> int:
    """Encode the program, check it, and write it."""
    from ...backends.program import container
    from ...backends.program.assemble import assemble
    from ...backends.simulator.sanitizer import sanitize_program
    from ...backends.simulator.streams.streams import decode_program
    from ...dialects.context import make_context
    from ...dialects.ir.text.module_text import read_module
    from ..output_files import program_path

    output = program_path(Path(args.output))
    ctx = make_context()
    program = assemble(read_module(args.input, ctx), ctx)
    # What the simulator refuses to decode is refused here, sanitizer or not.
    streams = decode_program(program)
    if args.sanitize:
        sanitize_program(streams)
    container.save(program, output)
    cores = len(program.streams)
    print(
        f"{args.output}: {program.instruction_count} instructions on {cores} core{'s' * (cores > 1)}"
    )
    return EXIT_FINE
