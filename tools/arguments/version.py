"""`--version`, which every program takes."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn


def add_version_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option; the versions are looked up when it is given."""
    parser.add_argument("--version", action=_Version, help="show the version, and stop")


class _Version(argparse.Action):
    """Prints the program's name with the versions of Smalti and xDSL, and exits."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *unused: Any) -> NoReturn:
        from importlib.metadata import version

        print(f"{parser.prog} {version('smalti')} (xdsl {version('xdsl')})")
        parser.exit()
