"""What the commands that measure networks share: which networks, and the loop over them."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Collection, Iterator

from smalti.tools.console.progress_bar import progress_bar

from .accuracy import Case
from .catalog import LARGER, NETWORKS

KNOWN = NETWORKS | LARGER
"""All networks, by name."""


def add_names(parser: argparse.ArgumentParser, default: Collection[str]) -> None:
    """Adds the argument for names of networks."""
    help = f"networks (default: {', '.join(default)})"
    parser.add_argument("names", nargs="*", metavar="NAME", help=help)


def refuse_unknown(
    parser: argparse.ArgumentParser, names: Collection[str], known: Collection[str]
) -> None:
    """Ends the program if a name is not known."""
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"no network {', '.join(unknown)}; there are {', '.join(known)}")


def cases(names: Collection[str]) -> Iterator[Case]:
    """Each network with its data, one after the other, with a bar that shows how many are done; those whose files are
    not here are named and left out.
    """
    with progress_bar() as progress:
        for index, name in enumerate(names):
            network = KNOWN[name]
            if not network.is_here:
                print(f"{name}: {network.file} is not here", file=sys.stderr)
                continue
            progress("networks", index, len(names))
            yield Case(network)
            gc.collect()
