"""Checks that each field of a plugin holds what it is for, before anything of it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.instructions.instruction import Instruction
from ...backends.numerics.functions.function import Function

_Fits = Callable[[object], bool]


def check_fields(fields: Mapping[str, object]) -> None:
    """Raise DiagnosticError if a field of a plugin, or anything in it, is not of the kind that the field holds."""
    _check_table("dialects", fields["dialects"], callable, "a function that makes a dialect")
    _check_table(
        "passes",
        fields["passes"],
        _derived_from(ModulePass),
        "a class derived from smalti.passes.smalti_pass.SmaltiPass",
    )
    _check_table("targets", fields["targets"], _is_path, "the path of a TOML file")
    _check_list(
        "instructions",
        fields["instructions"],
        _derived_from(Instruction),
        "a class derived from smalti.backends.instructions.instruction.Instruction",
    )
    _check_list(
        "functions",
        fields["functions"],
        lambda value: isinstance(value, Function),
        "a smalti.backends.numerics.functions.function.Function",
    )
    _check_table("importers", fields["importers"], callable, "a function of (node, builder)")
    _check_exporters(fields["exporters"])
    _check_table(
        "conversions", fields["conversions"], callable, "a function of (builder, op)", by_op=True
    )
    _check_table("devices", fields["devices"], callable, "what makes a smalti.runtime.Device")
    _check_table(
        "tilers",
        fields["tilers"],
        _is_tiler,
        "a class derived from smalti.passes.tile.tiler_bases.tiler.Tiler, or from BoxTiler",
        by_op=True,
    )


def _check_table(
    field: str, table: object, fits: _Fits, expected: str, *, by_op: bool = False
) -> None:
    """Raise DiagnosticError unless `table` maps names, or classes of ops, to what `fits` accepts."""
    key_fits = _derived_from(Operation) if by_op else _is_name
    key = "the class of an op" if by_op else "a name"
    if not isinstance(table, Mapping):
        raise _misfit(field, table, f"a dictionary from {key} to {expected}")
    for name, value in table.items():
        if not key_fits(name):
            raise _misfit(f"{field}, a key", name, key)
        if not fits(value):
            shown = repr(name) if isinstance(name, str) else name.__name__
            raise _misfit(f"{field}[{shown}]", value, expected)


def _check_exporters(table: object) -> None:
    """Raise DiagnosticError unless `table` maps classes of ops, and names of functions, to exporters."""
    expected = "a function of (op, graph)"
    if not isinstance(table, Mapping):
        raise _misfit("exporters", table, f"a dictionary to {expected}")
    named = {key: value for key, value in table.items() if isinstance(key, str)}
    _check_table("exporters", named, callable, expected)
    by_class = {key: value for key, value in table.items() if key not in named}
    _check_table("exporters", by_class, callable, expected, by_op=True)


def _check_list(field: str, listed: object, fits: _Fits, expected: str) -> None:
    """Raise DiagnosticError unless `listed` is a list of what `fits` accepts."""
    if not isinstance(listed, Sequence):
        raise _misfit(field, listed, f"a list, each of it {expected}")
    for index, each in enumerate(listed):
        if not fits(each):
            raise _misfit(f"{field}[{index}]", each, expected)


def _derived_from(base: type) -> _Fits:
    return lambda value: isinstance(value, type) and issubclass(value, base)


def _is_name(value: object) -> bool:
    return isinstance(value, str)


def _is_path(value: object) -> bool:
    return isinstance(value, str | Path)


def _is_tiler(value: object) -> bool:
    from ...passes.tile.tiler_bases.tiler import Tiler

    return _derived_from(Tiler)(value)


def _misfit(field: str, value: object, expected: str) -> DiagnosticError:
    kind = f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"
    return DiagnosticError(
        f"the plugin's {field} is {kind}", hint=f"expected {expected}: see smalti.compiler.Plugin"
    )
