"""The page of the instruction set: each instruction's engine, fields, bytes, values and cycles."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable

from ...backends.instructions import instruction_set as table_module
from ...backends.instructions.field_range import code_names
from ...backends.instructions.instruction_set import HEADER, INSTRUCTIONS, Field, Instruction
from ...backends.program.encoding import WORD
from ...dialects.ir.example import documentation
from .markdown import code, page, prose, table


def instruction_page() -> str:
    """Return the page of all instructions, in the order of their numbers."""
    listing = table(
        ["instruction", "number", "engine", "what it does"],
        (
            [
                f"[`{each.mnemonic}`](#{each.mnemonic})",
                str(each.opcode),
                each.engine or "any",
                documentation(each)[0].partition("\n\n")[0],
            ]
            for each in INSTRUCTIONS
        ),
    )
    return page(
        "The instruction set",
        prose(inspect.cleandoc(table_module.__doc__ or "")),
        listing,
        "## The header\n\nThe fields that every instruction has; in the text they are written as "
        "`after`, `wait`, `signal`, `for` and `loc`.",
        _fields(HEADER),
        *(_instruction(each) for each in INSTRUCTIONS),
    )


def _fields(fields: tuple[Field, ...]) -> str:
    return table(
        ["field", "type", "what", "default"],
        ([f"`{f.name}`", _type(f), f.unit + _values(f), _default(f)] for f in fields),
    )


def _type(field: Field) -> str:
    return {"u": "unsigned ", "i": "signed ", "f": "float "}[field.dtype[1]] + str(
        8 * int(field.dtype[2:])
    )


def _values(field: Field) -> str:
    return f": {', '.join(field.values)}" if field.values else ""


def _default(field: Field) -> str:
    if field.default is None:
        return "must be given"
    if field.kind in ("enum", "storage"):
        return code_names(field)[int(field.default)]
    return hex(int(field.default)) if field.kind == "address" else f"{field.default}"


def _instruction(cls: type[Instruction]) -> str:
    words, example = documentation(cls)
    size = sum(int(field.dtype[2:]) for field in cls.fields)
    head = sum(int(field.dtype[2:]) for field in HEADER)
    numerics = (
        f"Values: `{cls.numerics.__name__}` of `{_file_of(cls.numerics)}`."
        if cls.numerics
        else "Values: moved by the simulator, none computed."
    )
    parts = [
        f"## `{cls.mnemonic}`",
        prose(words),
        f"Engine: {cls.engine or 'any'}. {size} of the {WORD.itemsize - head} bytes after the header. "
        f"{numerics}",
        _fields(cls.fields),
        "Cycles:\n\n" + code(_source(cls), "python"),
    ]
    if example:
        parts.append("Example:\n\n" + code(example))
    return "\n\n".join(part for part in parts if part)


def _file_of(function: Callable[..., object]) -> str:
    """Return the file of a function, from the project's root."""
    return function.__module__.removeprefix("smalti.").replace(".", "/") + ".py"


def _source(cls: type[Instruction]) -> str:
    """Return the body of the cycle formula."""
    lines = textwrap.dedent(inspect.getsource(cls.cycles)).splitlines()
    begin = next(i for i, line in enumerate(lines) if line.rstrip().endswith(":") and "->" in line)
    return textwrap.dedent("\n".join(lines[begin + 1 :]))
