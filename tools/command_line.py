"""What every command-line program shares: diagnostics to stderr, exit codes 0 (fine), 1 (input wrong), 2 (usage)."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

EXIT_FINE, EXIT_WRONG_INPUT, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


def guarded(run: Callable[[], int], *, debug: bool = False) -> int:
    """Run a command's body; a mistake of the user becomes a diagnostic on stderr and exit code 1.

    `debug` shows the traceback as well. The cyclic garbage collector stays off meanwhile, since what a command makes
    lives as long as the command does.
    """
    from ..backends.diagnostics.diagnostic import DiagnosticError, as_diagnostic
    from ..backends.targets.target import TargetError
    from ..compiler.compilation.collector import collector_paused

    try:
        with collector_paused():
            return run() if not debug else _with_traceback(run)
    except (DiagnosticError, TargetError) as error:
        text = str(error)
        print(text if "error:" in text else f"error: {text}", file=sys.stderr)
        return EXIT_WRONG_INPUT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (head, less) went away; keep the interpreter's own flush from failing too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_WRONG_INPUT
    except MemoryError:
        print("error: out of memory; use a smaller batch or fewer samples at once", file=sys.stderr)
        return EXIT_WRONG_INPUT
    except RecursionError:
        print("error: the input is nested too deeply", file=sys.stderr)
        return EXIT_WRONG_INPUT
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"{place}error: {error.strerror or error}", file=sys.stderr)
        return EXIT_WRONG_INPUT
    except Exception as error:
        print(as_diagnostic(error), file=sys.stderr)
        return EXIT_WRONG_INPUT


def _with_traceback(run: Callable[[], int]) -> int:
    try:
        return run()
    except Exception as error:
        traceback.print_exception(error)
        raise
