"""`smalti disassemble`: turn a program file into isa IR."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile, OutputIr
from ..files_of_one_compile import warn_of_mixed_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti disassemble`."""
    parser.add_argument("program", type=InputFile, help="program file (.smalti)")
    parser.add_argument(
        "-o",
        "--output",
        type=OutputIr,
        default="-",
        metavar="FILE",
        help="IR file to write, its weights beside it; - (the default) prints the text alone",
    )


def run(args: argparse.Namespace) -> int:
    """Write or print the listing."""
    from ...backends.program import container
    from ...backends.program.assemble import disassemble_module
    from ...dialects.context import make_context
    from ...dialects.ir.text.module_text import print_module, write_module

    warn_of_mixed_files(args.program)
    program = container.load(args.program)
    ctx = make_context()
    module = disassemble_module(program, ctx)
    if args.output == "-":
        sys.stdout.write(print_module(module))
    else:
        write_module(module, Path(args.output), ctx)
    return EXIT_FINE
