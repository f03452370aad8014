"""Finds the plugin whose code raised an error, so that its mistake is told as its own and not as the user's."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from types import TracebackType

_PLUGINS: dict[str, str] = {}
"""The names of plugins by their files and folders."""


@dataclass(frozen=True)
class PluginFrame:
    """A line of a plugin that was running when an error was raised.

    `calls_library`: it had called Smalti or xDSL, and the error was raised there.
    """

    plugin: str
    function: str
    file: str
    line: int
    calls_library: bool = False

    def __str__(self) -> str:
        return f"{self.function}, {self.file}:{self.line}"


def note_plugin(name: str, paths: Iterable[str]) -> None:
    """Note that the files and folders `paths` belong to the plugin that messages call `name`."""
    for path in paths:
        _PLUGINS[os.path.realpath(path)] = name
    _plugin_of_file.cache_clear()


def plugin_of_file(path: str) -> str | None:
    """Return the name of the plugin that a file belongs to, or None."""
    return _plugin_of_file(path)


def plugin_frame(trace: TracebackType | None) -> PluginFrame | None:
    """Return the innermost line of a plugin in a traceback, or None if no plugin was running."""
    found: PluginFrame | None = None
    if not _PLUGINS:
        return None
    for frame, line in traceback.walk_tb(trace):
        code = frame.f_code
        name = _plugin_of_file(code.co_filename)
        if name is not None:
            found = PluginFrame(name, code.co_name, code.co_filename, line)
        elif found is not None and _is_library(frame.f_globals.get("__name__")):
            found = replace(found, calls_library=True)
    return found


def _is_library(module: object) -> bool:
    return isinstance(module, str) and module.startswith(("smalti.", "xdsl."))


@cache
def _plugin_of_file(path: str) -> str | None:
    real = os.path.realpath(path)
    while real not in _PLUGINS:
        above = os.path.dirname(real)
        if above == real:
            return None
        real = above
    return _PLUGINS[real]
