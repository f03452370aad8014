"""The text files that an analysis of sensitivity writes: its log, and the qtable of the mixed network."""

from __future__ import annotations

from collections.abc import Sequence

from ...passes.table_text import written_name
from .layer_groups import LayerGroup
from .sensitivity import Sensitivity


def log_text(found: Sensitivity) -> str:
    """Return the log: a line for each layer, the most sensitive first, and at the end cosines, time and memory."""
    lines = [f"# {name}: {value}" for name, value in found.made_of.items() if value is not None]
    lines.append("# rank  layer  loss  snr_db  type  scheme  method")
    for rank, each in enumerate(found.layers):
        metric = "" if each.metric is None else f"  metric {each.metric:.6g}"
        lines.append(
            f"{rank}  {written_name(each.group.name)}  {each.loss:.6e}  {each.snr_db:.2f}  {each.group.kind}  "
            f"{each.scheme}  {each.method}{metric}"
        )
    for network in found.networks:
        lines.append(f"# {network.name}: cosine {network.cosine:.6f}")
    lines.append(f"# {found.points} measurements on {found.samples} samples")
    lines.append(f"# {found.seconds:.1f} s, {found.peak_bytes / 2**20:.0f} MiB")
    return "\n".join(lines) + "\n"


def qtable_text(
    groups: Sequence[tuple[LayerGroup, str]], others: str, comments: Sequence[str]
) -> str:
    """Return the qtable in which groups of layers have schemes, by name, and all `others` the same."""
    lines = [f"# {each}" for each in comments]
    lines.append(f"* {others}")
    for group, scheme in groups:
        lines += [f"{written_name(layer)} {scheme}" for layer in group.layers if scheme != others]
    return "\n".join(lines) + "\n"
