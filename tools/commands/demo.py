"""`smalti demo`: take the bundled digits network from ONNX to accuracy and cycles."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments.command_line import EXIT_FINE
from ..arguments.files import InputFile, OutputFile, OutputFolder
from ..arguments.model import positive
from ..console.progress_bar import progress_bar
from ..console.timing_report import format_nodes

if TYPE_CHECKING:
    from ...compiler.demo.digits import DemoReport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `smalti demo`."""
    parser.add_argument(
        "-o",
        "--output",
        type=OutputFolder,
        default="smalti-demo",
        metavar="FOLDER",
        help="where to write the files (default: smalti-demo)",
    )
    parser.add_argument(
        "--target",
        type=InputFile,
        default="default-8c",
        help="a target's name or TOML file (default: default-8c)",
    )
    parser.add_argument(
        "--cores", type=positive, metavar="N", help="cores to use (default: all of the target's)"
    )
    parser.add_argument(
        "--json", type=OutputFile, metavar="FILE", help="write the figures as JSON too"
    )


def run(args: argparse.Namespace) -> int:
    """Run the demo and print its report."""
    from ...compiler.demo.digits import run_demo

    with progress_bar() as progress:
        report = run_demo(
            Path(args.output), target=args.target, cores=args.cores, progress=progress
        )
    print(format_report(report))
    if args.json:
        import json

        from ...dialects.ir.text.module_text import write_text

        write_text(Path(args.json), json.dumps(report.to_json(), indent=2) + "\n")
    return EXIT_FINE


def format_report(report: DemoReport) -> str:
    """Return the report as text."""
    lines = [
        f"digits MobileNetV2, INT8, on {report.target}, {report.images} test images",
        "",
        "accuracy",
        f"  float, ONNX Runtime        {report.float_accuracy_onnxruntime:8.2%}",
        f"  float, top interpreter     {report.float_accuracy_top:8.2%}",
        f"  INT8,  simulator           {report.int8_accuracy_simulator:8.2%}",
        "",
        "one inference, from cold",
        f"  cycles                     {report.cycles:>10,}",
        f"  time                       {report.milliseconds:>10.4f} ms",
        f"  matrix unit utilization    {report.utilization:>10.2%}",
        f"  read from global memory    {report.bytes_read:>10,} bytes",
        f"  written to global memory   {report.bytes_written:>10,} bytes",
        "",
        "costliest ONNX nodes (their part of the critical path, in cycles)",
        *(
            f"  {n['cycles']:>9,}  {n['share']:6.1%}  {format_nodes(n['nodes'])}"
            for n in report.nodes
        ),
        "",
        "files",
        *(f"  {stage:<12} {path}" for stage, path in report.files.items()),
    ]
    return "\n".join(lines)
