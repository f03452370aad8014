"""`python -m smalti.tools.new_target NAME --package FOLDER`: write a plugin package of one's own with a new target."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .arguments.command_line import EXIT_FINE, add_debug_argument, guarded
from .arguments.parser import Parser
from .arguments.version import add_version_argument
from .scaffolds.plugin_package import add_package_argument, print_package, write_package
from .scaffolds.target_sample import target_contents


def main(argv: Sequence[str] | None = None) -> int:
    """Write a plugin package as the command line says, and return the exit code."""
    parser = Parser(prog="python -m smalti.tools.new_target", description=__doc__)
    parser.add_argument("name", help="such as my-chip")
    parser.add_argument(
        "--like", default="edge-1c", metavar="TARGET", help="shipped target to start from (edge-1c)"
    )
    add_package_argument(parser, required=True)
    add_version_argument(parser)
    add_debug_argument(parser)
    args = parser.parse_args(argv)

    def run() -> int:
        print_package(
            write_package(args.package, target_contents(args.name, args.like)), args.package
        )
        return EXIT_FINE

    return guarded(run, debug=args.debug)


if __name__ == "__main__":
    sys.exit(main())
