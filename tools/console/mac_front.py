"""The front by the share of multiply-accumulates, as `smalti search` prints and writes it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...compiler.mixed_precision.mac_front import FrontPoint, MacFront


def print_front(found: MacFront) -> None:
    """Print a row for each point."""
    from .tables import format_table

    has_metric = "metric" in found.points[0].run.measured
    titles = ["share", f"MACs in {found.narrow}", "layers", "cycles", "cosine", "agreement"]
    titles += ["metric"] * has_metric + ["cosine of the additive solution"]
    rows = [
        [
            f"{each.share:.4g}" if each.share in (0, 1) else f"{each.share:.1%}",
            f"{each.macs_share:.1%}",
            f"{len(each.run.schemes)}",
            f"{each.run.cycles:,}",
            f"{1 - each.run.measured['loss']:.6f}",
            f"{each.run.measured['agreement']:.2%}",
            *([f"{each.run.measured['metric']:.5g}"] if has_metric else []),
            f"{1 - each.additive.measured['loss']:.6f}",
        ]
        for each in found.points
    ]
    print(f"layers by {found.narrow}, the others by {found.wide}, on the calibration data:")
    print(*format_table(titles, rows), sep="\n")


def write_front(args: argparse.Namespace, found: MacFront) -> None:
    """Write the files that the arguments name: the table of points, a qtable for each share, a picture."""
    from ...backends.diagnostics.files import write_text
    from ...compiler.sensitivity.plots import plot_front
    from ...compiler.sensitivity.sensitivity_log import qtable_text
    from .tables import write_table

    if args.output:
        path = Path(args.output)
        for each in found.points:
            schemes = each.run.schemes
            comments = [
                f"smalti search: {each.macs_share:.2%} of the multiply-accumulates in {found.narrow}, "
                f"{each.run.cycles:,} cycles"
            ]
            rows = [(group, schemes.get(group.name, found.wide)) for group in found.groups]
            text = qtable_text(rows, found.wide, comments)
            write_text(path.with_name(f"{path.stem}.{100 * each.share:g}{path.suffix}"), text)
    if args.front:
        write_table(args.front, {"rows": [_row(each) for each in found.points]})
    if args.plot:
        points = [(float(p.run.cycles), 1 - p.run.measured["loss"], True) for p in found.points]
        plot_front(points, args.plot, "cosine")


def _row(each: FrontPoint) -> dict[str, object]:
    return {
        "share": each.share,
        "macs_share": each.macs_share,
        "layers": len(each.run.schemes),
        "cycles": each.run.cycles,
        "loss": each.run.measured["loss"],
        "agreement": each.run.measured["agreement"],
        "metric": each.run.measured.get("metric"),
        "additive_loss": each.additive.measured["loss"],
        "candidates": each.candidates,
    }
