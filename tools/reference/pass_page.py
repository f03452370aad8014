"""The page of the passes: level, options, statistics, IR before and after."""

from __future__ import annotations

from ...dialects.level import LEVELS
from ...passes.description import PassDescription, describe_passes
from .markdown import page, prose, table

_LEVELS = (*LEVELS, "any")


def pass_page() -> str:
    """Return the page of all registered passes, by level."""
    passes = sorted(describe_passes(), key=lambda each: _LEVELS.index(each.level))
    listing = table(
        ["pass", "level", "what it does"],
        ([f"[`{p.name}`](#{p.name})", p.level, p.summary] for p in passes),
    )
    return page(
        "Passes",
        "What `smalti-opt --list-passes` and `--help-pass` say, by the level that a pass reads.",
        listing,
        *(_pass(each) for each in passes),
    )


def _pass(each: PassDescription) -> str:
    options = table(
        ["option", "type", "default", "what"],
        (
            [
                f"`{o.name}`",
                f"`{o.type}`",
                "must be given" if o.default is None else f"`{o.default}`" if o.default else "",
                o.documentation,
            ]
            for o in each.options
        ),
    )
    statistics = table(
        ["statistic", "what"], ([f"`{name}`", text] for name, text in each.statistics.items())
    )
    parts = [
        f"## `{each.name}`",
        prose(each.documentation),
        options,
        statistics,
        prose(each.details),
    ]
    return "\n\n".join(part for part in parts if part)
