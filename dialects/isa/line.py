"""Writes the text of one instruction, which is one line, and reads it fast.

    m12: conv2d x=0x400, w=0x0, … after d7, v3 wait c5>=3 signal c2@{0,3} for "y" loc("Conv_3")

The fields follow the table's order; a field at its default is left out. `after` names instructions of this core that
must have completed, `wait` a counter of this core and its least value, `signal` a counter and the cores on which it
grows, `for` the `tpu` result that is computed. The reader here takes exactly what the writer writes, with one regular
expression for each instruction; any other line goes to the full grammar (`grammar.py`), which allows any spacing, order
and comments, and explains mistakes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from math import copysign
from typing import Any, NamedTuple

from ...backends.instructions.field_range import code_names
from ...backends.instructions.instruction_set import ENGINES, Field, Instruction
from .field_values import field_values

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
"""Regular expression of an instruction's name."""


class Line(NamedTuple):
    """What one line says. `integers` and `reals` are the fields in table order, with codes for names; `location` is the
    text of `loc(…)`.
    """

    name: str
    instruction: type[Instruction]
    integers: tuple[int, ...]
    reals: tuple[float, ...]
    engine: str | None = None
    after: tuple[str, ...] = ()
    wait: tuple[int, int] | None = None
    signal: tuple[int, ...] | None = None
    origin: str | None = None
    location: str | None = None


_INTEGER = r"-?\d{1,20}"
_ADDRESS = r"0x[0-9a-f]{1,16}"
_REAL = r"-?(?:inf|\d{1,40}(?:\.\d{1,40})?(?:e[-+]?\d{1,4})?)"
_SUFFIX = (
    rf"(?: after ({NAME}(?:, {NAME})*))?"
    r"(?: wait c(\d{1,9})>=(\d{1,10}))?"
    r"(?: signal c(\d{1,9})@\{(\d{1,4}(?:,\d{1,4})*)\})?"
    r'(?: for ("(?:[^"\\]|\\.)*"))?'
    r"(?: (loc\(.*\)))?"
)


