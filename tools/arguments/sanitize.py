"""The argument that leaves the sanitizer out where a program comes from a text."""

from __future__ import annotations

import argparse


def add_no_sanitize(parser: argparse.ArgumentParser) -> None:
    """Add --no-sanitize, which sets `sanitize`."""
    parser.add_argument(
        "--no-sanitize",
        dest="sanitize",
        action="store_false",
        help="do not look for races, unwritten reads and deadlock in a program that comes from tile or isa IR",
    )
