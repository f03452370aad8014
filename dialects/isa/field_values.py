"""Converts the fields of an instruction between values by name and the two lists in which an op keeps them.

All facts about an instruction's fields are gathered once, because programs have thousands of instructions with 20 to 30
fields each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from operator import le
from typing import Any

from ...backends.instructions.field_range import bounds, code_names, field_code, field_error
from ...backends.instructions.instruction_set import Field, Instruction


class FieldError(ValueError):
    """A field that is missing, unknown or out of range. The message names it; the instruction's name is to be put in
    front.
    """


class FieldValues:
    """The fields of one instruction class: those that are not real and those that are, each in table order."""

    def __init__(self, instruction: type[Instruction]) -> None:
        self.integer_fields = tuple(f for f in instruction.fields if f.kind != "real")
        self.real_fields = tuple(f for f in instruction.fields if f.kind == "real")
        self.defaults = {f.name: _named_default(f) for f in instruction.fields}
        """The default of each field as the table's functions take it: names for codes; None if it has none."""
        limits = [bounds(field) for field in self.integer_fields]
        self._lows = [low for low, _ in limits]
        self._highs = [high for _, high in limits]
        self._integer_names = [field.name for field in self.integer_fields]
        self._real_names = [field.name for field in self.real_fields]
        self._names_of_codes = [
            (f.name, code_names(f)) for f in self.integer_fields if f.kind in ("storage", "enum")
        ]
        self._places = {field.name: place for place, field in enumerate(self.integer_fields)}
        self._codes_of_names: list[tuple[str, int, Mapping[str, int]]] = [
            (name, self._places[name], {text: code for code, text in enumerate(names)})
            for name, names in self._names_of_codes
        ]

    def codes(self, values: Mapping[str, Any]) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """Return the two lists for values by name (names for codes); fields at their defaults may be left out.

        A real that is stored as f32 is rounded to it. Raises FieldError if a field is unknown, missing or out of range.
        """
        complete = {**self.defaults, **values}
        if len(complete) != len(self.defaults):
            raise FieldError(f" has no field '{min(values.keys() - self.defaults.keys())}'")
        integers = [complete[name] for name in self._integer_names]
        for name, place, codes in self._codes_of_names:
            value = complete[name]
            integers[place] = codes.get(value, value) if isinstance(value, str) else value
        reals = [
            _real_code(field, complete[name])
            for field, name in zip(self.real_fields, self._real_names, strict=True)
        ]
        for name, value in complete.items():
            if value is None:
                raise FieldError(f" needs its field '{name}'")
        problem = self.problem(integers, reals)
        if problem:
            raise FieldError(f": {problem}")
        return tuple(map(int, integers)), tuple(reals)

    def problem(self, integers: Sequence[Any], reals: Sequence[Any]) -> str | None:
        """Return why the fields cannot hold these values (codes for names); None if they can."""
        kinds = (("integer", self.integer_fields, integers), ("real", self.real_fields, reals))
        for kind, fields, values in kinds:
            if len(fields) != len(values):
                return f"it has {len(fields)} {kind} fields, got {len(values)} values"
            if kind == "integer" and self._fit(values):
                continue
            for field, value in zip(fields, values, strict=True):
                problem = field_error(field, value)
                if problem:
                    return problem
        return None

    def _fit(self, integers: Sequence[Any]) -> bool:
        """Tell whether all values are plain integers within their bounds. This is quick, but does not say which value
        is wrong.
        """
        return (
            set(map(type, integers)) <= {int}
            and all(map(le, self._lows, integers))
            and all(map(le, integers, self._highs))
        )

    def by_name(self, integers: Sequence[int], reals: Sequence[float]) -> dict[str, Any]:
        """Return the fields by name as the table's functions take them: names for codes.

        Raises IndexError if a code has no name, ValueError if the lists have the wrong lengths.
        """
        result: dict[str, Any] = dict(zip(self._integer_names, integers, strict=True))
        for name, names in self._names_of_codes:
            result[name] = names[result[name]]
        if reals or self._real_names:
            result.update(zip(self._real_names, reals, strict=True))
        return result


def _named_default(field: Field) -> Any:
    if field.kind in ("enum", "storage") and field.default is not None:
        return code_names(field)[int(field.default)]
    return field.default


def _real_code(field: Field, value: Any) -> Any:
    return value if value is None else field_code(field, float(value))


@cache
def field_values(instruction: type[Instruction]) -> FieldValues:
    """Return the fields of an instruction class."""
    return FieldValues(instruction)
