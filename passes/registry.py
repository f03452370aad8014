"""Registers every pass by its name, reads pipelines from text, and prints them."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec, ParameterType
from xdsl.utils.arg_spec import parse_pipeline as parse_specs
from xdsl.utils.exceptions import ArgSpecParseError
from xdsl.utils.hints import type_repr

from ..backends.diagnostics.diagnostic import DiagnosticError, Place, contained, did_you_mean
from .anchors import without_anchors

PASSES: dict[str, str | type[ModulePass]] = {
    "canonicalize": ".canonicalize:Canonicalize",
    "cse": ".common_subexpressions:CommonSubexpressions",
    "top-unroll-recurrence": ".top.unroll_recurrence:UnrollRecurrence",
    "top-fold-shapes": ".top.fold_shapes:FoldShapes",
    "top-fold-movement": ".top.fold_movement:FoldMovement",
    "top-fold-batch-norm": ".top.fold_batch_norm:FoldBatchNorm",
    "top-recognize-activations": ".top.recognize_activations:RecognizeActivations",
    "top-recognize-normalization": ".top.recognize_normalization:RecognizeNormalizations",
    "top-annotate-calibration": ".top.annotate_calibration:AnnotateCalibration",
    "top-equalize": ".accuracy.equalize:Equalize",
    "top-smooth-quant": ".accuracy.smooth_quant:SmoothQuant",
    "top-round-weights": ".accuracy.round_weights:RoundWeights",
    "convert-top-to-tpu": ".top_to_tpu.convert_top_to_tpu:ConvertTopToTpu",
    "tpu-hoist-quantization": ".tpu.hoist_quantization:HoistQuantizationPass",
    "tpu-fuse-lookup": ".tpu.fuse_lookup:FuseLookup",
    "tpu-fuse-activation": ".tpu.fuse_activation:FuseActivation",
    "tpu-fuse-requantize": ".tpu.fuse_requantize:FuseRequantizePass",
    "tpu-fuse-residual": ".tpu.fuse_residual:FuseResidual",
    "tpu-narrow-floats": ".tpu.narrow_floats:NarrowFloatsPass",
    "tpu-legalize-types": ".tpu.legalize_types:LegalizeTypes",
    "tpu-quantize-ports": ".tpu.quantize_ports:QuantizePorts",
    "tpu-set-port-layouts": ".tpu.set_port_layouts:SetPortLayouts",
    "convert-tpu-to-tile": ".tpu_to_tile.convert_tpu_to_tile:ConvertTpuToTile",
    "tile-set-schedules": ".tile.set_schedules:SetSchedules",
    "tile-plan": ".tile.plan:Plan",
    "tile-slice-groups": ".tile.groups.slice_groups:SliceGroups",
    "tile-split-over-cores": ".tile.split_over_cores:SplitOverCores",
    "tile-cut-to-local-memory": ".tile.cut_to_local_memory:CutToLocalMemory",
    "tile-order-engines": ".tile.order_engines:OrderEngines",
    "tile-assign-addresses": ".tile.assign_addresses:AssignAddresses",
    "convert-tile-to-isa": ".tile_to_isa.convert_tile_to_isa:ConvertTileToIsa",
}
"""Every pass by its name: "module:Class" relative to this package, imported when asked for; for a
plugin's pass the class itself."""

_PLAIN_VALUE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_PIECE = re.compile(
    r'(?P<string>"(?:\\.|[^"\\])*")|\s*(?P<mark>[,{}])\s*|(?P<space>\s+)|(?<=[=,])(?P<value>[^\s,{}"=]+)'
)
_LEXED_AS_VALUE = re.compile(
    r"[A-Za-z_][A-Za-z0-9_-]*\Z|[0-9]+[A-Za-z_-]+[A-Za-z0-9_-]*\Z"
    r"|[-+]?[0-9]+(\.[0-9]*([eE][-+]?[0-9]+)?)?\Z"
)


