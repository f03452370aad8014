"""No module imports upwards, and no folders form a circle: the table of the design, held."""

from pathlib import Path

import pytest
from smalti.tools.reference.architecture import LAYERS, circles, folders, imported_modules

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("dialects", "passes", "backends", "compiler", "tools")

RANK = {name.replace("/", "."): rank for name, rank in LAYERS.items()}
"""The layers of the architecture's page, as modules."""

SIMULATOR_MAY_IMPORT = {
    "backends.diagnostics",
    "backends.numerics",
    "backends.targets",
    "backends.instructions",
    "backends.program",
    "backends.simulator",
}
NO_XDSL = (
    "backends.diagnostics",
    "backends.numerics",
    "backends.targets",
    "backends.instructions",
    "backends.simulator",
    "passes.tiling",
)


def layer_of(module: str) -> str | None:
    """The innermost layer that a module lies in."""
    found = [name for name in RANK if module == name or module.startswith(name + ".")]
    return max(found, key=len, default=None)


def library_files() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", library_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_downwards(path: Path):
    importer = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    own = layer_of(importer)
    if own is None:
        return
    for line, name in imported_modules(path):
        assert not name.startswith("smalti."), f"{path}:{line}: import {name} relatively"
        layer = layer_of(name)
        if layer is None:
            if own in NO_XDSL:
                assert not name.startswith("xdsl"), f"{path}:{line}: {own} must not know xDSL"
            continue
        assert layer == own or RANK[layer] < RANK[own], f"{path}:{line}: {own} imports {layer}"
        if own == "backends.simulator":
            assert layer in SIMULATOR_MAY_IMPORT, f"{path}:{line}: the simulator imports {name}"


def test_the_checker_sees_an_upward_import(tmp_path: Path):
    """The test above can fail: a planted upward import is found and resolved."""
    planted = tmp_path / "passes" / "tile" / "bad.py"
    planted.parent.mkdir(parents=True)
    planted.write_text("from ...compiler import pipelines\nfrom ...dialects.tile import CopyOp\n")
    assert list(imported_modules(planted, tmp_path)) == [
        (1, "compiler.pipelines"),
        (2, "dialects.tile.CopyOp"),
    ]
    assert RANK["compiler"] > RANK["passes"]


def test_no_folders_import_each_other():
    """What one folder needs of another, the other does not need of it, not even by way of a third."""
    assert circles({folder.path: folder.imports for folder in folders()}) == []


def test_a_circle_of_folders_is_found():
    """The test above can fail: a circle is named with all its folders, without those that only lead to it."""
    edges = {"tools": ["a"], "a": ["b"], "b": ["c"], "c": ["a", "d"], "d": []}
    assert circles(edges) == [["a", "b", "c"]]
