"""Properties that callers set, by what they can be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ...diagnostics.diagnostic import DiagnosticError, did_you_mean

_SWITCHES = {"YES": True, "NO": False, "TRUE": True, "FALSE": False}


@dataclass(frozen=True)
class Property(ABC):
    """A property: `default` has its type; `says` what it is. `is_mutable`: whether a compiled model takes another
    value.
    """

    name: str
    default: Any
    says: str
    is_mutable: bool = False

    @abstractmethod
    def read(self, value: object) -> Any:
        """Return a value, given as itself or as text, in the property's type. Raises DiagnosticError if it is none."""

    def wrong(self, value: object, expected: str, hint: str | None = None) -> DiagnosticError:
        """Return the error for a value that the property cannot have."""
        return DiagnosticError(
            f"property {self.name} cannot be {value!r}: it is {expected}", hint=hint
        )


class Choice(Property):
    """One of an enumeration, which may be given by name."""

    def read(self, value: object) -> Enum:
        """Return the member. Raises DiagnosticError if there is none such."""
        members: Mapping[str, Enum] = type(self.default).__members__
        # Another library's enumeration (OpenVINO's) with the same names does as well.
        name = getattr(value, "name", None) or str(value).strip().upper()
        if name not in members:
            raise self.wrong(
                value, f"one of {', '.join(members)}", did_you_mean(name, list(members))
            )
        return members[name]


class Switch(Property):
    """True or False, which may be given as YES or NO."""

    def read(self, value: object) -> bool:
        """Return the switch. Raises DiagnosticError if the value is none."""
        if isinstance(value, bool):
            return value
        if str(value).strip().upper() not in _SWITCHES:
            raise self.wrong(value, "True or False, or YES or NO")
        return _SWITCHES[str(value).strip().upper()]


class Text(Property):
    """A text."""

    def read(self, value: object) -> str:
        """Return the text. Raises DiagnosticError if the value is none."""
        if not isinstance(value, str):
            raise self.wrong(value, "a text")
        return value


@dataclass(frozen=True)
class Number(Property):
    """A number of the default's type, from `least` to `most`."""

    least: float = 0
    most: float = float("inf")

    def read(self, value: object) -> int | float:
        """Return the number. Raises DiagnosticError if the value is none, or too small."""
        kind = type(self.default)
        number = _number(value, kind)
        if number is None or not self.least <= number <= self.most or number == float("inf"):
            what = "a whole number" if kind is int else "a number"
            most = f" and at most {self.most:,}" if self.most < float("inf") else ""
            raise self.wrong(value, f"{what} of at least {self.least}{most}")
        return number


def _number(value: object, kind: type[int] | type[float]) -> int | float | None:
    """Return a value as a number of a type, None if it is none that it can hold."""
    if isinstance(value, str):
        try:
            return kind(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    is_held = kind is float or value == value // 1
    return kind(value) if is_held else None
