"""Lists of passes with their options and of dialects with their ops, as text and as JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...passes.description import OptionDescription


def list_passes(*, as_json: bool) -> str:
    """Return a list of every pass: name, level, options and summary."""
    from ...passes.description import describe_passes

    passes = describe_passes()
    if as_json:
        return json.dumps([dataclasses.asdict(each) for each in passes], indent=2) + "\n"
    width = max(len(each.name) for each in passes)
    lines: list[str] = []
    for each in passes:
        lines.append(f"{each.name:{width}}  {each.summary}")
        lines += [f"{'':{width}}    {_option(option)}" for option in each.options]
    return "\n".join(lines) + "\n"


def help_pass(name: str) -> str:
    """Return all that is known of a pass.

    Raises DiagnosticError if no pass has that name.
    """
    from ...passes.description import describe_pass

    each = describe_pass(name)
    level = "any level" if each.level == "any" else f"level {each.level}"
    lines = [f"{each.name} ({level})", "", each.documentation, "", each.details, "", "options:"]
    lines += [f"  {_option(option)}" for option in each.options] or ["  none"]
    lines += ["", "counts (--mlir-pass-statistics):"]
    lines += [f"  {name}: {what}" for name, what in each.statistics.items()] or ["  nothing"]
    return "\n".join(lines) + "\n"


def _option(option: OptionDescription) -> str:
    default = "must be given" if option.default is None else f"default {option.default or 'none'}"
    text = f"{option.name}={option.type} ({default})"
    return f"{text}: {option.documentation}" if option.documentation else text


def list_dialects(*, as_json: bool) -> str:
    """Return a list of every dialect: its name, its purpose, and how many ops and types it has; as JSON all of each."""
    from ...dialects.description import describe_dialects

    dialects = describe_dialects()
    if as_json:
        return json.dumps([dataclasses.asdict(each) for each in dialects], indent=2) + "\n"
    lines = [
        f"{each.name:8} {len(each.operations):3} ops {len(each.attributes):3} types and attributes"
        f"  {each.summary}".rstrip()
        for each in dialects
    ]
    return "\n".join(lines) + "\n"
