"""Finds the tables of a folder's modules: a family of functions, or of ops, is known because its file is there."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import Any


def module_tables(package: str, name: str) -> Iterator[Any]:
    """Import the modules of a package and of the folders in it, in alphabetical order, and yield the variable `name`
    of each module that has it.
    """
    folder = import_module(package)
    for found in walk_packages(folder.__path__, f"{package}."):
        module = import_module(found.name)
        if hasattr(module, name):
            yield getattr(module, name)