class LineFormat:
    """Writes and quickly reads the lines of one instruction class."""

    def __init__(self, instruction: type[Instruction]) -> None:
        self.instruction = instruction
        self.defaults = [self._default(field) for field in instruction.fields]
        count = len(field_values(instruction).integer_fields)
        self._integers = struct.Struct(f"<{count}q")
        self._writers = [self._writer(field) for field in instruction.fields]
        self._readers = [
            (group, default, self._reader(field))
            for group, (field, default) in enumerate(
                zip(instruction.fields, self.defaults, strict=True)
            )
        ]
        self._integer_places = [
            place for place, field in enumerate(instruction.fields) if field.kind != "real"
        ]
        self._real_places = [
            place for place, field in enumerate(instruction.fields) if field.kind == "real"
        ]
        self._pattern = re.compile(self._regular_expression(), re.ASCII)

    @staticmethod
    def _default(field: Field) -> Any:
        if field.default is None or isinstance(field.default, float) or field.kind == "real":
            return None if field.default is None else float(field.default)
        return int(field.default)

    def _regular_expression(self) -> str:
        parts = [rf"[ \t]*({NAME}): {self.instruction.mnemonic}"]
        separator = " "
        if self.instruction.engine is None:
            parts.append(f" engine=({'|'.join(ENGINES)})")
            separator = ", "
        for field in self.instruction.fields:
            pattern = f"{separator}{field.name}=({_value_pattern(field)})"
            # The first field is always written, so that the comma before every other is certain.
            if separator == " " and field.default is not None:
                raise ValueError(f"the first field of {self.instruction.mnemonic} has a default")
            parts.append(pattern if field.default is None else f"(?:{pattern})?")
            separator = ", "
        return "".join(parts) + _SUFFIX

    @staticmethod
    def _writer(field: Field) -> Callable[[Any], str]:
        prefix = f"{field.name}="
        if field.kind == "address":
            return lambda value: f"{prefix}{value:#x}"
        if field.kind in ("storage", "enum"):
            texts = [prefix + name for name in code_names(field)]
            # A code without a name is a mistake that the verifier reports, but it must be printed
            # nevertheless.
            return lambda value: texts[value] if 0 <= value < len(texts) else f"{prefix}{value}"
        if field.kind == "real":
            return lambda value: prefix + real_text(value)
        return lambda value: f"{prefix}{value}"

    @staticmethod
    def _reader(field: Field) -> Callable[[str], Any]:
        if field.kind == "address":
            return lambda text: int(text, 16)
        if field.kind in ("storage", "enum"):
            return {name: code for code, name in enumerate(code_names(field))}.__getitem__
        return float if field.kind == "real" else int

    def unpack(self, data: bytes) -> tuple[int, ...]:
        """Return the integer fields that little-endian int64 bytes hold."""
        return self._integers.unpack(data)

    def pack(self, integers: Sequence[int]) -> bytes:
        """Return the little-endian int64 bytes of the integer fields. Raises struct.error if one does not fit."""
        return self._integers.pack(*integers)

    def write(self, line: Line) -> str:
        """Return the line without indentation and without the end of the line."""
        parts = [f"engine={line.engine}"] if line.engine else []
        if not line.reals:
            parts += [
                writer(value)
                for value, default, writer in zip(
                    line.integers, self.defaults, self._writers, strict=True
                )
                if value != default
            ]
        else:
            parts += self._mixed_fields(line.integers, line.reals)
        text = f"{line.name}: {self.instruction.mnemonic} {', '.join(parts)}"
        if line.after:
            text += f" after {', '.join(line.after)}"
        if line.wait:
            text += f" wait c{line.wait[0]}>={line.wait[1]}"
        if line.signal:
            text += f" signal c{line.signal[0]}@{{{','.join(map(str, line.signal[1:]))}}}"
        if line.origin is not None:
            text += f" for {quoted(line.origin)}"
        if line.location:
            text += f" {line.location}"
        return text

    def _mixed_fields(self, integers: Sequence[int], reals: Sequence[float]) -> list[str]:
        """Return the texts of the integer and real fields that are not at their defaults, in table order."""
        values: list[int | float] = [0] * len(self._writers)
        for places, numbers in ((self._integer_places, integers), (self._real_places, reals)):
            for place, number in zip(places, numbers, strict=True):
                values[place] = number
        return [
            writer(value)
            for value, default, writer in zip(values, self.defaults, self._writers, strict=True)
            # -0.0 equals 0.0, but must be written if the default is 0.0.
            if value != default or (not value and copysign(1, value) != copysign(1, default))
        ]

    def read(self, text: str) -> Line | None:
        """Return what a line says; None if it is not written exactly as `write` writes it, apart from indentation.

        Raises ValueError if a string is not UTF-8.
        """
        match = self._pattern.fullmatch(text)
        if match is None:
            return None
        name, *values = match.groups()
        engine = values.pop(0) if self.instruction.engine is None else None
        numbers = [
            default if (value := values[group]) is None else reader(value)
            for group, default, reader in self._readers
        ]
        after, counter, least, signal, cores, origin, location = values[len(numbers) :]
        if self._real_places:
            integers = tuple([numbers[place] for place in self._integer_places])
            reals = tuple([numbers[place] for place in self._real_places])
        else:
            integers, reals = tuple(numbers), ()
        return Line(
            name,
            self.instruction,
            integers,
            reals,
            engine,
            tuple(after.split(", ")) if after else (),
            (int(counter), int(least)) if counter else None,
            (int(signal), *map(int, cores.split(","))) if signal else None,
            unquoted(origin) if origin else None,
            location,
        )


def _value_pattern(field: Field) -> str:
    if field.kind in ("storage", "enum"):
        return "|".join(code_names(field))
    return {"address": _ADDRESS, "flag": "[01]", "real": _REAL}.get(field.kind, _INTEGER)


@cache
def line_format(instruction: type[Instruction]) -> LineFormat:
    """Return the format of the lines of an instruction class."""
    return LineFormat(instruction)


def real_text(value: float) -> str:
    """Return the shortest text that reads back as the same f64."""
    return repr(value)


_PLAIN = re.compile(r"[ !#-\[\]-~]*")


@lru_cache(maxsize=4096)
def quoted(text: str) -> str:
    """Return a string literal as MLIR writes it: each byte that is not printable ASCII as a backslash and two
    hexadecimal digits.
    """
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    result = "".join(
        chr(byte) if 0x20 <= byte <= 0x7E and byte not in b'"\\' else f"\\{byte:02X}"
        for byte in text.encode(errors="surrogatepass")
    )
    return f'"{result}"'


_ESCAPE = re.compile(rb"\\([nt\\\"]|[0-9a-fA-F]{2})")
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"\\": b"\\", b'"': b'"'}


def unquoted(literal: str) -> str:
    """Return the string that a literal with its quotes stands for. Raises ValueError if it is not UTF-8."""
    if "\\" not in literal:
        return literal[1:-1]
    data = _ESCAPE.sub(
        lambda m: _ESCAPED.get(m[1]) or bytes([int(m[1], 16)]), literal[1:-1].encode()
    )
    return data.decode()
