"""`smalti`: from an ONNX model to accuracy and cycles, one subcommand per step."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from .arguments.command_line import EXIT_USAGE, add_debug_argument
from .arguments.parser import Parser
from .arguments.plugin import add_plugin_argument
from .arguments.version import add_version_argument
from .program import run_program

COMMANDS: dict[str, str] = {
    "demo": "compile and run the bundled digits network: accuracy, cycles, files of each level",
    "import": "ONNX model to top IR",
    "export": "top IR to ONNX model",
    "calibrate": "where the tensors of a network saturate in 8 bits, as a table that people read and edit",
    "sensitivity": "what quantizing each layer alone does to the outputs, and which few layers to keep in floats",
    "search": "pick a scheme for each layer: the least cycles with which the outputs are as good as asked",
    "compile": "ONNX model or IR of any level to IR of lower levels and a program file",
    "run": "run a program or IR of any level on inputs, functionally and in time",
    "bench": "serve a model or a program to traffic: throughput, latencies, and where the time goes",
    "experiments": "what AUTO and automatic batching do with traffic, as a page with plots and tables",
    "compare": "outputs and every intermediate tensor of a level against ONNX Runtime, worst first",
    "info": "what a program holds, needs and takes: memory, cores, energy, speed, its bound, and advice",
    "diff": "what changed between two programs, per ONNX node: instructions, bytes, cycles",
    "assemble": "isa IR to a program file",
    "disassemble": "program file to isa IR",
    "targets": "the machines that can be compiled for",
    "ops": "the ONNX operators accepted, per opset, and where each runs",
}
"""The subcommands in the order of the help; `import` lives in commands/import_model.py, the rest under their names."""

_MODULES = {"import": "import_model"}

_EPILOG = """\
a first session:
  smalti demo
  smalti compile model.onnx --calibration images.npz -o model.smalti --emit top,tpu,tile,isa,program
  smalti run model.smalti --inputs images.npz --outputs logits.npz --mode both
  smalti compare model.onnx --level tpu --calibration images.npz

exit codes: 0 fine, 1 the input is wrong (the message says what, where, what to do), 2 usage
"""


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """Return the parser; it loads the module of the chosen subcommand only, which keeps start-up quick."""
    parser = Parser(
        prog="smalti",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version_argument(parser)

    def show_help(args: argparse.Namespace) -> int:
        parser.print_help(sys.stderr)
        return EXIT_USAGE

    parser.set_defaults(run=show_help, debug=False)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        sub = subparsers.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == chosen:
            module = importlib.import_module(f".commands.{_MODULES.get(name, name)}", __package__)
            module.add_arguments(sub)
            add_plugin_argument(sub)
            add_debug_argument(sub)
            sub.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run `smalti` and return the exit code."""
    words = sys.argv[1:] if argv is None else argv
    chosen = next((word for word in words if not word.startswith("-")), None)
    return run_program(_parser(chosen), lambda args: args.run(args), words)


if __name__ == "__main__":
    sys.exit(main())
