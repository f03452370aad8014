"""`python -m smalti.tools.new_pass`: what it writes is registered and passes its own golden test."""

import importlib.util
import sys
from pathlib import Path

import pytest
from smalti.passes import registry
from smalti.tools.lit_runner.golden_update import is_generated, update
from smalti.tools.lit_runner.shell import run, run_lines, substituted
from smalti.tools.new_pass import main

LEVELS = ("top", "tpu", "tile", "isa")
PACKAGE = Path(registry.__file__).parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the registry and the list of packages in it."""
    (tmp_path / "passes").mkdir()
    (tmp_path / "passes" / "registry.py").write_text((PACKAGE / "registry.py").read_text())
    project = PACKAGE.parent / "pyproject.toml"
    (tmp_path / "pyproject.toml").write_text(project.read_text())
    for level in LEVELS:
        if (PACKAGE / level).is_dir():
            (tmp_path / "passes" / level).mkdir()
    return tmp_path


@pytest.mark.parametrize("level", LEVELS)
def test_scaffold_runs(level: str, checkout: Path, monkeypatch: pytest.MonkeyPatch):
    name = f"{level}-try-it-out"
    assert main([name, "--level", level, "--root", str(checkout)]) == 0
    source = checkout / "passes" / level / "try_it_out.py"
    module = f"smalti.passes.{level}.try_it_out"
    spec = importlib.util.spec_from_file_location(module, source)
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, module, loaded)
    spec.loader.exec_module(loaded)
    entry = f".{level}.try_it_out:TryItOut"
    assert f'    "{name}": "{entry}",\n' in (checkout / "passes" / "registry.py").read_text()
    monkeypatch.setitem(registry.PASSES, name, entry)
    golden = checkout / "tests" / "lit" / "passes" / level / "try_it_out.mlir"
    for line in run_lines(golden):
        code, out, err = run(substituted(line, golden, checkout / "t"))
        assert code == 0, err + out
    assert is_generated(golden.read_text()) and not update(golden, checkout / "file_of_a_test")
    listed = '"smalti.passes.isa",' in (checkout / "pyproject.toml").read_text()
    assert listed == (level == "isa" or (PACKAGE / "isa").is_dir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tile-x y", "--level", "tile"], "is no name for a pass of level tile"),
        (["merge", "--level", "top"], "top-do-something"),
        (["top-fold-shapes", "--level", "top"], "a pass 'top-fold-shapes' already"),
    ],
)
def test_mistakes_are_diagnostics(
    words: list[str], message: str, checkout: Path, capsys: pytest.CaptureFixture[str]
):
    before = sorted(checkout.rglob("*"))
    assert main([*words, "--root", str(checkout)]) == 1
    assert message in capsys.readouterr().err
    assert sorted(checkout.rglob("*")) == before


def test_folder_that_is_no_checkout(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["top-new", "--level", "top", "--root", str(tmp_path)]) == 1
    assert "is no checkout of Smalti" in capsys.readouterr().err
