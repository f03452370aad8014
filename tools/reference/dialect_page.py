"""A page per dialect: types and attributes, then each op with syntax, operands, properties, example."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import TypeGuard

from xdsl.ir import Attribute, Dialect, Operation
from xdsl.irdl import (
    IRDLOperation,
    OptOperandDef,
    OptPropertyDef,
    VarOperandDef,
    VarRegionDef,
)

from ...dialects.context import DIALECTS
from ...dialects.ir.example import documentation
from ...dialects.ir.text.assembly import TextOp, print_value, text_layout
from ...dialects.isa import InstructionOp
from .markdown import code, page, prose, table

DOCUMENTED = ("quant", "top", "tpu", "tile", "isa")


def dialect_page(name: str) -> str:
    """Return the page of a dialect of ours."""
    dialect = DIALECTS[name]()
    module = importlib.import_module(f"...dialects.{name}", __package__)
    ops = [op for op in dialect.operations if not _is_instruction(op)]
    listing = table(
        ["op", "what it does"],
        ([f"[`{op.name}`](#{_anchor(op.name)})", _summary(op)] for op in ops),
    )
    attributes = [_attribute(each) for each in dialect.attributes]
    instructions = ""
    if len(ops) < len(list(dialect.operations)):
        page_of_its_own = "[a page of their own](../../backends/instructions/reference.md)"
        instructions = f"The instructions that stand in a stream have {page_of_its_own}."
    return page(
        f"The {name} dialect",
        prose(inspect.cleandoc(module.__doc__ or "")),
        listing,
        instructions,
        *attributes,
        *(_op(op) for op in ops),
    )


def _is_instruction(op: type[Operation]) -> bool:
    return issubclass(op, InstructionOp)


def documented_ops(dialect: Dialect) -> Iterator[type[IRDLOperation]]:
    """Yield the ops of a dialect that its page describes."""
    for op in dialect.operations:
        if issubclass(op, IRDLOperation) and not _is_instruction(op):
            yield op


def _anchor(name: str) -> str:
    return name.replace(".", "").lower()


def _summary(cls: type) -> str:
    words, _ = documentation(cls)
    return words.partition("\n\n")[0]


def _attribute(cls: type[Attribute]) -> str:
    words, example = documentation(cls)
    shown = [f"## `{'#' if 'Type' not in cls.__name__ else '!'}{cls.name}`", prose(words)]
    return "\n\n".join([*shown, code(example)] if example else shown)


def _op(op: type[Operation]) -> str:
    assert issubclass(op, IRDLOperation)
    words, example = documentation(op)
    parts = [f"## `{op.name}`", prose(words), _syntax(op), _operands(op), _properties(op)]
    if example:
        parts.append("Example:\n\n" + code(example))
    return "\n\n".join(part for part in parts if part)


def _syntax(op: type[IRDLOperation]) -> str:
    """Return the custom form, as the op's definition gives it; an op that defines its own text shows it by example."""
    if not _has_derived_text(op):
        return ""
    layout = text_layout(op)
    words = [op.name]
    if layout.named:
        words.append('"name"')
    if layout.core:
        words.append("core N" if layout.core == "needed" else "(core N)?")
    if layout.variadic is not None:
        words.append(f"%{layout.variadic}, …")
    else:
        words.append(
            ", ".join(f"%{n}" + ("?" if n in layout.optional else "") for n in layout.positional)
        )
    words += [f"({n} %{n})?" if n in layout.optional else f"{n} %{n}" for n in layout.keyword]
    if layout.destination is not None:
        words.append(f"-> %{layout.destination}")
    for name, kind, may_miss in layout.properties:
        text = name if kind == "flag" else f"{name} = {_VALUES[kind]}"
        free = may_miss or kind == "flag" or name in layout.defaults
        words.append(f"({text})?" if free else text)
    words.append(": types")
    return "Syntax:\n\n" + code(" ".join(word for word in words if word))


def _has_derived_text(op: type[IRDLOperation]) -> TypeGuard[type[TextOp]]:
    return issubclass(op, TextOp) and op.parse.__func__ is TextOp.parse.__func__


_VALUES = {
    "integer": "1",
    "integers": "[1, 2]",
    "real": "1.0",
    "reals": "[1.0, 2.0]",
    "string": '"text"',
    "dense": "dense<…>",
    "dictionary": "{axis = 1}",
}


def _operands(op: type[IRDLOperation]) -> str:
    definition = op.get_irdl_definition()
    rows = [
        [f"`{name}`", "any number" if _many(each) else "optional" if _optional(each) else "one"]
        for name, each in definition.operands
    ]
    rows += [[f"`{name}`", "result"] for name, _ in definition.results]
    rows += [
        [f"`{name}`", "regions" if isinstance(each, VarRegionDef) else "region"]
        for name, each in definition.regions
    ]
    return table(["operand or result", "how many"], rows)


def _many(definition: object) -> bool:
    return isinstance(definition, VarOperandDef) and not isinstance(definition, OptOperandDef)


def _optional(definition: object) -> bool:
    return isinstance(definition, OptOperandDef)


def _properties(op: type[IRDLOperation]) -> str:
    kinds: dict[str, str] = {}
    defaults: dict[str, Attribute] = {}
    if _has_derived_text(op):
        kinds = {name: kind for name, kind, _ in text_layout(op).properties}
        defaults = text_layout(op).defaults
    rows: list[list[str]] = []
    for name, each in op.get_irdl_definition().properties.items():
        if name == "operandSegmentSizes":
            continue
        default = _text(defaults[name]) if name in defaults else ""
        if not default and isinstance(each, OptPropertyDef):
            default = "absent"
        kind = {"name": "string", "core": "integer"}.get(name) or kinds.get(name, "attribute")
        rows.append([f"`{name}`", kind, f"`{default}`" if default else "must be given"])
    return table(["property", "kind", "default"], rows)


def _text(value: Attribute) -> str:
    import io

    from xdsl.printer import Printer

    stream = io.StringIO()
    print_value(Printer(stream), value)
    return stream.getvalue()
