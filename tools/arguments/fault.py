"""Arguments that say which fault smalti-bisect and smalti-reduce look for, and in what."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from .files import InputFile, PassText

if TYPE_CHECKING:
    from ...compiler.debugging.experiment import Experiment
    from ...compiler.debugging.inputs import InputSource
    from ...compiler.debugging.predicate import Predicate


def add_fault_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the input, the pipeline, and the predicates, of which one may be given."""
    parser.add_argument("input", type=InputFile, help="IR file of any level, or ONNX model")
    parser.add_argument(
        "-p",
        "--passes",
        type=PassText,
        default="",
        metavar="PIPELINE",
        help='passes in order: "a,b{option=1}"',
    )
    fault = parser.add_mutually_exclusive_group()
    fault.add_argument(
        "--fails",
        metavar="REGEX",
        help="a pass or the verifier stops with a message that matches",
    )
    fault.add_argument(
        "--numerics",
        type=InputFile,
        metavar="INPUTS",
        help="a pass changes what is computed on an .npz, or on random:SEED, or stops it from running",
    )
    fault.add_argument(
        "--command",
        metavar="COMMAND",
        help="a command exits with another code than 0; {} stands for the IR after the passes",
    )
    fault.add_argument(
        "--cycles-above",
        type=int,
        metavar="N",
        help="lowered the rest of the way, the program takes more cycles",
    )
    fault.add_argument(
        "--cycles-grow",
        action="store_true",
        help="lowered the rest of the way, the program takes more cycles than without the passes",
    )
    parser.add_argument(
        "--tolerance",
        type=_share,
        metavar="SHARE",
        help="for --numerics: largest error of each pass as a share of an output's range; 0: equal to "
        "the bit (default: what each pass declares)",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="for --command: what takes longer has failed (default: 60)",
    )


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no share of a range: 0 or more")
    return share


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no time: more than 0 seconds")
    return seconds


def experiment_of(args: argparse.Namespace) -> Experiment:
    """Return the experiment that the arguments describe.

    Raises DiagnosticError if the file or the pipeline is wrong.
    """
    from ...compiler.debugging.experiment import IrExperiment, OnnxExperiment
    from ...dialects.context import make_context
    from ...passes.registry import parse_pipeline, print_pipeline

    passes = tuple(print_pipeline([each]) for each in parse_pipeline(args.passes))
    if Path(args.input).suffix == ".onnx":
        from ...compiler.onnx_import.model.model_file import read_model

        return OnnxExperiment(passes, read_model(args.input))
    return IrExperiment.read(args.input, make_context(), passes)


def predicate_of(args: argparse.Namespace, experiment: Experiment) -> Predicate:
    """Return the predicate that the arguments describe; without one: "fails as it does now".

    Raises DiagnosticError if no predicate is given and nothing fails now.
    """
    from ...backends.diagnostics.diagnostic import DiagnosticError
    from ...compiler.debugging.predicate import (
        ChangesNumbers,
        CommandFails,
        CyclesAbove,
        Fails,
        failure_of,
    )

    if args.fails is not None:
        return Fails.matching(args.fails)
    if args.numerics is not None:
        return ChangesNumbers(_source(args.numerics, experiment), args.tolerance)
    if args.command is not None:
        return CommandFails(args.command, timeout_seconds=args.timeout)
    if args.cycles_grow:
        return CyclesAbove(None)
    if args.cycles_above is not None:
        return CyclesAbove(args.cycles_above)
    message = failure_of(experiment)
    if message is None:
        raise DiagnosticError(
            "the passes go through, and no fault is named",
            hint="give --fails, --numerics, --command, --cycles-above or --cycles-grow",
        )
    return Fails.like(message)


def _source(source: str, experiment: Experiment) -> InputSource:
    """Return the inputs that are asked for; to arrays of an .npz add every value that the network computes on them.

    Parts that are cut out then run on the values that they really saw.
    """
    from ...compiler.debugging.inputs import InputSource
    from ...compiler.debugging.recording import record

    inputs = InputSource.of(source)
    if not inputs.known:
        return inputs
    return InputSource(record(*experiment.start(), inputs.known))
