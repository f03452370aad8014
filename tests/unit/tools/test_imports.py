"""What the quick commands load: not what they do not need."""

import subprocess
import sys
from pathlib import Path

import pytest
from smalti.backends.program import container
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions

from tests.end_to_end.conftest import small_model

HEAVY = ("xdsl", "onnx", "onnxruntime", "scipy", "lark", "numba", "hypothesis")
LOADED = """
import sys
from smalti.tools.{program} import main
try:
    main(sys.argv[1:])
except SystemExit as stop:
    assert not stop.code
print(*sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
"""


def loaded(program: str, *words: object) -> set[str]:
    """The top-level modules that a process has loaded after a command."""
    ran = subprocess.run(
        [sys.executable, "-c", LOADED.format(program=program), *map(str, words)],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stderr.split())


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "small.smalti"
    program = start_from_model(small_model(), CompileOptions("edge-1c", None, "f32")).assemble()
    container.save(program, path)
    return path


def test_the_help_of_smalti_loads_nothing_heavy():
    assert not loaded("main", "--help") & {*HEAVY, "numpy"}


def test_the_help_of_smalti_opt_loads_xdsl_at_most():
    """Of it what its names of passes and their options need."""
    assert not loaded("opt", "--help") & {*HEAVY, "numpy"} - {"xdsl"}


def test_the_time_of_a_program_is_found_without_xdsl(program: Path):
    assert not loaded("main", "run", program, "--mode", "timing") & {*HEAVY}
