"""The process of `parallel.py`: runs the program beside its folder on the samples in it.

    python -m smalti.backends.simulator.functional.worker FOLDER SAMPLES INSTRUCTION…

The last arguments name the classes of instructions that plugins have added (`AddedInstruction`).
It prints lines of JSON: `{"done": samples}` as it goes on, and `{"error": diagnostic}` if something is wrong.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import operator
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...diagnostics.diagnostic import as_diagnostic
from ...diagnostics.plugin_fault import note_plugin
from ...instructions.instruction_set import BY_MNEMONIC, register_instruction
from ...program import container
from .functional_simulator import FunctionalSimulator

_REPORTS = sys.stdout
"""Where the parent listens; what a plugin prints goes to standard error meanwhile."""


@dataclass(frozen=True)
class AddedInstruction:
    """Where to find the class of an instruction of a plugin.

    `plugin` is the plugin's name in messages; None for a class that was registered without one.
    """

    module: str
    qualname: str
    file: str
    plugin: str | None

    def register(self) -> None:
        """Import the class and register it, unless its module does that itself."""
        if self.plugin is not None:
            note_plugin(self.plugin, [self.file])
        try:
            module = importlib.import_module(self.module)
        except ModuleNotFoundError:
            # A plugin that was loaded from a file cannot be found by the name of its module.
            spec = importlib.util.spec_from_file_location(self.module, self.file)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[self.module] = module
            spec.loader.exec_module(module)
        cls = operator.attrgetter(self.qualname)(module)
        if cls.mnemonic not in BY_MNEMONIC:
            register_instruction(cls)


def main(folder: Path, samples: int, instructions: Sequence[AddedInstruction]) -> int:
    """Run the program on the samples, and return the exit code: 0 if all went well."""
    try:
        for each in instructions:
            each.register()
        _run(folder, samples)
    except KeyboardInterrupt:
        raise
    except MemoryError:
        _say({"error": {"message": "out of memory", "hint": "use fewer --jobs or fewer samples"}})
        return 1
    except BaseException as raised:
        error = as_diagnostic(raised)
        notes = [str(getattr(note, "message", note)) for note in error.notes]
        _say({"error": {"message": error.message, "notes": notes, "hint": error.hint}})
        return 1
    return 0


def _run(folder: Path, samples: int) -> None:
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


def _say(message: dict[str, object]) -> None:
    print(json.dumps(message), file=_REPORTS, flush=True)


if __name__ == "__main__":
    sys.stdout = sys.stderr
    added = [AddedInstruction(*json.loads(each)) for each in sys.argv[3:]]
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), added))
