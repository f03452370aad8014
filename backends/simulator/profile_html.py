"""What a notebook shows of a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..diagnostics.html_table import html_table, nodes_text

if TYPE_CHECKING:
    from .profile import Profile, ProfileRow


def profile_html(profile: Profile) -> str:
    """Return the most expensive rows of a profile; `stalled on` has the cause that took most cycles."""
    titles = [*profile.by, "cycles", "share", "busy", "use", "bytes read", "bytes written", "stalled on"]  # fmt: skip
    rows = [
        [
            *(_key(row, key) for key in profile.by),
            f"{row.critical_path_cycles:,.0f}",
            f"{profile.share(row):.1%}",
            f"{row.busy_cycles:,.0f}",
            "" if row.utilization is None else f"{row.utilization:.0%}",
            f"{row.global_read_bytes:,}",
            f"{row.global_written_bytes:,}",
            _stall(row),
        ]
        for row in profile.rows
    ]
    caption = f"{profile.program}: {profile.cycles:,.0f} cycles on {profile.target}"
    return html_table(caption, titles, rows, labels=len(profile.by))


def _key(row: ProfileRow, key: str) -> str:
    return nodes_text(row.nodes or ()) if key == "node" else str(getattr(row, key))


def _stall(row: ProfileRow) -> str:
    cause, cycles = max(row.stalled_cycles.items(), key=lambda item: item[1], default=("", 0.0))
    return f"{cause} {cycles:,.0f}" if cycles else ""
