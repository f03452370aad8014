"""What callers name a device by: `TPU`, `TPU.1(target=edge-1c)`, `BATCH:TPU(4)`, `AUTO:TPU,-CPU`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...diagnostics.diagnostic import DiagnosticError, did_you_mean

_SINGLE = re.compile(r"(?P<name>[A-Za-z_][\w.-]*)\s*(?:\((?P<inside>[^()]*)\))?")
_PART = re.compile(r",(?![^()]*\))")


@dataclass(frozen=True)
class DeviceName:
    """A device of the list of those there are, with properties in parentheses, or a batch."""

    name: str
    properties: dict[str, str] = field(default_factory=dict)
    batch: int | None = None


@dataclass(frozen=True)
class NamedDevices:
    """`kind`: "AUTO", "BATCH" or "" for a single device; `devices` by priority."""

    kind: str
    devices: tuple[DeviceName, ...]


def parse_device_name(text: str, available: Sequence[str]) -> NamedDevices:
    """Return what a caller named.

    AUTO alone means all devices; `-NAME` leaves one out. `TPU` means the first of `TPU.0`, `TPU.1`…, and `-TPU` all of
    them.

    Raises DiagnosticError if the text is none, or a device is not among those `available`.
    """
    if not isinstance(text, str):
        raise _no_name(text)
    kind, colon, rest = text.partition(":")
    if kind not in ("AUTO", "BATCH"):
        return NamedDevices("", (_single(text, text, available, batch=False),))
    parts = [part.strip() for part in _PART.split(rest)] if colon else []
    if colon and not all(parts):
        raise _no_name(text)
    if kind == "BATCH":
        if len(parts) != 1:
            raise DiagnosticError(
                f"device '{text}' names {len(parts) or 'no'} devices",
                hint="BATCH takes one, with the size of batches: BATCH:TPU(4)",
            )
        return NamedDevices("BATCH", (_single(parts[0], text, available, batch=True),))
    without = {
        name
        for part in parts
        if part.startswith("-")
        for name in _all_of(part[1:].strip(), text, available)
    }
    named = [_single(part, text, available) for part in parts if not part.startswith("-")]
    devices = named or [DeviceName(name) for name in available]
    left = tuple(each for each in devices if each.name not in without)
    if len({each.name for each in left}) < len(left):
        raise DiagnosticError(f"device '{text}' names a device twice", hint="name each once")
    if not left:
        raise DiagnosticError(f"device '{text}' leaves no device", hint=_there_are(available))
    return NamedDevices("AUTO", left)


def _single(text: str, whole: str, available: Sequence[str], *, batch: bool = False) -> DeviceName:
    found = _SINGLE.fullmatch(text.strip())
    if found is None:
        raise _no_name(whole)
    name, inside = _available(found["name"], whole, available), found["inside"]
    if batch:
        size = inside.strip() if inside is not None else None
        if size is not None and (not size.isdecimal() or int(size) < 1):
            raise DiagnosticError(
                f"device '{whole}': a batch cannot have size '{size}'",
                hint="it is a whole number of at least 1: BATCH:TPU(4)",
            )
        return DeviceName(name, batch=None if size is None else int(size))
    properties: dict[str, str] = {}
    for part in filter(None, (inside or "").split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise DiagnosticError(
                f"device '{whole}': '{part.strip()}' has no value",
                hint="properties stand as NAME=VALUE: TPU(target=default-8c)",
            )
        properties[key.strip().upper()] = value.strip()
    return DeviceName(name, properties)


def _all_of(name: str, whole: str, available: Sequence[str]) -> list[str]:
    """Return the full names of a device, or of all devices of a kind."""
    first = _available(name, whole, available)
    return [each for each in available if each == first or each.partition(".")[0] == name]


def _available(name: str, whole: str, available: Sequence[str]) -> str:
    """Return the full name of a device; without a number, that of the first of its kind."""
    if name in available:
        return name
    first = next((each for each in available if each.partition(".")[0] == name), None)
    if first is None:
        kinds = dict.fromkeys(part for each in available for part in (each, each.partition(".")[0]))
        near = did_you_mean(name.upper(), list(kinds))
        raise DiagnosticError(
            f"there is no device {name}" + (f" ('{whole}')" if whole != name else ""),
            hint=f"{near} {_there_are(available)}" if near else _there_are(available),
        )
    return first


def _there_are(available: Sequence[str]) -> str:
    return f"there are {', '.join(available)}"


def _no_name(text: object) -> DiagnosticError:
    return DiagnosticError(
        f"'{text}' names no device", hint="as CPU, TPU.0, BATCH:TPU(4) or AUTO:TPU,CPU do"
    )
