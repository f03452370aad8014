"""The layers of the library, its folders, and who imports whom: read from the source, not from memory."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

LAYERS: dict[str, int] = {
    "backends/diagnostics": 0,
    "backends/numerics": 1,
    "backends/targets": 2,
    "backends/instructions": 3,
    "passes/tiling": 3,
    "dialects/ir": 4,
    "dialects/quant": 5,
    "dialects/isa": 5,
    "dialects/network": 6,
    "dialects/top": 7,
    "dialects/tpu": 7,
    "dialects/tile": 8,
    "dialects": 9,
    "backends/program": 10,
    "passes": 11,
    "backends/interpreter": 12,
    "backends/simulator": 12,
    "backends/cpu": 12,
    "backends/runtime": 13,
    "compiler": 14,
    "tools": 15,
}
"""Each layer's rank, lowest first: a module imports its own layer and layers of lower rank, no other one.
`passes/tiling` is pure mathematics, below everything that knows IR."""


@dataclass(frozen=True)
class Folder:
    """A folder of modules, its purpose, and the other folders that they import."""

    path: str
    summary: str
    imports: tuple[str, ...]


def layer_of(folder: str, layers: Collection[str] = LAYERS) -> str | None:
    """Return the innermost layer of a folder (or of a module, as a path), or None if it is in no layer."""
    inside = [name for name in layers if folder == name or folder.startswith(f"{name}/")]
    return max(inside, key=len, default=None)


def folders(root: Path = ROOT) -> list[Folder]:
    """Return every folder of the library that has modules, by layer, from the top."""
    tops = {name.partition("/")[0] for name in LAYERS}
    found = [
        _read(path.parent, root)
        for top in tops
        for path in sorted((root / top).rglob("__init__.py"))
    ]
    inside = [each for each in found if layer_of(each.path)]
    return sorted(inside, key=lambda each: (-LAYERS[layer_of(each.path) or ""], each.path))


def layer_imports(found: list[Folder], layers: Collection[str] = LAYERS) -> dict[str, set[str]]:
    """Return for each layer the other layers that its folders import."""
    edges: dict[str, set[str]] = {name: set() for name in layers}
    for folder in found:
        own = layer_of(folder.path, layers)
        assert own is not None, f"{folder.path} is in no layer"
        edges[own] |= {layer for each in folder.imports if (layer := layer_of(each, layers))} - {
            own
        }
    return edges


def direct(edges: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out the imports that follow from others: return the transitive reduction of a graph without circles."""

    def reached(name: str) -> set[str]:
        return edges[name].union(*(reached(each) for each in edges[name]))

    return {
        name: {each for each in below if not any(each in reached(other) for other in below)}
        for name, below in edges.items()
    }


def circles(edges: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Return each largest set of names that all reach one another along the edges, sorted; [] if no edges form a
    circle.
    """

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        open_names = [start]
        while open_names:
            new = set(edges.get(open_names.pop(), ())) - found
            found |= new
            open_names += new
        return found

    below = {name: reached(name) for name in edges}
    found = {
        tuple(sorted(other for other in names if name in below.get(other, ())))
        for name, names in below.items()
        if name in names
    }
    return [list(each) for each in sorted(found)]


def imported_modules(path: Path, root: Path = ROOT) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of each import of a file, relative ones counted from the library's root."""
    package = list(path.relative_to(root).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = [*base, *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                yield node.lineno, ".".join([*prefix, alias.name])


def _read(folder: Path, root: Path) -> Folder:
    modules = sorted(folder.glob("*.py"))
    own = folder.relative_to(root).as_posix()
    imported = {
        _folder_of(name, root) for module in modules for _, name in imported_modules(module, root)
    }
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    return Folder(
        own,
        " ".join((docstring or "").partition("\n\n")[0].split()),
        tuple(sorted(imported - {own, ""})),
    )


def _folder_of(name: str, root: Path) -> str:
    """Return the folder of the library that holds a dotted name; "" if none does."""
    parts = name.split(".")
    while parts and not root.joinpath(*parts).is_dir():
        parts.pop()
    path = "/".join(parts)
    return path if layer_of(path) else ""
