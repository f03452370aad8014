"""Compiles a model in a process of its own: `python -m smalti.compiler.serving.compile_job`.

It reads a job as JSON from standard input (`model`, `program`, the path to write to, and `options` of `compile_model`)
and exits with 1 and the mistake as JSON on standard output if there is one.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...backends.diagnostics.diagnostic import DiagnosticError, Place

if TYPE_CHECKING:
    from onnx import ModelProto

    from ...backends.program.program import Program


def compile_apart(model: str | Path | ModelProto, options: Mapping[str, Any]) -> Program:
    """Return the program of a model, compiled in another process, so that this one goes on meanwhile.

    `options`: those of `compile_model`, as JSON can say them. Raises DiagnosticError as `compile_model` does.
    """
    from ...backends.program import container

    with tempfile.TemporaryDirectory(prefix="smalti-") as folder:
        path = Path(folder) / "model.onnx"
        if isinstance(model, str | Path):
            path = Path(model).absolute()
        else:
            path.write_bytes(model.SerializeToString())
        program = Path(folder) / "model.smalti"
        job = {"model": str(path), "program": str(program), "options": dict(options)}
        done = _run_to_its_end([sys.executable, "-m", __name__], json.dumps(job))
        if done.returncode == 0:
            return container.load(program)
        raise _mistake(done, model)


def _run_to_its_end(command: list[str], told: str) -> subprocess.CompletedProcess[str]:
    """Run a process that reads `told`; if the interpreter exits meanwhile, or this is interrupted, end the process."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    atexit.register(process.kill)
    try:
        output, errors = process.communicate(told)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        atexit.unregister(process.kill)
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def _mistake(
    done: subprocess.CompletedProcess[str], model: str | Path | ModelProto
) -> DiagnosticError:
    """Return what the other process found wrong."""
    name = str(model) if isinstance(model, str | Path) else model.graph.name
    try:
        told = json.loads(done.stdout)
        return DiagnosticError(told["message"], Place(file=name), told["notes"], told["hint"])
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return DiagnosticError(f"the compiler ended early: {last}", Place(file=name))


def main() -> int:
    """Compile the model of the job on standard input."""
    from ..model import compile_model

    job = json.load(sys.stdin)
    try:
        compile_model(job["model"], **job["options"]).save(job["program"])
    except DiagnosticError as error:
        told = {"message": error.message, "notes": [str(note) for note in error.notes]}
        json.dump({**told, "hint": error.hint}, sys.stdout)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
