"""Settles the shape of every input of a model from what the model declares and what the user gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ....backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place

if TYPE_CHECKING:
    from onnx import ValueInfoProto

_LARGEST_DIMENSION = 2**31 - 1

Dimension = int | str | None
"""A declared dimension: a size, the name of a symbol, or unknown."""


@dataclass(frozen=True)
class BatchChange:
    """The model's batch size as it was exported, and the one that it is imported with."""

    old: int
    new: int


@dataclass(frozen=True)
class GivenSizes:
    """The sizes of inputs that the user gives.

    `shapes`: by input, in place of declared shapes of the same rank. `batch`: the size of axis 0 of every input, which
    comes before all else; of the axis that the batch's name stands at in inputs that have it elsewhere, as a state
    [2, batch, 128]. `symbols`: the sizes of dimensions that the model declares by name.
    """

    shapes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    batch: int | None = None
    symbols: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class InputShapes:
    """The shapes of a model's inputs by name, and how the batch size differs from the declared one.

    `errors` says why the shape of an input that is absent is not known, `hint` how to give all of those at once;
    `unknown` has what is known of their dimensions.
    """

    shapes: dict[str, tuple[int, ...]]
    change: BatchChange | None
    errors: list[DiagnosticError]
    hint: str | None
    unknown: dict[str, list[Dimension] | None]

    def assumed(self, given: GivenSizes, size: int) -> GivenSizes:
        """Return the sizes that are given with `size` for each unknown dimension of inputs whose rank is known."""
        shapes = {
            name: [each if isinstance(each, int) else size for each in dimensions]
            for name, dimensions in self.unknown.items()
            if dimensions is not None
        }
        return GivenSizes({**given.shapes, **shapes}, given.batch, given.symbols)


def resolve_input_shapes(
    inputs: Sequence[ValueInfoProto],
    given: GivenSizes,
    file: str,
    constants: Sequence[str] = (),
) -> InputShapes:
    """Settle the shape of each input.

    The batch change is that of the first input whose axis 0 is declared as a number and gets another number. If axis 0
    of an input is declared by a symbol, that symbol stands for the batch size everywhere.

    Args:
        constants: names of initializers, for a better error.

    Raises:
        DiagnosticError: if a name or rank does not fit.
    """
    place = Place(file=file)
    declared = {value.name: declared_dimensions(value) for value in inputs}
    for name in given.shapes:
        if name in constants:
            raise DiagnosticError(
                f"'{name}' is a constant and no input; its shape cannot be set",
                place,
                hint="add it to the inputs of the model's graph, then it can be fed",
            )
        if name not in declared:
            names = ", ".join(f"'{known}'" for known in declared) or "none"
            raise DiagnosticError(
                f"the model has no input '{name}'", place, hint=f"its inputs are: {names}"
            )
    if given.batch is not None and given.batch < 1:
        raise DiagnosticError(f"the batch size must be at least 1, it is {given.batch}", place)
    symbols = _symbols(declared, given, place)
    batches = {each[0] for each in declared.values() if each and isinstance(each[0], str)}
    shapes, change = {}, None
    errors: list[DiagnosticError] = []
    unknown: dict[str, list[Dimension] | None] = {}
    for name, dimensions in declared.items():
        settled = _settled(name, dimensions, given, symbols, batches, file)
        try:
            shape = _complete(name, settled, file)
        except DiagnosticError as error:
            errors.append(error)
            unknown[name] = settled
            continue
        old = dimensions[0] if dimensions else None
        if change is None and isinstance(old, int) and shape and shape[0] != old:
            change = BatchChange(old, shape[0])
        shapes[name] = shape
    hint = _all_options(unknown) if unknown else None
    return InputShapes(shapes, change, errors, hint, unknown)


def _symbols(
    declared: Mapping[str, list[Dimension] | None], given: GivenSizes, place: Place
) -> dict[str, int]:
    """Return the sizes of symbols: those given, and the batch size for symbols that axis 0 is declared by."""
    shapes = [dimensions for dimensions in declared.values() if dimensions]
    known = {each: None for dimensions in shapes for each in dimensions if isinstance(each, str)}
    symbols = dict(given.symbols)
    for name, size in symbols.items():
        if name not in known:
            names = ", ".join(f"'{each}'" for each in known) or "none"
            raise DiagnosticError(
                f"the model has no symbolic dimension '{name}'",
                place,
                hint=f"its symbolic dimensions are: {names}",
            )
        if not 0 <= size <= _LARGEST_DIMENSION:
            raise DiagnosticError(
                f"the size of '{name}' must be between 0 and {_LARGEST_DIMENSION}, it is {size}",
                place,
            )
    for lead in [dimensions[0] for dimensions in shapes]:
        if given.batch is None or not isinstance(lead, str):
            continue
        if symbols.setdefault(lead, given.batch) != given.batch:
            raise DiagnosticError(
                f"the batch size is {given.batch}, but its symbol '{lead}' is {symbols[lead]}",
                place,
                hint="give one of --batch and --define-symbol",
            )
    return symbols


