"""No files of the library import each other in a circle.

Every import counts for a circle: those inside functions, which run late, and those under `TYPE_CHECKING`, which never
run. A circle of them is as hard to read as any other. What a package's `__init__.py` imports counts for whoever
imports a name from the package that is no module of it.
"""

from collections.abc import Iterator

from tests.shared_files import ROOT
from tests.unit.test_import_direction import imported_modules, library_files


def imports() -> dict[str, set[str]]:
    """The modules that each module of the library imports, all by their dotted names."""
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in library_files()
    }
    found: dict[str, set[str]] = {}
    for name, path in names.items():
        imported = (each for _, each in imported_modules(path))
        modules = {each if each in names else each.rpartition(".")[0] for each in imported}
        found[name] = (modules & names.keys()) - {name}
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The sets of nodes that reach each other, by Kosaraju's algorithm; each sorted."""
    order: list[str] = []
    seen: set[str] = set()
    for start in graph:
        order += _reached(start, graph, seen)
    backward: dict[str, set[str]] = {name: set() for name in graph}
    for name, others in graph.items():
        for other in others:
            backward[other].add(name)
    seen = set()
    parts = [sorted(_reached(start, backward, seen)) for start in reversed(order)]
    return [part for part in parts if len(part) > 1]


def _reached(start: str, graph: dict[str, set[str]], seen: set[str]) -> list[str]:
    """What is reached from a node and was not seen yet, each node after those that it leads to."""
    if start in seen:
        return []
    seen.add(start)
    left: list[str] = []
    path: list[tuple[str, Iterator[str]]] = [(start, iter(sorted(graph[start])))]
    while path:
        name, others = path[-1]
        step = next((other for other in others if other not in seen), None)
        if step is None:
            left.append(name)
            path.pop()
        else:
            seen.add(step)
            path.append((step, iter(sorted(graph[step]))))
    return left


def test_no_files_import_each_other_in_a_circle():
    found = circles(imports())
    assert not found, "\n".join(" ⇄ ".join(circle) for circle in found)


def test_the_checker_sees_circles():
    graph = {
        "a": {"b"},
        "b": {"c"},
        "c": {"b", "d"},
        "d": set(),
        "e": {"f"},
        "f": {"g"},
        "g": {"e"},
    }
    assert sorted(circles(graph)) == [["b", "c"], ["e", "f", "g"]]
    # The names of modules are resolved: this one imports a module, and a name from one.
    found = imports()["passes.tile.cut_to_local_memory"]
    assert "passes.smalti_pass" in found and "backends.diagnostics.diagnostic" in found
