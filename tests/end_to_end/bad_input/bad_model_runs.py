"""Imports bad models one after the other in one process that may use 10 s and 1 GB for each, and tells how it went.

`python -m tests.end_to_end.bad_input.bad_model_runs FOLDER NAME …` prints a line of JSON for each file NAME.onnx of the
folder: exit code, standard error, and the peak of memory.
"""

from __future__ import annotations

import io
import json
import resource
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

SECONDS = 10
"""The processor's time that a command may take: how busy the machine is does not count."""
MEMORY_BYTES = 2**30
_HEADROOM_BYTES = 2**30
"""What the process may take beyond that: a model that needs more is found by its peak, or runs out of memory."""


class TooLongError(Exception):
    """A command has taken more than its time."""


def _stop(*_: Any) -> None:
    raise TooLongError


def _status(field: str) -> int:
    """Return a number of bytes that the system tells of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


def run(folder: Path, name: str) -> dict[str, Any]:
    """Import one file, and return how it went."""
    from smalti.tools.main import main

    out, told = io.StringIO(), io.StringIO()
    words = ["import", str(folder / f"{name}.onnx"), "-o", str(folder / f"{name}.top.mlir")]
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak to what is used now
    before = _status("VmRSS")
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    code: int | str
    try:
        with redirect_stdout(out), redirect_stderr(told):
            code = main(words)
    except TooLongError:
        code = f"took more than {SECONDS} s"
    except SystemExit as stop:
        code = f"ended with {stop.code}"
    except BaseException as error:
        code = f"raised {type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    peak = _status("VmHWM") - before
    return {"name": name, "code": code, "error": told.getvalue(), "peak": peak}


def main() -> None:
    """Import each of the files that the command names."""
    import onnx  # loaded before memory is limited

    assert onnx.__version__
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    signal.signal(signal.SIGPROF, _stop)
    limit = _status("VmData") + MEMORY_BYTES + _HEADROOM_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    for name in names:
        print(json.dumps(run(folder, name)), flush=True)


if __name__ == "__main__":
    main()
