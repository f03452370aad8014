"""`--load-plugin`, which every program takes: it loads plugins before anything else is read."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.metadata import entry_points

from ...compiler.plugins.plugin_group import GROUP
from .command_line import DEBUG, EXIT_FINE, guarded
from .files import InputFile

_OPTION = "--load-plugin"


def add_plugin_argument(parser: argparse.ArgumentParser) -> None:
    """Document the option. When the parser runs, `load_plugins_of` has taken it off the command line already."""
    parser.add_argument(
        _OPTION,
        type=InputFile,
        action="append",
        default=[],
        metavar="FILE_OR_MODULE",
        help="Python file or module with a PLUGIN: dialects, passes, targets, instructions; may be "
        "repeated (installed plugins are always loaded)",
    )


def load_plugins_of(words: Sequence[str]) -> int:
    """Load the installed plugins and those that a command line names.

    Returns the exit code: 1, after a diagnostic, if a plugin is wrong.
    """
    if any(word in ("-h", "--help", "--version") for word in words):
        return EXIT_FINE
    sources = list(_sources(words))
    if not sources and not entry_points(group=GROUP):
        # What plugins register with takes a while to import.
        return EXIT_FINE

    def run() -> int:
        from ...compiler.plugins.plugin import load_installed_plugins, load_plugin

        load_installed_plugins()
        for source in sources:
            load_plugin(source)
        return EXIT_FINE

    return guarded(run, debug=DEBUG in words)


def _sources(words: Sequence[str]) -> list[str]:
    found: list[str] = []
    for index, word in enumerate(words):
        if word == _OPTION and index + 1 < len(words):
            found.append(words[index + 1])
        elif word.startswith(f"{_OPTION}="):
            found.append(word.partition("=")[2])
    return found
