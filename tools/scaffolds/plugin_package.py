"""Writes a plugin package of one's own: project file, package, golden tests, and the test that runs them.

FOLDER/pyproject.toml               with the entry point that makes the plugin known once it is installed
FOLDER/PACKAGE/__init__.py          with PLUGIN; PACKAGE is the folder's name with _ for -
FOLDER/PACKAGE/...                  what the plugin adds
FOLDER/tests/test_NAME.py           other tests
FOLDER/tests/lit/NAME.mlir          the golden tests
FOLDER/tests/lit/test_lit.py        runs them under pytest, lit.cfg.py under lit
"""

from __future__ import annotations

import argparse
import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

_PROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{project}"
version = "0.1.0"
description = "{summary}"
requires-python = ">=3.11"
dependencies = ["smalti"]

[project.optional-dependencies]
test = ["smalti[golden]"]

[project.entry-points."smalti.plugins"]
{project} = "{package}:PLUGIN"

[tool.setuptools]
packages = ["{package}"]

[tool.setuptools.package-data]
{package} = ["*.toml", "py.typed"]

[tool.pytest.ini_options]
testpaths = ["tests"]
# The tests run without the package being installed, too.
pythonpath = ["."]

[tool.ruff]
line-length = 100
target-version = "py311"

[tool.ruff.lint]
select = ["E", "F", "W", "I", "UP", "B"]
"""

_CONFTEST = '''\
"""Adds --update-golden, which writes the expected text of golden tests anew."""

import pytest
from smalti.tools.lit_runner.golden_test import add_update_option


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --update-golden."""
    add_update_option(parser)
'''

_TEST = '''\
"""The golden tests: every RUN line of every file beside this one."""

from pathlib import Path

import pytest
from smalti.tools.lit_runner.golden_test import check, golden_files

FILES = golden_files(Path(__file__).parent)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden(path: Path, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """What the commands print is what the file expects."""
    check(path, tmp_path, refresh=pytestconfig.getoption("--update-golden"))
'''

_LIT = '''\
"""Runs the golden tests with lit: `lit tests/lit`."""

import sys
from pathlib import Path

from smalti.tools.lit_runner.in_process_format import InProcessTest

config = globals()["config"]
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

config.name = "{project}"
config.suffixes = [".mlir"]
config.excludes = ["Inputs", "Output"]
config.test_source_root = str(HERE)
config.test_exec_root = str(HERE / "Output")
config.test_format = InProcessTest()
'''

_IGNORED = """\
__pycache__/
Output/
*.egg-info/
"""


@dataclass(frozen=True)
class Contents:
    """What a scaffold puts into a plugin package.

    Args:
        summary: what the plugin adds, in a sentence.
        plugin: the text of `__init__.py` below its docstring, which defines PLUGIN.
        files: by name, the other files of the package.
        golden: the golden tests by name, without .mlir.
        tests: by name, the other files of the folder of tests.

    In the texts of tests, PACKAGE stands where the name of the package does.
    """

    summary: str
    plugin: str
    files: Mapping[str, str]
    golden: Mapping[str, str]
    tests: Mapping[str, str] = field(default_factory=dict)


def add_package_argument(parser: argparse._ActionsContainer, *, required: bool) -> None:
    """Add the option that names the folder of the plugin package."""
    parser.add_argument(
        "--package",
        type=Path,
        required=required,
        metavar="FOLDER",
        help="write a plugin package of your own to FOLDER, which must be new or empty",
    )


def write_package(folder: Path, contents: Contents) -> list[Path]:
    """Write a plugin package to a folder, and return its files.

    Raises:
        DiagnosticError: if the folder has files already, if no package can have its name, or if a file cannot be
            written.
    """
    from ...backends.diagnostics.files import write_text

    package = _package_name(folder)
    project = package.replace("_", "-")
    names = {"project": project, "package": package, "summary": contents.summary}

    def named(text: str) -> str:
        return text.replace("PACKAGE", package)

    texts = {
        ".gitignore": _IGNORED,
        "pyproject.toml": _PROJECT.format_map(names),
        f"{package}/__init__.py": f'"""{contents.summary}"""\n\n{contents.plugin}',
        f"{package}/py.typed": "",
        **{f"{package}/{name}": text for name, text in contents.files.items()},
        "tests/lit/conftest.py": _CONFTEST,
        "tests/lit/test_lit.py": _TEST,
        "tests/lit/lit.cfg.py": _LIT.format_map(names),
        **{f"tests/{name}": named(text) for name, text in contents.tests.items()},
        **{f"tests/lit/{name}.mlir": named(text) for name, text in contents.golden.items()},
    }
    paths = [folder / name for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return paths


def print_package(paths: list[Path], folder: Path) -> None:
    """Print what was written, and the commands that come next."""
    for path in paths:
        print(f"written: {path}")
    print(f"then, in {folder}:")
    print("  python -m pytest                              run its tests")
    print("  python -m pytest tests/lit --update-golden    refresh golden tests after a change")
    print("  python -m pip install -e .                    make every tool know the plugin")


def _package_name(folder: Path) -> str:
    """Return the package's name in a folder that may be written to.

    Raises DiagnosticError if the folder is not empty, or its name is none for a package.
    """
    from ...backends.diagnostics.diagnostic import DiagnosticError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DiagnosticError(f"{folder} is there already", hint="give a new or empty folder")
    name = folder.resolve().name.replace("-", "_")
    if not (name.isascii() and name.isidentifier() and name == name.lower()):
        raise DiagnosticError(
            f"no package can have the name of the folder, '{folder.resolve().name}'",
            hint="small letters, digits and hyphens, a letter first: my-plugin",
        )
    if keyword.iskeyword(name) or name == "tests" or _is_module(name):
        raise DiagnosticError(
            f"Python has a module or a keyword '{name}' already",
            hint="choose another name for the folder",
        )
    return name


def _is_module(name: str) -> bool:
    """Return whether a module of that name is installed; an empty folder beside us is none."""
    found = find_spec(name)
    return found is not None and found.origin is not None
