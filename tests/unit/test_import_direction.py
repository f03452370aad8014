"""No module imports upwards: the table of the design, held."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("dialects", "passes", "backends", "compiler", "tools")

RANK = {
    "backends.diagnostics": 0,
    "backends.numerics": 1,
    "backends.targets": 2,
    "backends.instructions": 3,
    "passes.tiling": 3,
    "dialects": 4,
    "backends.program": 5,
    "passes": 6,
    "backends.interpreter": 7,
    "backends.simulator": 7,
    "backends.cpu": 7,
    "compiler": 8,
    "tools": 9,
}
"""Lowest first. A module may import its own layer and lower ones, but not another layer of the same rank.
`passes.tiling` is pure mathematics, below everything that knows IR."""

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


def imported_modules(path: Path) -> list[tuple[int, str]]:
    """(line, dotted name from the package's root, or the absolute name) of each import of a file."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0:
                found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
                continue
            base = package[: len(package) - node.level + 1]
            prefix = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            found += [(node.lineno, f"{prefix}.{alias.name}".lstrip(".")) for alias in node.names]
    return found


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


def test_the_checker_sees_an_upward_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The test above can fail: a planted upward import is found and resolved."""
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    planted = tmp_path / "passes" / "tile" / "bad.py"
    planted.parent.mkdir(parents=True)
    planted.write_text("from ...compiler import pipelines\nfrom ...dialects.tile import CopyOp\n")
    assert imported_modules(planted) == [(1, "compiler.pipelines"), (2, "dialects.tile.CopyOp")]
    assert RANK["compiler"] > RANK["passes"]
