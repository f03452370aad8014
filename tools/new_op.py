"""`python -m smalti.tools.new_op NAME --package FOLDER`: write a plugin package of one's own with a new op, from the
ONNX node to the instruction; with `--decompose`, with an op that a pass writes with ops of top.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .arguments.command_line import EXIT_FINE, add_debug_argument, guarded
from .arguments.parser import Parser
from .arguments.version import add_version_argument
from .scaffolds.decomposed_op_sample import decomposed_op_contents
from .scaffolds.op_sample import op_contents
from .scaffolds.plugin_package import add_package_argument, print_package, write_package


def main(argv: Sequence[str] | None = None) -> int:
    """Write a plugin package as the command line says, and return the exit code."""
    parser = Parser(prog="python -m smalti.tools.new_op", description=__doc__)
    parser.add_argument("name", help="such as mine.hard_gate: a dialect of your own, then the op")
    add_package_argument(parser, required=True)
    parser.add_argument(
        "--decompose",
        action="store_true",
        help="write an op of level top alone, and a pass that replaces it by ops that are there",
    )
    add_version_argument(parser)
    add_debug_argument(parser)
    args = parser.parse_args(argv)

    def run() -> int:
        contents = decomposed_op_contents if args.decompose else op_contents
        print_package(write_package(args.package, contents(args.name)), args.package)
        return EXIT_FINE

    return guarded(run, debug=args.debug)


if __name__ == "__main__":
    sys.exit(main())