def get_pass(name: str) -> type[ModulePass]:
    """Return the class of pass `name`. Raises DiagnosticError, with the nearest names, if there is none."""
    location = PASSES.get(name)
    if location is None:
        raise DiagnosticError(
            f"there is no pass '{name}'",
            hint=did_you_mean(name, PASSES) or "smalti-opt --list-passes names every pass",
        )
    if isinstance(location, type):
        return location
    module, _, attribute = location.partition(":")
    return getattr(importlib.import_module(module, __package__), attribute)


def register_pass(name: str, cls: type[ModulePass]) -> None:
    """Add a pass under its name, in place of an earlier definition of the same class, as a notebook makes them.

    Raises DiagnosticError if the name is taken by another class, or is not that of the class.
    """
    known = PASSES.get(name)
    if known is not None and not (isinstance(known, type) and _same_class(known, cls)):
        raise DiagnosticError(f"there is a pass '{name}' already", hint="choose another name")
    if getattr(cls, "name", None) != name:
        raise DiagnosticError(
            f"pass '{name}' is registered with a class whose name is '{getattr(cls, 'name', None)}'",
            hint=f'write name = "{name}" in the class',
        )
    PASSES[name] = cls


def _same_class(a: type, b: type) -> bool:
    return (a.__module__, a.__qualname__) == (b.__module__, b.__qualname__)


def parse_pipeline(text: str) -> list[ModulePass]:
    """Return the passes of a pipeline such as `a,b{option=1 other=x,y}`, in order; an empty text has none. The pipeline
    may be nested as MLIR writes it: `builtin.module(a,b)`.

    Values are numbers, true, false, words, or strings in quotes; quotes may be left out if the value has no space,
    comma, brace, quote or equals sign (table=x.calibration). Raises DiagnosticError if the text cannot be parsed, names
    an unknown pass or option, leaves out an option that must be given, or gives a value of the wrong type.
    """
    return [_make_pass(spec) for spec in _specs(text)]


def _specs(text: str) -> list[ArgSpec]:
    """Return the names and options in the text of a pipeline. Raises DiagnosticError if it cannot be parsed."""
    try:
        return list(parse_specs(_PIECE.sub(_normalize, without_anchors(text))))
    except ArgSpecParseError as error:
        details = str(error).splitlines()[1:]
        raise DiagnosticError(
            "the pipeline does not parse",
            Place(name=f"pipeline '{text}'"),
            notes=[line for line in details if line.strip()],
            hint="write passes as a,b{option=1 other=x}",
        ) from None


def words_of_options(text: str) -> list[str]:
    """Return the values of options that are text, of all passes of a pipeline; none if it does not parse."""
    try:
        specs = _specs(text)
    except DiagnosticError:
        return []
    options = [values for spec in specs for values in spec.parameters.values()]
    return [value for values in options for value in values if isinstance(value, str)]


def merge_options(text: str, changes: str) -> str:
    """Return a pass as pipeline text, with the options that `changes`, the same pass as text, has in place of its own.

    Raises DiagnosticError if `changes` cannot be parsed or holds another number of passes than one.
    """
    (own,), changed = _specs(text), _specs(changes)
    if len(changed) != 1:
        raise DiagnosticError(
            f"'{changes}' is {len(changed)} passes, not one",
            hint="give each its own --set-pass",
        )
    options = own.normalize_parameter_names().parameters
    return _print_spec(
        ArgSpec(own.name, options | changed[0].normalize_parameter_names().parameters)
    )


def pass_with_options(name: str, options: Mapping[str, Any]) -> str:
    """Return a pass as pipeline text, with options by name: numbers, booleans, strings, or sequences of these."""
    values = {
        option: tuple(value) if isinstance(value, list | tuple) else (value,)
        for option, value in options.items()
    }
    return _print_spec(ArgSpec(name, values)) if values else f"{name}{{}}"


def print_pipeline(passes: Sequence[ModulePass], *, defaults: bool = False) -> str:
    """Return the text from which `parse_pipeline` makes the same passes; options at their defaults are left out unless
    `defaults` is True.
    """
    return ",".join(
        _print_spec(each.pipeline_pass_spec(include_default=defaults)) for each in passes
    )


