"""How every program starts: it parses its command line, loads plugins, and runs with diagnostics and exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from .arguments.command_line import add_debug_argument, run_command
from .arguments.plugin import add_plugin_argument, load_plugins_of
from .arguments.version import add_version_argument


def add_program_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that every program takes: --load-plugin, --version and --debug."""
    add_plugin_argument(parser)
    add_version_argument(parser)
    add_debug_argument(parser)


def run_program(
    parser: argparse.ArgumentParser,
    run: Callable[[argparse.Namespace], int],
    argv: Sequence[str] | None,
) -> int:
    """Run a program on its arguments (None: those of the process) and return the exit code."""
    words = sys.argv[1:] if argv is None else argv
    args = parser.parse_args(words)
    return load_plugins_of(words) or run_command(lambda: run(args), args)
