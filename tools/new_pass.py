"""`python -m smalti.tools.new_pass NAME --level tile`: write a new pass, its registration and its golden test; with
`--package FOLDER`, as a plugin package of one's own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from .arguments.command_line import EXIT_FINE, add_debug_argument, guarded
from .arguments.parser import Parser
from .arguments.version import add_version_argument
from .scaffolds.pass_sample import (
    LEVELS,
    class_of,
    pass_contents,
    pass_golden,
    pass_source,
    stem_of,
)
from .scaffolds.plugin_package import add_package_argument, print_package, write_package

ROOT = Path(__file__).resolve().parents[1]


def scaffold(name: str, level: str, root: Path = ROOT) -> list[Path]:
    """Write the three files of pass `name` below `root` and return them.

    Raises DiagnosticError if the name is not that of a pass or is taken, or if `root` is no checkout of Smalti.
    """
    from ..backends.diagnostics.diagnostic import DiagnosticError
    from ..backends.diagnostics.files import write_text

    stem = stem_of(name, level)
    source = root / "passes" / level / f"{stem}.py"
    test = root / "tests" / "lit" / "passes" / level / f"{stem}.mlir"
    registry = root / "passes" / "registry.py"
    # An installed Smalti has the registry, too, but no project file.
    if not registry.is_file() or not (root / "pyproject.toml").is_file():
        raise DiagnosticError(
            f"{root} is no checkout of Smalti",
            hint="give its folder with --root, or --package FOLDER to write a plugin of your own",
        )
    for path in (source, test):
        if path.exists():
            raise DiagnosticError(f"{path} is there already", hint="choose another name")
    registered = _register(registry.read_text(), name, level, stem, class_of(stem))
    new_folder = not source.parent.is_dir()
    source.parent.mkdir(parents=True, exist_ok=True)
    test.parent.mkdir(parents=True, exist_ok=True)
    if new_folder:
        _add_package(root / "pyproject.toml", level)
        write_text(source.parent / "__init__.py", f'"""Passes on {level} IR."""\n')
        write_text(source.parent / "py.typed", "")
    write_text(source, pass_source(name, level, in_package=False))
    write_text(test, pass_golden(name, level))
    write_text(registry, registered)
    return [source, test, registry]


def _register(text: str, name: str, level: str, stem: str, cls: str) -> str:
    """Return the registry with a line for the pass, after the others of its level."""
    from ..backends.diagnostics.diagnostic import DiagnosticError

    line = f'    "{name}": ".{level}.{stem}:{cls}",\n'
    if f'"{name}"' in text:
        raise DiagnosticError(f"there is a pass '{name}' already", hint="choose another name")
    begin = text.index("\nPASSES: ")
    end = text.index("\n}\n", begin) + 1
    last = text.rfind(f': ".{level}.', begin, end)
    at = end if last < 0 else text.index("\n", last) + 1
    return text[:at] + line + text[at:]


def _add_package(project: Path, level: str) -> None:
    """List the folder of a level's first pass among the packages."""
    from ..backends.diagnostics.files import write_text

    text = project.read_text()
    after = '    "smalti.passes.tile.tilers",\n'
    write_text(project, text.replace(after, f'{after}    "smalti.passes.{level}",\n'))


def main(argv: Sequence[str] | None = None) -> int:
    """Write a new pass as the command line says, and return the exit code."""
    parser = Parser(prog="python -m smalti.tools.new_pass", description=__doc__)
    parser.add_argument("name", help="such as tile-merge-fills: the level, then what it does")
    parser.add_argument("--level", required=True, choices=LEVELS, help="the IR it works on")
    places = parser.add_mutually_exclusive_group()
    add_package_argument(places, required=False)
    places.add_argument(
        "--root", type=Path, default=ROOT, metavar="FOLDER", help="checkout to write to (this one)"
    )
    add_version_argument(parser)
    add_debug_argument(parser)
    args = parser.parse_args(argv)

    def run() -> int:
        if args.package is not None:
            paths = write_package(args.package, pass_contents(args.name, args.level))
            print_package(paths, args.package)
            return EXIT_FINE
        for path in scaffold(args.name, args.level, args.root):
            print(f"written: {path}")
        print("then: write the pattern, and refresh what is generated:")
        print("  python -m pytest tests/lit --update-golden; python -m smalti.tools.reference")
        return EXIT_FINE

    return guarded(run, debug=args.debug)


if __name__ == "__main__":
    sys.exit(main())
