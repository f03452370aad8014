"""The heading of a report, as LLVM draws it."""

from __future__ import annotations

_RULE = f"==={'-' * 73}==="


def heading(title: str) -> list[str]:
    """Return the lines of a heading, 79 columns wide."""
    return [_RULE, f"... {title} ...".center(80).rstrip(), _RULE]
