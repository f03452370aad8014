"""More than 200 bad models: each is a diagnostic, within 10 s of the processor's time and 1 GB of memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared_files import ROOT

from .bad_model_runs import MEMORY_BYTES
from .bad_models import FAMILIES, Bad


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is told by Linux")
@pytest.mark.parametrize("family", FAMILIES)
def test_bad_models_are_diagnostics(tmp_path: Path, family: str):
    made = write(list(FAMILIES[family]()), tmp_path / "models")
    words = [sys.executable, "-m", "tests.end_to_end.bad_input.bad_model_runs", tmp_path / "models"]
    ran = subprocess.run(
        [*words, *made], cwd=ROOT, capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": "0"}
    )  # fmt: skip
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    wrong = [f"{made[each['name']]}: {said}" for each in found if (said := fault(each))]
    if len(found) < len(made):
        wrong.append(f"{[*made.values()][len(found)]} ended the process: {ran.stderr[-500:]}")
    assert not wrong, "\n".join(wrong)


def write(models: list[Bad], folder: Path) -> dict[str, str]:
    """Write models beside what external data may name; return their names by those of the files."""
    (folder / "d").mkdir(parents=True)
    (folder / "w.bin").write_bytes(bytes(100))
    (folder.parent / "secret.bin").write_bytes(bytes(4096))
    (folder / "l").symlink_to(folder.parent / "secret.bin")
    for number, (_, model) in enumerate(models):
        data = model if isinstance(model, bytes) else model.SerializeToString()
        (folder / f"m{number}.onnx").write_bytes(data)
    return {f"m{number}": name for number, (name, _) in enumerate(models)}


def fault(ran: dict) -> str:
    """What is wrong with how a command went; empty if nothing."""
    error = ran["error"]
    if ran["code"] != 1:
        return f"{ran['code']} {error[:300]}"
    for word in ("Traceback", "internal error", "out of memory", "raised in"):
        if word in error:
            return error[:600]
    if "error:" not in error:
        return f"no error: {error[:300]}"
    return f"{ran['peak']:,} bytes" if ran["peak"] > MEMORY_BYTES else ""


def test_there_are_enough():
    models = [each for family in FAMILIES.values() for each in family()]
    names = [name for name, _ in models]
    assert len(names) >= 200 and len(set(names)) == len(names)
