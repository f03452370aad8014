"""The arguments by which users of `smalti-opt` and `smalti compile` watch passes, with mlir-opt's names."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .files import InputFile, OutputFile, OutputFolder, OutputIr

if TYPE_CHECKING:
    from ...compiler.driver.instrumentation import Instrumentation


def add_driver_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that `instrumentation` reads."""
    _add_printing_arguments(parser)
    _add_style_arguments(parser)
    reports = parser.add_argument_group("reports and failures (on standard error)")
    reports.add_argument(
        "--verify-each",
        nargs="?",
        type=_boolean,
        const=True,
        default=True,
        metavar="true|false",
        help="verify the IR after each pass (the default)",
    )
    reports.add_argument(
        "--verify-numerics",
        type=InputFile,
        metavar="INPUTS",
        help="run the IR before and after each pass on an .npz, or on random:SEED, and stop at the "
        "first that changes what is computed",
    )
    reports.add_argument(
        "--provenance",
        metavar="NODE",
        help="the ops, tiles and instructions that came from an ONNX node, level by level",
    )
    reports.add_argument(
        "--explain-plan",
        action="append",
        default=[],
        metavar="NODE",
        help="how the layers of an ONNX node are carried out, and why: candidates of tile-plan with their estimates; "
        "also the name of a layer, or a glob of names; may be repeated",
    )
    reports.add_argument(
        "--plan-trace",
        type=OutputFile,
        metavar="FILE",
        help="what tile-plan decided about all layers, among which candidates, and why, as JSON",
    )
    reports.add_argument(
        "--mlir-timing",
        action="store_true",
        help="where the time goes: parse, passes, verify, print",
    )
    reports.add_argument(
        "--mlir-timing-display",
        choices=("tree", "list"),
        default="tree",
        help="steps within steps, or all steps in a list, longest first",
    )
    reports.add_argument(
        "--mlir-pass-statistics", action="store_true", help="what each pass counted"
    )
    reports.add_argument(
        "--mlir-output-format",
        choices=("text", "json"),
        default="text",
        help="form of --mlir-timing and --mlir-pass-statistics",
    )
    reports.add_argument(
        "--log-rewrites", type=OutputFile, metavar="FILE", help="every rewrite as a line of JSON"
    )
    reports.add_argument(
        "--mlir-debug-counter",
        type=_rewrite_count,
        metavar="rewrite-count=N",
        help="let only the first N rewrites of patterns happen",
    )
    reports.add_argument(
        "--mlir-pass-pipeline-crash-reproducer",
        type=OutputIr,
        metavar="FILE",
        help="on any failure, also an interruption, write the IR and pipeline to run it again",
    )
    reports.add_argument(
        "--mlir-generate-reproducer",
        type=OutputIr,
        metavar="FILE",
        help="write the IR and pipeline to run it again, whether or not it fails",
    )
    reports.add_argument(
        "--mlir-disable-threading",
        nargs="?",
        type=_boolean,
        const=True,
        metavar="true|false",
        help="accepted: there are no threads",
    )
    reports.add_argument(
        "--color",
        nargs="?",
        type=_boolean,
        const=True,
        metavar="true|false",
        help="accepted: the output has no colors",
    )


def _add_printing_arguments(parser: argparse.ArgumentParser) -> None:
    printing = parser.add_argument_group("IR between passes (on standard error)")
    for when in ("before", "after"):
        printing.add_argument(
            f"--mlir-print-ir-{when}",
            type=_names,
            action="extend",
            default=[],
            metavar="PASS,...",
            help=f"print the IR {when} these passes",
        )
        printing.add_argument(
            f"--mlir-print-ir-{when}-all", action="store_true", help=f"print it {when} every pass"
        )
    printing.add_argument(
        "--mlir-print-ir-after-change",
        action="store_true",
        help="only after passes that changed it",
    )
    printing.add_argument(
        "--mlir-print-ir-after-failure", action="store_true", help="after a pass that failed"
    )
    printing.add_argument(
        "--mlir-print-ir-tree-dir",
        type=OutputFolder,
        metavar="DIR",
        help="print to numbered files in this folder, with an index.json (every pass unless said)",
    )
    printing.add_argument(
        "--print-ir-diff", action="store_true", help="what each pass changed, as a unified diff"
    )


def _add_style_arguments(parser: argparse.ArgumentParser) -> None:
    style = parser.add_argument_group("how IR is printed")
    style.add_argument(
        "--mlir-print-op-generic",
        "--print-op-generic",
        dest="mlir_print_op_generic",
        action="store_true",
        help="MLIR's generic form, which mlir-opt reads",
    )
    style.add_argument("--mlir-print-debuginfo", action="store_true", help="with locations")
    style.add_argument(
        "--mlir-pretty-debuginfo",
        action="store_true",
        help="locations as file:line:column or names, which are not read back",
    )
    style.add_argument(
        "--mlir-print-unique-ssa-ids",
        action="store_true",
        help="no two values with one name, in whatever functions they stand",
    )
    style.add_argument(
        "--mlir-print-value-users",
        action="store_true",
        help="beside each value the ops that use it, as comments",
    )
    style.add_argument(
        "--mlir-print-local-scope", action="store_true", help="without aliases for types"
    )
    style.add_argument(
        "--mlir-elide-elementsattrs-if-larger",
        type=int,
        metavar="N",
        help="leave out constants of more than N elements",
    )


def instrumentation(args: argparse.Namespace) -> Instrumentation:
    """Return what the arguments ask to see."""
    from ...compiler.driver.instrumentation import Instrumentation, PrintStyle
    from ...compiler.driver.ir_printing import PrintPoints

    return Instrumentation(
        style=PrintStyle(
            generic=args.mlir_print_op_generic,
            debug_info=args.mlir_print_debuginfo,
            local_scope=args.mlir_print_local_scope,
            elide_above=args.mlir_elide_elementsattrs_if_larger,
            pretty_debug_info=args.mlir_pretty_debuginfo,
            unique_ids=args.mlir_print_unique_ssa_ids,
            users=args.mlir_print_value_users,
        ),
        points=PrintPoints(
            before=args.mlir_print_ir_before,
            after=args.mlir_print_ir_after,
            before_all=args.mlir_print_ir_before_all,
            after_all=args.mlir_print_ir_after_all,
            after_change=args.mlir_print_ir_after_change,
            after_failure=args.mlir_print_ir_after_failure,
        ),
        tree_dir=_path(args.mlir_print_ir_tree_dir),
        difference=args.print_ir_diff,
        timing=args.mlir_timing,
        statistics=args.mlir_pass_statistics,
        report_format=args.mlir_output_format,
        crash_reproducer=_path(args.mlir_pass_pipeline_crash_reproducer),
        reproducer=_path(args.mlir_generate_reproducer),
        timing_display=args.mlir_timing_display,
        rewrite_log=_path(args.log_rewrites),
        rewrite_limit=args.mlir_debug_counter,
        verify_each=args.verify_each,
        verify_numerics=args.verify_numerics,
        provenance=args.provenance,
        explain_plan=tuple(args.explain_plan),
        plan_trace=_path(args.plan_trace),
    )


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name)


def _rewrite_count(text: str) -> int:
    name, _, number = text.partition("=")
    if name != "rewrite-count" or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not rewrite-count=N")
    return int(number)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _boolean(text: str) -> bool:
    if text not in ("true", "false", "1", "0"):
        raise argparse.ArgumentTypeError(f"'{text}' is neither true nor false")
    return text in ("true", "1")
