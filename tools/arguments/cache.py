"""--cache and --cache-size: a folder of programs that were compiled before."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from .files import CacheFolder

if TYPE_CHECKING:
    from ...compiler.cache.entry_of import CacheOptions

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def size(text: str) -> int:
    """Parse a number of bytes, with K, M, G or T for powers of 1024, as an argparse type."""
    found = re.fullmatch(r"(\d{1,15})([KMGT]?)", text)
    if found is None or not int(found[1]):
        raise argparse.ArgumentTypeError(f"'{text}' is no size such as 500M or 10G")
    return int(found[1]) * _UNITS[found[2]]


def add_cache_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --cache and --cache-size."""
    parser.add_argument(
        "--cache",
        type=CacheFolder,
        metavar="DIR",
        help="keep the program in this folder, and take it from there if the same model was compiled with the same "
        "options before; several processes may share it. With files of IR to emit, or options that look at passes, "
        "it is compiled all the same",
    )
    parser.add_argument(
        "--cache-size",
        type=size,
        metavar="SIZE",
        help="the most that programs in the folder of --cache may take, such as 500M; those that nobody has used for "
        "longest go first (default: 10G)",
    )


def cache_of(args: argparse.Namespace) -> CacheOptions | None:
    """Return what the arguments say. Raises DiagnosticError if there is a size without a folder."""
    from ...backends.diagnostics.diagnostic import DiagnosticError
    from ...compiler.cache.entry_of import CacheOptions

    if args.cache is None:
        if args.cache_size is not None:
            raise DiagnosticError("--cache-size is that of a folder", hint="give --cache DIR")
        return None
    folder = Path(args.cache)
    return (
        CacheOptions(folder) if args.cache_size is None else CacheOptions(folder, args.cache_size)
    )
