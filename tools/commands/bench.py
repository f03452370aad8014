"""`smalti bench`: serve a model or a program to traffic: throughput, latencies, and where the time goes."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments.cache import size as cache_size
from ..arguments.command_line import EXIT_FINE
from ..arguments.files import CacheFolder, InputFile, OutputFile, check_files
from ..arguments.model import natural, positive
from ..console.progress_bar import progress_bar

if TYPE_CHECKING:
    from ...backends.runtime.traffic.arrivals import Arrivals
    from ...backends.runtime.traffic.report import Report
    from ...compiler.serving.bench import BenchOptions, BenchResult

_HINTS = ("latency", "throughput", "cumulative_throughput")
_PROFILES = ("stats", "trace", "latency")
_DEFAULT_COUNT = 1000
MOST_INFERENCES = 2_000_000
"""Of each a record is kept, some 300 bytes."""
_MOST_NUMBER = 1e9
_UNITS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


def duration(text: str) -> int:
    """Parse a time such as 10s, 500ms or 1h, as an argparse type; return nanoseconds."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)?", text)
    nanoseconds = round(float(found[1]) * _UNITS[found[2] or "s"]) if found else 0
    if not nanoseconds:
        raise argparse.ArgumentTypeError(f"'{text}' is no time such as 10s, 500ms or 1h")
    return nanoseconds


