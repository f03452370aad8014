"""The process of `parallel.py`: runs the program beside its folder on the samples in it.

    python -m smalti.backends.simulator.functional.worker FOLDER SAMPLES MODULE:CLASS:FILE…

The last arguments name the classes of instructions that plugins have added.
It prints lines of JSON: `{"done": samples}` as it goes on, and `{"error": diagnostic}` if something is wrong.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import operator
import sys
from pathlib import Path

import numpy as np

from ...diagnostics.diagnostic import DiagnosticError
from ...instructions.instruction_set import BY_MNEMONIC, register_instruction
from ...program import container
from .functional_simulator import FunctionalSimulator


def main(folder: Path, samples: int) -> int:
    """Run the program on the samples, and return the exit code: 0 if all went well."""
    try:
        program = container.load(folder.parent / "program.smalti")
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


def add_instruction(place: str) -> None:
    """Register the instruction class MODULE:CLASS:FILE, unless its module registers it itself."""
    name, _, rest = place.partition(":")
    qualname, _, file = rest.partition(":")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        # A plugin that was loaded from a file cannot be found by the name of its module.
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    cls = operator.attrgetter(qualname)(module)
    if cls.mnemonic not in BY_MNEMONIC:
        register_instruction(cls)


def _say(message: dict[str, object]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    for each in sys.argv[3:]:
        add_instruction(each)
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
