"""Describes what a dialect holds, for people and for tools: its ops and attributes with their documentation, read from
their classes.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.ir import Attribute, Dialect, Operation, TypeAttribute
from xdsl.irdl import IRDLOperation, OptionalDef, OptPropertyDef, VariadicDef

from .context import DIALECTS, make_context


@dataclass(frozen=True)
class ValueDescription:
    """An operand or result of an op; `arity` is "one", "optional" or "any number"."""

    name: str
    arity: str


@dataclass(frozen=True)
class PropertyDescription:
    """A property of an op."""

    name: str
    required: bool


@dataclass(frozen=True)
class OperationDescription:
    """An op: `summary` is the first sentence of `documentation`."""

    name: str
    summary: str
    documentation: str
    operands: tuple[ValueDescription, ...]
    results: tuple[ValueDescription, ...]
    properties: tuple[PropertyDescription, ...]
    regions: tuple[str, ...]


@dataclass(frozen=True)
class AttributeDescription:
    """A type (`is_type`) or another attribute."""

    name: str
    is_type: bool
    summary: str
    documentation: str


@dataclass(frozen=True)
class DialectDescription:
    """A dialect: `summary` is the first sentence of its module's `documentation`."""

    name: str
    summary: str
    documentation: str
    operations: tuple[OperationDescription, ...]
    attributes: tuple[AttributeDescription, ...]


def describe_dialects() -> list[DialectDescription]:
    """Return the descriptions of all dialects that Smalti's IR may hold, in the order of the levels."""
    ctx = make_context()
    return [describe_dialect(ctx.get_dialect(name)) for name in DIALECTS]


def describe_dialect(dialect: Dialect) -> DialectDescription:
    """Return the description of a dialect."""
    documentation = _module_documentation(dialect)
    return DialectDescription(
        name=dialect.name,
        summary=_summary(documentation),
        documentation=documentation,
        operations=tuple(_operation(op) for op in sorted(dialect.operations, key=_name)),
        attributes=tuple(_attribute(each) for each in sorted(dialect.attributes, key=_name)),
    )


def _name(each: type[Operation] | type[Attribute]) -> str:
    return each.name


def _module_documentation(dialect: Dialect) -> str:
    """Return the docstring of the module, or of its package, in which the dialect's first op or attribute is
    defined.
    """
    members = [*dialect.operations, *dialect.attributes]
    if not members:
        return ""
    # A dialect of several files is described in the one that names it, or in its package.
    modules = [sys.modules[each.__module__] for each in members]
    named = [each for each in modules if each.__name__.rpartition(".")[2] == dialect.name]
    packages = [sys.modules.get(each.__name__.rpartition(".")[0]) for each in modules]
    named += [each for each in packages if each and each.__name__.endswith(f".{dialect.name}")]
    return inspect.cleandoc((named or modules)[0].__doc__ or "")


def _operation(op: type[Operation]) -> OperationDescription:
    documentation = inspect.cleandoc(op.__doc__ or "")
    if not issubclass(op, IRDLOperation):
        return OperationDescription(op.name, _summary(documentation), documentation, (), (), (), ())
    definition = op.get_irdl_definition()
    return OperationDescription(
        name=op.name,
        summary=_summary(documentation),
        documentation=documentation,
        operands=_values(definition.operands),
        results=_values(definition.results),
        properties=tuple(
            PropertyDescription(name, not isinstance(each, OptPropertyDef))
            for name, each in definition.properties.items()
        ),
        regions=tuple(name for name, _ in definition.regions),
    )


def _values(definitions: Sequence[tuple[str, Any]]) -> tuple[ValueDescription, ...]:
    return tuple(ValueDescription(name, _arity(each)) for name, each in definitions)


def _arity(definition: object) -> str:
    if isinstance(definition, OptionalDef):
        return "optional"
    return "any number" if isinstance(definition, VariadicDef) else "one"


def _attribute(attribute: type[Attribute]) -> AttributeDescription:
    documentation = inspect.cleandoc(attribute.__doc__ or "")
    is_type = issubclass(attribute, TypeAttribute)
    return AttributeDescription(attribute.name, is_type, _summary(documentation), documentation)


def _summary(documentation: str) -> str:
    """Return the first sentence of the first paragraph."""
    paragraph = " ".join(documentation.partition("\n\n")[0].split())
    head, end, _ = paragraph.partition(". ")
    return f"{head}." if end else paragraph