def above_zero(text: str) -> float:
    """Parse a number above 0 and at most a billion, as an argparse type."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= _MOST_NUMBER:
        raise argparse.ArgumentTypeError(f"'{text}' is no number above 0 and at most a billion")
    return value


def counted(text: str) -> int:
    """Parse a number of inferences, as an argparse type: at most as many as their records have room in memory."""
    value = positive(text)
    if value > MOST_INFERENCES:
        raise argparse.ArgumentTypeError(f"{text} is more than {MOST_INFERENCES:,}")
    return value


def setting(text: str) -> tuple[str, str]:
    """Parse NAME=VALUE, as an argparse type."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME=VALUE")
    return name, value


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti bench`."""
    parser.add_argument(
        "model", type=InputFile, help="ONNX model (.onnx) or program file (.smalti)"
    )
    _add_serving_arguments(parser)
    _add_traffic_arguments(parser)
    report = parser.add_argument_group("the report")
    report.add_argument("--json", action="store_true", help="print the report as JSON")
    report.add_argument(
        "--plot",
        type=OutputFile,
        metavar="FILE",
        help="draw latencies over time and batches, as .png, .svg, .pdf or .html (needs smalti[plot])",
    )
    report.add_argument(
        "--profile",
        action="append",
        default=[],
        choices=_PROFILES,
        help="stats: where the device's time goes, by ONNX node (of a program file); trace: write what ran when for "
        "Perfetto; latency: how long inferences were in each stage, of the host and of the device; may be repeated",
    )
    report.add_argument(
        "--profile-output",
        type=OutputFile,
        metavar="FILE",
        help="the .json file of --profile trace",
    )
    report.add_argument(
        "--stats-batchsize",
        type=positive,
        default=1,
        metavar="N",
        help="count each request as so many inferences in the throughput: the batch that a program was compiled for "
        "(default: 1)",
    )


def _add_serving_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it is served")
    group.add_argument(
        "--device",
        default="TPU",
        metavar="D",
        help="TPU, CPU, AUTO, AUTO:TPU,CPU, BATCH:TPU(4), a plugin's; with properties: TPU(target=edge-1c) "
        "(default: TPU)",
    )
    group.add_argument("--hint", choices=_HINTS, help="what is to be good (default: latency)")
    group.add_argument(
        "--instances", type=positive, metavar="I", help="programs beside each other on the card"
    )
    group.add_argument(
        "--batch", type=positive, metavar="B", help="gather inferences into batches of so many"
    )
    group.add_argument(
        "--set-size",
        type=positive,
        metavar="S",
        help="runs of an instance under way at once, so that the host's time hides behind the device's",
    )
    group.add_argument(
        "--target", type=InputFile, metavar="TARGET", help="the machine that the TPU is"
    )
    group.add_argument("--quantize", metavar="FORMAT", help="int8, f16, bf16 or f32")
    group.add_argument(
        "--calibration", type=InputFile, metavar="DATA", help="for int8: data or a table"
    )
    group.add_argument(
        "--cache",
        type=CacheFolder,
        metavar="DIR",
        help="keep programs in this folder, and take them from there",
    )
    group.add_argument("--cache-size", type=cache_size, metavar="SIZE", help="such as 500M")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        type=setting,
        metavar="NAME=VALUE",
        help="a property of the runtime, such as AUTO_BATCH_TIMEOUT=5; may be repeated",
    )


def _add_traffic_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the traffic")
    group.add_argument(
        "--requests",
        type=counted,
        metavar="N",
        help="inferences under way at once (default: as many as keep the devices busy)",
    )
    group.add_argument(
        "--rate",
        type=above_zero,
        metavar="R",
        help="so many inferences a second on average, by chance (Poisson), in place of --requests",
    )
    group.add_argument(
        "--interval",
        type=above_zero,
        metavar="MS",
        help="an inference every so many milliseconds, in place of --requests",
    )
    group.add_argument(
        "--count",
        type=counted,
        metavar="N",
        help=f"inferences in all (default: {_DEFAULT_COUNT}; at most {MOST_INFERENCES:,})",
    )
    group.add_argument(
        "--duration",
        type=duration,
        metavar="TIME",
        help=f"ask for inferences so long: 10s, 500ms; ends after {MOST_INFERENCES:,} inferences",
    )
    group.add_argument(
        "--clock",
        choices=("real", "virtual"),
        default="real",
        help="real time, or simulated time, in which an hour passes in seconds and always in the same way; it computes "
        "no values (default: real)",
    )
    group.add_argument(
        "--cpu-ms",
        type=above_zero,
        metavar="MS",
        help="how long the CPU takes for an inference in virtual time (default: measured here)",
    )
    group.add_argument(
        "--seed", type=natural, default=0, metavar="N", help="of random inputs and arrivals"
    )
    group.add_argument(
        "--inputs",
        type=InputFile,
        metavar="FILE",
        help=".npz with an array per input; axis 0 may hold many samples (default: random numbers)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve the model and print the report."""
    from ...backends.diagnostics.diagnostic import DiagnosticError
    from ...backends.runtime.traffic.report import Report
    from ...compiler.inputs.arrays import read_npz
    from ...compiler.serving.bench import bench

    _check(args)
    check_files(args)
    options = _options(args)
    inputs = read_npz(args.inputs) if args.inputs else None
    total = args.count or 0
    with progress_bar() as progress:
        result = bench(
            args.model, options, inputs, lambda done: progress("inferences", done, max(total, done))
        )
    report = Report(result.records, args.stats_batchsize)
    if not report.done:
        raise DiagnosticError(
            f"none of {len(report.records):,} inferences succeeded: {next(iter(report.errors))}"
        )
    _write_files(args, result)
    if args.json:
        print(json.dumps({**_about(args, result), **report.to_json()}, indent=2))
    else:
        _print_report(args, result, report)
    return EXIT_FINE


def _check(args: argparse.Namespace) -> None:
    """Raise DiagnosticError for options that contradict each other."""
    from ...backends.diagnostics.diagnostic import DiagnosticError
    from ...compiler.pictures.figures import check_plot

    for group in (("requests", "rate", "interval"), ("count", "duration")):
        given = [f"--{name}" for name in group if getattr(args, name) is not None]
        if len(given) > 1:
            raise DiagnosticError(f"{' and '.join(given)} contradict each other", hint="give one")
    if "trace" in args.profile and args.profile_output is None:
        raise DiagnosticError(
            "--profile trace writes a file", hint="name it: --profile-output FILE"
        )
    if args.profile_output is not None and "trace" not in args.profile:
        raise DiagnosticError("--profile-output is for --profile trace", hint="leave it out")
    is_program = Path(args.model).suffix == ".smalti"
    if "stats" in args.profile and not is_program:
        raise DiagnosticError(
            "--profile stats is for a program file",
            hint="smalti compile makes one, or leave it out",
        )
    settled = [
        name for name in ("target", "quantize", "calibration", "cache") if getattr(args, name)
    ]
    if is_program and settled:
        raise DiagnosticError(
            f"--{settled[0]} says how a model is compiled, and this is a program",
            hint="leave it out, or give the ONNX model",
        )
    if args.cache_size is not None and args.cache is None:
        raise DiagnosticError("--cache-size is that of a folder", hint="give --cache DIR")
    if args.plot is not None:
        check_plot(args.plot)


def _options(args: argparse.Namespace) -> BenchOptions:
    from ...backends.diagnostics.diagnostic import DiagnosticError
    from ...backends.runtime.traffic.drive import Limit
    from ...compiler.serving.bench import BenchOptions

    properties: dict[str, object] = {
        name: value
        for name, value in (
            ("PERFORMANCE_HINT", args.hint and args.hint.upper()),
            ("INSTANCES", args.instances),
            ("SET_SIZE", args.set_size),
            ("TARGET", args.target),
            ("QUANTIZE", args.quantize),
            ("CALIBRATION", args.calibration and str(args.calibration)),
            ("CACHE_DIR", args.cache and str(args.cache)),
            ("CACHE_SIZE", args.cache_size),
        )
        if value is not None
    }
    for name, _ in args.set:
        if name in properties:
            raise DiagnosticError(
                f"property {name} is given twice", hint="by its own option, or by --set"
            )
    count = args.count or (_DEFAULT_COUNT if args.duration is None else MOST_INFERENCES)
    return BenchOptions(
        args.device,
        args.batch,
        {**properties, **dict(args.set)},
        args.clock == "virtual",
        _arrivals(args),
        Limit(count, args.duration),
        args.seed,
        args.cpu_ms,
    )


def _arrivals(args: argparse.Namespace) -> Arrivals | None:
    from ...backends.runtime.traffic.arrivals import Interval, Poisson, Pool

    if args.rate is not None:
        return Poisson(args.rate, args.seed)
    if args.interval is not None:
        return Interval(max(1, round(args.interval * 10**6)))
    return None if args.requests is None else Pool(args.requests)


def _write_files(args: argparse.Namespace, result: BenchResult) -> None:
    from ...backends.diagnostics.files import write_text
    from ...backends.runtime.traffic.report import traffic_trace

    if args.plot is not None:
        from ...compiler.pictures.traffic import plot_traffic

        plot_traffic(result.records, args.plot, f"{Path(args.model).name} on {args.device}")
    if args.profile_output is not None:
        write_text(args.profile_output, json.dumps(traffic_trace(result.records)) + "\n")


def _about(args: argparse.Namespace, result: BenchResult) -> dict[str, object]:
    return {
        "model": str(args.model),
        "device": args.device,
        "execution_devices": list(result.execution_devices),
        "clock": args.clock,
        "requests": result.under_way,
    }


def _print_report(args: argparse.Namespace, result: BenchResult, report: Report) -> None:
    from ..console.traffic_report import format_report, format_stages

    if result.under_way is not None:
        print(f"requests under way     {result.under_way:>14,}")
    print(format_report(report))
    if "latency" in args.profile:
        print()
        print(format_stages(report.stages))
    if "stats" in args.profile and result.program is not None:
        from ...backends.simulator.profile import profile
        from ...backends.simulator.simulate import time_program
        from ...backends.simulator.streams.streams import decode_program
        from ..console.timing_report import format_profile

        print()
        print(format_profile(profile(time_program(decode_program(result.program)), ("node",))))
    for path in (args.plot, args.profile_output):
        if path is not None:
            print(f"written: {path}")