def _make_pass(spec: ArgSpec) -> ModulePass:
    """Return the pass that `spec` describes, after checking its options one by one."""
    cls = get_pass(spec.name)
    given = spec.normalize_parameter_names().parameters
    options = {field.name: field for field in dataclasses.fields(cls) if field.init}
    place = Place(name=f"pass '{spec.name}'")
    for name in given:
        if name not in options:
            shown = name.replace("_", "-")
            known = ", ".join(each.replace("_", "-") for each in options) or "none"
            hint = did_you_mean(shown, [each.replace("_", "-") for each in options])
            raise DiagnosticError(f"no option '{shown}' (there is: {known})", place, hint=hint)
    for name in sorted(cls.required_fields() - set(given)):
        raise DiagnosticError(
            f"option '{name.replace('_', '-')}' is missing",
            place,
            hint=f"write {spec.name}{{{name}=...}}",
        )
    # Most passes have no options, and the types of options are dear to find.
    types = get_type_hints(cls) if given else {}
    given = {name: _widen(values, types[name]) for name, values in given.items()}
    for name, values in given.items():
        _check_type(cls, name, values, types[name], place)
    try:
        with contained(f"in pass '{spec.name}'"):
            return cls.from_pass_spec(ArgSpec(spec.name, given)) if given else cls()
    except ValueError as error:
        raise DiagnosticError(str(error), place) from None


def _check_type(
    cls: type[ModulePass], name: str, values: tuple[ParameterType, ...], expected: Any, place: Place
) -> None:
    """Raise DiagnosticError if option `name` does not take `values`; xDSL's conversion of that one option decides."""
    from xdsl.utils.arg_spec import _convert_arg_to_type  # pyright: ignore[reportPrivateUsage]

    try:
        _convert_arg_to_type(values, expected)
    except ValueError:
        shown = ",".join(_print_value(value) for value in values) or "nothing"
        raise DiagnosticError(
            f"option '{name.replace('_', '-')}' is {shown}, expected {type_repr(expected)}", place
        ) from None


def _widen(values: tuple[ParameterType, ...], expected: Any) -> tuple[ParameterType, ...]:
    """Return whole numbers and words such as 1e-5 as floats for an option of floats, and digits as text for an option
    of text.
    """
    text = type_repr(expected)
    if not values and expected is bool:
        # As in MLIR, a name alone switches on.
        return (True,)
    if "float" in text and "int" not in text:
        return tuple(_as_float(value) for value in values)
    if "str" in text and "int" not in text and "float" not in text:
        return tuple(
            _print_value(value) if not isinstance(value, str) else value for value in values
        )
    return values


def _as_float(value: ParameterType) -> ParameterType:
    try:
        return value if isinstance(value, bool) else float(value)
    except ValueError:
        return value


def _print_spec(spec: ArgSpec) -> str:
    options = [
        name.replace("_", "-") + ("=" + ",".join(map(_print_value, values)) if values else "")
        for name, values in spec.parameters.items()
    ]
    return spec.name + (f"{{{' '.join(options)}}}" if options else "")


def _print_value(value: ParameterType) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            # Without a point the number would be read as a whole number, or (1e-05) as a word.
            text = repr(value)
            return text if "." in text else text.replace("e", ".0e")
        case str():
            plain = _PLAIN_VALUE.match(value) and value not in ("true", "false")
            return value if plain else _quote(value)
        case _:
            return str(value)


def _quote(text: str) -> str:
    escapes = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t"}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'


def _normalize(piece: re.Match[str]) -> str:
    """Return a piece of a pipeline's text in the form that xDSL's reader takes: single spaces, none around marks,
    quotes where they are needed.
    """
    if piece["space"]:
        return " "
    value = piece["value"]
    if value is None:
        return piece["string"] or piece["mark"]
    return value if _LEXED_AS_VALUE.match(value) else _quote(value)
