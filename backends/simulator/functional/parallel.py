"""Runs samples in parallel: each of several processes runs the program on its part of the samples.

A process is this interpreter, started afresh as `python -m …worker` (so a script needs no guard around its main part,
and nothing is shared by fork). Program, inputs and outputs are plain files in a folder that only this user can read; a
process reports progress and errors in lines of JSON. Nothing is pickled.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError
from ...diagnostics.plugin_fault import plugin_of_file
from ...instructions.instruction_set import BY_OPCODE, FIRST_FREE_OPCODE
from ...program import container
from ...program.program import Program
from .functional_simulator import Progress
from .samples import joined, samples_of

_WORKER = f"{__package__}.worker"
_THREAD_VARIABLES: tuple[str, ...] = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_parallel(
    program: Program,
    inputs: Mapping[str, np.ndarray],
    jobs: int,
    progress: Progress | None = None,
    raw_io: bool = False,
) -> dict[str, np.ndarray]:
    """Run a program in up to `jobs` processes and return the outputs by name, as `FunctionalSimulator.run` does.

    Samples stay in order. Integers do not depend on `jobs`; floats may in the last bit, because BLAS rounds products of
    other sizes differently. Raises DiagnosticError if inputs do not fit, if a process reports an error (of several,
    that of the first samples), or if a process dies.
    """
    arrays, samples = samples_of(program.inputs, inputs, raw_io)
    jobs = min(jobs, samples)
    bounds = [samples * job // jobs for job in range(jobs + 1)]
    with tempfile.TemporaryDirectory(prefix="smalti-run-") as name:
        folder = Path(name)
        container.save(program, folder / "program.smalti")
        parts = [_Part(folder / str(job), bounds[job], bounds[job + 1]) for job in range(jobs)]
        for part in parts:
            part.write(program, arrays)
        _run(parts, jobs, samples, progress)
        outputs = [part.read(program) for part in parts]
    whole = {
        port.name: np.concatenate([output[port.name] for output in outputs])
        for port in program.outputs
    }
    return joined(program.outputs, whole, samples, raw_io)


def added_instructions() -> list[str]:
    """Return where a process finds the classes of instructions that plugins have added: the fields of an
    `AddedInstruction` as JSON for each.
    """
    added = [cls for opcode, cls in BY_OPCODE.items() if opcode >= FIRST_FREE_OPCODE]
    places: list[str] = []
    for cls in added:
        file = getattr(sys.modules[cls.__module__], "__file__", None) or ""
        places.append(json.dumps([cls.__module__, cls.__qualname__, file, plugin_of_file(file)]))
    return places


@dataclass(frozen=True)
class _Part:
    """Samples `begin` to `end`, and the folder with their files: `input-0`, … and later `output-0`, …"""

    folder: Path
    begin: int
    end: int

    def write(self, program: Program, arrays: Mapping[str, np.ndarray]) -> None:
        self.folder.mkdir()
        for place, port in enumerate(program.inputs):
            data = arrays[port.name][self.begin : self.end]
            (self.folder / f"input-{place}").write_bytes(data.tobytes())

    def read(self, program: Program) -> dict[str, np.ndarray]:
        return {
            port.name: np.fromfile(self.folder / f"output-{place}", np.uint8).reshape(
                self.end - self.begin, port.size
            )
            for place, port in enumerate(program.outputs)
        }

    def start(self, threads: int) -> subprocess.Popen[str]:
        """Start the process that works on this part, with BLAS on `threads` threads."""
        environment: dict[str, str] = dict.fromkeys(_THREAD_VARIABLES, str(threads))
        # Let it import the same packages as this process, not those in the working folder.
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        return subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                _WORKER,
                str(self.folder),
                str(self.end - self.begin),
                *added_instructions(),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=os.environ | environment,
        )


def _run(parts: list[_Part], jobs: int, samples: int, progress: Progress | None) -> None:
    """Run all processes to their end; no process is left when this returns or raises."""
    processes: list[subprocess.Popen[str]] = []
    said: queue.Queue[tuple[int, str | None]] = queue.Queue()

    def listen(place: int) -> None:
        stream = processes[place].stdout
        assert stream is not None
        for line in stream:
            said.put((place, line))
        said.put((place, None))

    done, problems = [0] * jobs, {}
    try:
        for place, part in enumerate(parts):
            processes.append(part.start(max(1, (os.cpu_count() or 1) // jobs)))
            threading.Thread(target=listen, args=(place,), daemon=True).start()
        running = jobs
        while running:
            place, line = said.get()
            if line is None:
                running -= 1
                if processes[place].wait() and place not in problems:
                    problems[place] = _died(parts[place], processes[place].returncode)
                continue
            message = json.loads(line)
            if "error" in message:
                problems[place] = DiagnosticError(**message["error"])
            else:
                done[place] = message["done"]
                if progress is not None:
                    progress(sum(done), samples)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    if problems:
        raise problems[min(problems)]


def _died(part: _Part, code: int) -> DiagnosticError:
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return DiagnosticError(
        f"the process for samples {part.begin} to {part.end - 1} {how}",
        hint="its last words are above; if memory ran out, use fewer --jobs",
    )
