"""What every command-line program shares: diagnostics to stderr, exit codes 0 (fine), 1 (input wrong), 2 (usage)."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...backends.diagnostics.diagnostic import DiagnosticError

EXIT_FINE, EXIT_WRONG_INPUT, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


DEBUG = "--debug"
_STANDARD_OUTPUT = "standard output"


def add_debug_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option that messages about internal errors name."""
    parser.add_argument(
        DEBUG, action="store_true", help="show Python's traceback of an error as well"
    )


def run_command(run: Callable[[], int], args: argparse.Namespace) -> int:
    """Run a command's body, as `guarded` does, once its files are known to be apart."""
    from .files import check_files, reports_beside

    def checked() -> int:
        check_files(args)
        with reports_beside(args):
            return run()

    return guarded(checked, debug=args.debug)


def guarded(run: Callable[[], int], *, debug: bool = False) -> int:
    """Run a command's body; whatever it raises becomes a diagnostic on stderr and exit code 1.

    `debug` shows the traceback as well. The cyclic garbage collector stays off meanwhile, since what a command makes
    lives as long as the command does.
    """
    from ...compiler.compilation.collector import collector_paused

    try:
        with collector_paused():
            code = run() if not debug else _with_traceback(run)
            _flush_standard_output()
            return code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BaseException as error:
        if isinstance(error, BrokenPipeError) and not _is_of_plugin(error):
            # The reader of our output (head, less) went away; keep the interpreter's own flush from failing too.
            _drop_standard_output()
            return EXIT_WRONG_INPUT
        print(_told(error), file=sys.stderr)
        if isinstance(error, OSError) and error.filename == _STANDARD_OUTPUT:
            _drop_standard_output()
        return EXIT_WRONG_INPUT


def _told(error: BaseException) -> str:
    """Return what to tell of an error that ends a command."""
    from ...backends.diagnostics.diagnostic import as_diagnostic
    from ...backends.diagnostics.plugin_fault import plugin_frame

    if isinstance(error, OSError) and plugin_frame(error.__traceback__) is None:
        return str(_of_system(error))
    return str(as_diagnostic(error))


def _is_of_plugin(error: BrokenPipeError) -> bool:
    """Tell whether a plugin wrote to a pipe of its own, and not just to standard output that nobody reads any more."""
    from ...backends.diagnostics.plugin_fault import plugin_frame

    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return False
    return plugin_frame(error.__traceback__) is not None


def _flush_standard_output() -> None:
    """Flush standard output now, so that a full disk behind it becomes a diagnostic, not the interpreter's message."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        error.filename = _STANDARD_OUTPUT
        raise


def _of_system(error: OSError) -> DiagnosticError:
    """Return the diagnostic for a system error in no file of the command: in standard output or a temporary file."""
    from ...backends.diagnostics.diagnostic import DiagnosticError, Place
    from ...backends.diagnostics.system_errors import advice_for

    # Errors of writing to an open file have no name; those of the command's own files are diagnostics already.
    file = error.filename or f"{_STANDARD_OUTPUT} or a temporary file"
    return DiagnosticError(
        error.strerror or str(error),
        Place(file=str(file)),
        hint=advice_for(error, "check the path and the disk"),
    )


def _drop_standard_output() -> None:
    """Keep the interpreter from trying again, when it exits, to write what cannot be written."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _with_traceback(run: Callable[[], int]) -> int:
    try:
        return run()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        traceback.print_exception(error)
        raise
