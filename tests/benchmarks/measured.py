"""`python measured.py RESULT.json MODULE ARGS…`: runs a module as a program, and writes what it took.

Needs nothing but Python, so that peers in environments of their own are measured by the same means.
RESULT.json: "exit_code", "cpu_seconds" (of all threads and of the processes that it ran, imports included) and
"peak_mb" (the most memory that one of these processes had resident; null where the system does not tell).
"""

from __future__ import annotations

import json
import resource
import runpy
import sys
import time
from pathlib import Path


def peak_mb() -> float | None:
    """The greatest resident size of this process so far or of one that it ran, in units of 10^6 bytes.

    From /proc: getrusage's figure would include that of the process that started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024 / 1e6


def cpu_seconds() -> float:
    """CPU time of this process so far, and of the ones that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def main() -> int:
    """The exit code of the module."""
    result, module, *words = sys.argv[1:]
    sys.argv = [module, *words]
    code = 0
    try:
        if module.endswith(".py"):
            runpy.run_path(module, run_name="__main__")
        else:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    measured = {"exit_code": code, "cpu_seconds": cpu_seconds(), "peak_mb": peak_mb()}
    Path(result).write_text(json.dumps(measured))
    return code


if __name__ == "__main__":
    sys.exit(main())
