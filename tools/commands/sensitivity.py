"""`smalti sensitivity`: what quantizing each layer alone does to the outputs, and which few to keep in floats."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...compiler.calibration.clipping.method import BEST_OF, METHODS
from ...passes.top_to_tpu.precision.schemes import SCHEMES
from ..arguments.command_line import EXIT_FINE
from ..arguments.files import OutputFile, check_files
from ..arguments.model import add_shape_arguments, cosine, natural, positive, sizes
from ..arguments.quality import add_quality_arguments, checked_judge, samples_of
from ..arguments.search import add_search_arguments, executor_of
from ..console.progress_bar import progress_bar

if TYPE_CHECKING:
    from ...compiler.sensitivity.sensitivity import (
        LayerSensitivity,
        Sensitivity,
        SensitivityOptions,
    )

_METHODS = ("table", "kl", "mse")
_COMPARED = tuple(name for name in METHODS if name != BEST_OF)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti sensitivity`."""
    add_quality_arguments(parser)
    parser.add_argument(
        "--input-num",
        type=positive,
        metavar="N",
        help="samples for the thresholds of methods (default: all)",
    )
    parser.add_argument(
        "--scheme",
        action="append",
        choices=tuple(SCHEMES),
        metavar="SCHEME",
        help=f"of {', '.join(SCHEMES)}; may be repeated, the first is that of the mixed network (default: int8)",
    )
    parser.add_argument(
        "--method",
        action="append",
        metavar="METHOD",
        help="thresholds to compare: table (those of --calibration), or a method of smalti calibrate: "
        f"{', '.join(_COMPARED)}; may be repeated (default: {', '.join(_METHODS)})".replace(
            "%", "%%"
        ),
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="judge each layer by the cosine of its own result, not of the outputs",
    )
    parser.add_argument(
        "--expected-cos",
        type=cosine,
        metavar="COSINE",
        help="stop at once when the outputs have this mean cosine: keep no more layers in floats, and measure none if "
        "all can be quantized (default: keep as many as --max-float-layers says)",
    )
    parser.add_argument(
        "--max-float-layers",
        type=natural,
        default=5,
        metavar="N",
        help="keep at most so many in floats (default: 5)",
    )
    parser.add_argument(
        "--float-scheme",
        choices=("f32", "f16", "bf16"),
        default="f32",
        help="in what (default: f32)",
    )
    parser.add_argument(
        "--limit", type=natural, default=10, metavar="N", help="layers to print; 0: all"
    )
    group = parser.add_argument_group("files to write")
    group.add_argument(
        "-o", "--output", type=OutputFile, metavar="FILE", help="all layers as .json or .csv"
    )
    group.add_argument(
        "--new-table",
        type=OutputFile,
        metavar="FILE",
        help="calibration table of the best thresholds",
    )
    group.add_argument(
        "--qtable-out", type=OutputFile, metavar="FILE", help="qtable of the mixed network"
    )
    group.add_argument("--log", type=OutputFile, metavar="FILE", help="log, as text")
    group.add_argument(
        "--plot", type=OutputFile, metavar="FILE", help="picture: .svg, .png or .pdf"
    )
    add_search_arguments(parser)
    add_shape_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Analyze, print the tables and write the files."""
    from ...compiler.sensitivity.quantized_network import NetworkSource, network_at_top
    from ...compiler.sensitivity.sensitivity import SensitivityOptions, analyze
    from ...compiler.sensitivity.sensitivity_data import first_samples, threshold_tables
    from ...compiler.sensitivity.threshold_tables import GIVEN
    from ..console.tables import table_format

    check_files(args)
    if args.output:
        table_format(args.output)
    judge = checked_judge(args)
    options = SensitivityOptions(
        tuple(dict.fromkeys(args.scheme or ["int8"])),
        args.quick,
        args.float_scheme,
        args.expected_cos,
        args.max_float_layers,
    )
    methods = tuple(dict.fromkeys(args.method or _METHODS))
    with executor_of(args) as executor, progress_bar() as progress:
        module, ctx = network_at_top(args.model, sizes(args))
        data = samples_of(args, module, ctx)
        tables = threshold_tables(
            args.calibration,
            methods,
            module,
            ctx,
            first_samples(module, data, args.input_num),
            progress,
        )
        source = NetworkSource(
            str(args.model),
            str(args.target),
            first_samples(module, data, args.inference_num),
            {name: table.rows for name, table in tables.items()},
            sizes(args),
            judge,
            tables[GIVEN].four_bits,
        )
        found = analyze(
            source, tables, options, executor=executor, record=args.record, progress=progress
        )
    _print(found, args.limit, options)
    _write(args, found, options)
    return EXIT_FINE


def _print(found: Sensitivity, limit: int, options: SensitivityOptions) -> None:
    if found.layers:
        _print_layers(found, limit, options)
    _print_networks(found, options)


def _print_layers(found: Sensitivity, limit: int, options: SensitivityOptions) -> None:
    from ..console.tables import format_table

    shown = found.layers[: limit or None]
    judged = "their own results" if options.quick else "the outputs"
    print(f"quantized alone, {len(found.layers)} layers by what {judged} lose:")
    has_metric = any(each.metric is not None for each in shown)
    titles = ["layer", "type", "scheme", "method", "loss", "SNR dB"] + ["metric"] * has_metric
    rows = [
        [
            each.group.name,
            each.group.kind,
            each.scheme,
            each.method,
            f"{each.loss:.2e}",
            f"{each.snr_db:.1f}",
            *([] if each.metric is None else [f"{each.metric:.5g}"]),
        ]
        for each in shown
    ]
    print(*format_table(titles, rows, left=2), sep="\n")
    print()


def _print_networks(found: Sensitivity, options: SensitivityOptions) -> None:
    from ..console.tables import format_table

    titles = ["network", "cosine", "SNR dB", "agreement"]
    titles += ["metric"] * ("metric" in found.networks[0].measured)
    rows = [
        [
            each.name,
            f"{each.cosine:.6f}",
            f"{each.measured['snr_db']:.1f}",
            f"{each.measured['agreement']:.2%}",
            *([f"{each.measured['metric']:.5g}"] if "metric" in each.measured else []),
        ]
        for each in found.networks
    ]
    print(*format_table(titles, rows), sep="\n")
    goal = options.expected_cosine
    if goal is not None and found.reached and not found.layers:
        print(f"\nno layer was measured: the network reaches a cosine of {goal:g} as it is")
        return
    names = ", ".join(each.name for each in found.float_groups) or "no layer"
    short = "" if goal is None or found.reached else f", which is short of a cosine of {goal:g}"
    print(f"\nmixed: {names} in {options.float_scheme}{short}")


def _write(args: argparse.Namespace, found: Sensitivity, options: SensitivityOptions) -> None:
    from ...backends.diagnostics.files import write_text
    from ...compiler.sensitivity.plots import plot_sensitivity
    from ...compiler.sensitivity.sensitivity_log import log_text, qtable_text
    from ...passes.top.calibration_table import write_table as write_calibration
    from ..console.tables import write_table

    if args.output:
        write_table(args.output, {"rows": [_row(each) for each in found.layers]})
    if args.new_table:
        write_calibration(found.table, Path(args.new_table))
    if args.qtable_out:
        comments = [f"smalti sensitivity: mean cosine {found.networks[-1].cosine:.6f}"]
        rows = [(each, options.float_scheme) for each in found.float_groups]
        write_text(args.qtable_out, qtable_text(rows, options.schemes[0], comments))
    if args.log:
        write_text(args.log, log_text(found))
    if args.plot:
        plot_sensitivity(found.layers, args.plot)


def _row(each: LayerSensitivity) -> dict[str, object]:
    return {
        "layer": each.group.name,
        "type": each.group.kind,
        "scheme": each.scheme,
        "method": each.method,
        "loss": each.loss,
        "snr_db": each.snr_db,
        "metric": each.metric,
        **{f"loss_{name}": loss for name, loss in each.losses.items()},
    }
