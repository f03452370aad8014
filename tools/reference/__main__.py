"""`python -m smalti.tools.reference`: write the reference pages; with --check only say which are stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..arguments.version import add_version_argument


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check the pages; return the exit code, which is 1 if --check found stale ones."""
    parser = argparse.ArgumentParser(prog="python -m smalti.tools.reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if stale")
    add_version_argument(parser)
    args = parser.parse_args(argv)
    from .pages import stale_pages, write_pages

    if args.check:
        stale = stale_pages()
        for name in stale:
            print(f"stale: {name}; run python -m smalti.tools.reference", file=sys.stderr)
        return 1 if stale else 0
    for name in write_pages():
        print(f"written: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
