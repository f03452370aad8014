"""`smalti-gui`: xDSL's interactive app, with Smalti's dialects and passes beside xDSL's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .arguments.command_line import EXIT_FINE, EXIT_WRONG_INPUT
from .arguments.files import InputFile, PassText
from .arguments.parser import Parser
from .program import add_program_arguments, run_program

if TYPE_CHECKING:
    from xdsl.interactive.app import InputApp

_FIRST_TEXT = """\
func.func @main(%x: tensor<1x3x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %w = top.weight "w" seed = 7 : tensor<4x3x3x3xf32>
  %c = top.conv2d "c" %x, %w pads = [1, 1, 1, 1] :
      (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x8x8xf32>
  %y = top.relu "y" %c : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  func.return %y : tensor<1x4x8x8xf32>
}
"""


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="smalti-gui",
        description="Try passes on IR in the terminal: xDSL's interactive app with Smalti's passes.",
    )
    parser.add_argument(
        "input", type=InputFile, nargs="?", help="IR file; a small network if left out"
    )
    parser.add_argument(
        "-p",
        "--passes",
        type=PassText,
        default="",
        metavar="PIPELINE",
        help="passes that are chosen already",
    )
    add_program_arguments(parser)
    return parser


def make_app(file: str | None = None, passes: str = "") -> InputApp:
    """Return the app on the text of `file` with the pipeline `passes` chosen.

    Raises DiagnosticError if textual is not installed, the file cannot be read, or the pipeline is wrong.
    """
    from ..backends.diagnostics.diagnostic import DiagnosticError

    try:
        from .interactive_app import SmaltiApp, told
    except ImportError as error:
        raise DiagnosticError(
            f"the interactive app needs a package that is not installed: {error.name}",
            hint="pip install 'smalti[gui]'",
        ) from None
    from xdsl.universe import Universe

    from ..dialects.ir.text.module_text import read_text
    from ..passes.registry import parse_pipeline

    universe = Universe.get_multiverse()
    return SmaltiApp(
        tuple(universe.all_dialects.items()),
        tuple((name, told(make())) for name, make in sorted(universe.all_passes.items())),
        file,
        _FIRST_TEXT if file is None else read_text(file),
        tuple(
            told(type(each)).from_pass_spec(each.pipeline_pass_spec())
            for each in parse_pipeline(passes)
        ),
    )


def _run(args: argparse.Namespace) -> int:
    from ..backends.diagnostics.diagnostic import DiagnosticError

    app = make_app(args.input, args.passes)
    if not (sys.stdin and sys.stdin.isatty()):
        raise DiagnosticError(
            "the interactive app needs a terminal, and standard input is none",
            hint="start it in a terminal, without a pipe; smalti-opt runs passes without one",
        )
    app.run()
    return EXIT_WRONG_INPUT if app.return_code else EXIT_FINE


def main(argv: Sequence[str] | None = None) -> int:
    """Run `smalti-gui` and return the exit code."""
    return run_program(_parser(), _run, argv)


if __name__ == "__main__":
    sys.exit(main())
