"""Tells which files belong to a plugin, so that errors that are raised in them are told as the plugin's."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from ...backends.diagnostics.plugin_fault import note_plugin, plugin_of_file

_LIBRARIES = frozenset({"smalti", "xdsl"})


def files_of_module(module: ModuleType) -> list[str]:
    """Return the file of a plugin's module, or the folder of the package that it is in; nothing for a module of Smalti
    or xDSL, or without a file.
    """
    file = getattr(module, "__file__", None)
    if file is None or module.__name__.partition(".")[0] in _LIBRARIES:
        return []
    return [str(Path(file).parent) if getattr(module, "__package__", "") else file]


def note_plugin_parts(parts: Iterable[object], name: str | None) -> None:
    """Note the files of the classes and functions that a plugin adds as the plugin's, unless they are known already.

    Without a `name` each is called as the module in it is.
    """
    for part in parts:
        module = sys.modules.get(getattr(part, "__module__", None) or "")
        if module is None:
            continue
        for file in files_of_module(module):
            if plugin_of_file(file) is None:
                note_plugin(name or module.__name__, [file])
