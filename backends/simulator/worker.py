"""The process of `parallel.py`: runs the program beside its folder on the samples in it.

    python -m smalti.backends.simulator.worker FOLDER SAMPLES

Says on standard output, a line of JSON each, `{"done": samples}` as it goes on and `{"error": diagnostic}` if
something is wrong.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from ...dialects.diagnostic import DiagnosticError
from ..program.program import Program
from .functional import FunctionalSimulator


def main(folder: Path, samples: int) -> int:
    """Runs; 0 if all went well."""
    try:
        program = Program.load(folder.parent / "program.smalti")
        inputs = {
            port.name: np.fromfile(folder / f"input-{place}", np.uint8).reshape(samples, port.size)
            for place, port in enumerate(program.inputs)
        }
        outputs = FunctionalSimulator(program).run_bytes(
            inputs, samples, lambda done, _: _say({"done": done})
        )
        for place, port in enumerate(program.outputs):
            outputs[port.name].tofile(folder / f"output-{place}")
    except DiagnosticError as error:
        notes = [str(getattr(note, "message", note)) for note in error.notes]
        _say({"error": {"message": error.message, "notes": notes, "hint": error.hint}})
        return 1
    except MemoryError:
        _say({"error": {"message": "out of memory", "hint": "use fewer --jobs or fewer samples"}})
        return 1
    return 0


def _say(message: dict[str, object]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