def declared_dimensions(value: ValueInfoProto) -> list[Dimension] | None:
    """Return the declared dimensions, or None for a tensor of unknown rank."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    # Exporters write -1 for a size that is known at run time only.
    return [
        d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else (d.dim_param or None)
        for d in tensor.shape.dim
    ]


def empty_inputs(
    inputs: Sequence[ValueInfoProto], shapes: Mapping[str, tuple[int, ...]], file: str
) -> list[Diagnostic]:
    """Return a warning for each input that has no elements because the model declares a size of 0."""
    warnings = []
    for value in inputs:
        declared, shape = declared_dimensions(value) or [], shapes[value.name]
        axes = [axis for axis, size in enumerate(declared) if size == shape[axis] == 0]
        if axes:
            example = ",".join(str(size or 1) for size in shape)
            warnings.append(
                Diagnostic(
                    "warning",
                    f"it has no elements: axis {axes[0]} is declared with size 0",
                    Place(file=file, name=f"input '{value.name}'"),
                    hint="if its exporter meant any size by that, give "
                    f"--input-shape {value.name}={example} (with the sizes that you want)",
                )
            )
    return warnings


def _settled(
    name: str,
    declared: list[Dimension] | None,
    given: GivenSizes,
    symbols: Mapping[str, int],
    batches: AbstractSet[str],
    file: str,
) -> list[Dimension] | None:
    """Return the dimensions of an input with what is given in the place of what is declared; `batches` are the symbols
    that axis 0 of some input is declared by.

    Raises DiagnosticError if the given shape has another rank.
    """
    wanted = given.shapes.get(name)
    if wanted is not None and declared is not None and len(wanted) != len(declared):
        raise DiagnosticError(
            f"the shape {list(wanted)} has {len(wanted)} dimensions, the input has "
            f"{len(declared)}: {_text(declared)}",
            Place(file=file, name=f"input '{name}'"),
            hint="give one size per dimension",
        )
    dimensions: list[Dimension] | None = list(wanted) if wanted is not None else declared
    if dimensions is None:
        return None
    is_behind = (
        bool(dimensions) and dimensions[0] not in batches and not batches.isdisjoint(dimensions[1:])
    )
    dimensions = [symbols.get(d, d) if isinstance(d, str) else d for d in dimensions]
    if given.batch is not None and dimensions and not is_behind:
        dimensions = [given.batch, *dimensions[1:]]
    return dimensions


def _complete(name: str, dimensions: list[Dimension] | None, file: str) -> tuple[int, ...]:
    """Return dimensions as a shape. Raises DiagnosticError if one is unknown or out of range."""
    place = Place(file=file, name=f"input '{name}'")
    if dimensions is None or not all(isinstance(size, int) for size in dimensions):
        raise DiagnosticError(
            f"its shape is not fully known: {_text(dimensions)}",
            place,
            hint=_how_to_settle(name, dimensions),
        )
    shape = tuple(int(size) for size in dimensions if isinstance(size, int))
    for size in shape:
        if not 0 <= size <= _LARGEST_DIMENSION:
            raise DiagnosticError(
                f"size {size} in {list(shape)} is not between 0 and {_LARGEST_DIMENSION}", place
            )
    return shape


_WANTED = "(with the sizes that you want)"


def _how_to_settle(name: str, dimensions: Sequence[Dimension] | None) -> str:
    """Say which options would make the shape of one input known."""
    ways = []
    if dimensions and all(isinstance(d, int) for d in dimensions[1:]):
        ways.append("--batch 1")
    symbols = _symbol_options(dimensions)
    if symbols:
        ways.append(" ".join(symbols))
    ways.append(f"{_shape_option(name, dimensions)} {_WANTED}")
    return "give " + ", or ".join(ways)


def _all_options(unknown: Mapping[str, Sequence[Dimension] | None]) -> str:
    """Say which options together would make the shapes of several inputs known."""
    options: dict[str, None] = {}
    for name, dimensions in unknown.items():
        symbols = _symbol_options(dimensions)
        options.update(dict.fromkeys(symbols or [_shape_option(name, dimensions)]))
    return f"give {' '.join(options)} {_WANTED}"


def _symbol_options(dimensions: Sequence[Dimension] | None) -> list[str]:
    """Return an option for each symbol of a shape; none if that would leave dimensions unknown."""
    unknown = [each for each in dimensions or () if not isinstance(each, int)]
    if not all(isinstance(each, str) for each in unknown):
        return []
    return [f"--define-symbol {each}=1" for each in dict.fromkeys(unknown)]


def _shape_option(name: str, dimensions: Sequence[Dimension] | None) -> str:
    """Return an option for the shape of an input, with its known sizes; of four axes if the rank is unknown."""
    if dimensions is None:
        return f"--input-shape {name}=1,3,224,224"
    sizes = ",".join(str(each) if isinstance(each, int) else "1" for each in dimensions)
    return f"--input-shape {name}={sizes}"


def _text(dimensions: Sequence[Dimension] | None) -> str:
    if dimensions is None:
        return "of unknown rank"
    return "[" + ", ".join("?" if d is None else str(d) for d in dimensions) + "]"
