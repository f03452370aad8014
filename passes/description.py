"""Describes passes for people and for tools: level, options, statistics and documentation, read from their classes."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
import textwrap
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints

from xdsl.passes import ModulePass, get_pass_option_infos
from xdsl.utils.hints import type_repr

from .registry import PASSES, get_pass


@dataclass(frozen=True)
class OptionDescription:
    """An option of a pass: its name as written in a pipeline, its type, its default as pipeline text (None if it must
    be given), and what it is for.
    """

    name: str
    type: str
    default: str | None
    documentation: str


@dataclass(frozen=True)
class PassDescription:
    """A pass: `summary` is the first sentence of `documentation`, `details` are the text of its module with IR before
    and after, `statistics` maps each name to what is counted.
    """

    name: str
    level: str
    summary: str
    documentation: str
    details: str
    options: tuple[OptionDescription, ...]
    statistics: dict[str, str]


def describe_pass(name: str) -> PassDescription:
    """Return the description of the registered pass `name`. Raises DiagnosticError if there is none."""
    cls = get_pass(name)
    documentation = inspect.cleandoc(cls.__doc__ or "")
    module = sys.modules[cls.__module__].__doc__ or ""
    return PassDescription(
        name=name,
        level=getattr(cls, "level", "any"),
        summary=" ".join(documentation.partition("\n\n")[0].split()),
        documentation=documentation,
        details=inspect.cleandoc(module),
        options=describe_options(cls),
        statistics=dict(getattr(cls, "counts", {})),
    )


def describe_passes() -> list[PassDescription]:
    """Return the descriptions of all registered passes, by name."""
    return [describe_pass(name) for name in sorted(PASSES)]


def describe_options(cls: type[ModulePass]) -> tuple[OptionDescription, ...]:
    """Return the options of a pass in the order of its fields; the string under a field says what the option is for."""
    documentation = _field_documentation(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    types = get_type_hints(cls)
    return tuple(
        OptionDescription(
            name=info.name.replace("_", "-"),
            type=type_repr(types[info.name]),
            default=_default(fields[info.name]),
            documentation=documentation.get(info.name, ""),
        )
        for info in get_pass_option_infos(cls)
        if info.name in fields
    )


def _default(field: dataclasses.Field[Any]) -> str | None:
    if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
        return None
    value = (
        field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    )
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@cache
def _field_documentation(cls: type[ModulePass]) -> dict[str, str]:
    """Return the string that stands under each field in the source of the class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not dataclasses.is_dataclass(base) or base.__module__.startswith("xdsl."):
            continue
        try:
            source = textwrap.dedent(inspect.getsource(base))
        except (OSError, TypeError):
            # A class made at run time has no source to read.
            continue
        definition = ast.parse(source).body[0]
        assert isinstance(definition, ast.ClassDef)
        for field, below in zip(definition.body, definition.body[1:], strict=False):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[name] = " ".join(text.split())
    return found
