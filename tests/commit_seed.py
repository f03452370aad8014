"""A seed that changes with the commit: a sweep that is too long to run whole runs another share with each commit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from math import ceil
from typing import TypeVar
from zlib import crc32

from tests.shared_files import ROOT

VARIABLE = "SMALTI_TEST_SEED"
"""The environment variable that names the seed of a run that is to be repeated, or "all": then sweeps run whole."""

Item = TypeVar("Item")


@cache
def seed_of_commit() -> int:
    """Return the seed that `SMALTI_TEST_SEED` names; without one that changes with the commit, or 0 where there is no
    repository.
    """
    given = os.environ.get(VARIABLE, "")
    if given.isdigit():
        return int(given)
    shown = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return int(shown.stdout[:7], 16) if shown.returncode == 0 else 0


def runs_all() -> bool:
    """Return whether sweeps run whole."""
    return os.environ.get(VARIABLE) == "all"


def replay() -> str:
    """Say what the seed is, and how to run the same shares again."""
    if runs_all():
        return f"{VARIABLE}=all: sweeps run whole"
    seed = seed_of_commit()
    return f"seed of the commit: {seed} ({VARIABLE}={seed} runs the same shares of sweeps, {VARIABLE}=all all)"


def number_of_commit(name: str) -> int:
    """Return a number of 32 bits for a name, another with each commit."""
    return crc32(f"{seed_of_commit()} {name}".encode())


def share_of_commit(
    items: Iterable[Item], parts: int, name: Callable[[Item], str] = str
) -> list[Item]:
    """Return one of so many parts of some items, rounded up, in their order: other ones with each commit. `name` tells
    them apart.
    """
    every = list(items)
    if runs_all():
        return every
    order = sorted(every, key=lambda item: number_of_commit(name(item)))
    chosen = {name(item) for item in order[: ceil(len(every) / parts)]}
    return [item for item in every if name(item) in chosen]


def is_of_commit(name: str, parts: int) -> bool:
    """Return whether a name is in the commit's share, which is about one of so many parts."""
    return runs_all() or number_of_commit(name) % parts == 0
