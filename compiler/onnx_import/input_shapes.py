"""Settles the shape of every input of a model: as declared, as given by the user, with the batch
size asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...dialects.diagnostic import DiagnosticError, Place
from .builder import BatchChange

if TYPE_CHECKING:
    from onnx import ValueInfoProto

_LARGEST_DIMENSION = 2**31 - 1

Dimension = int | str | None
"""A declared dimension: a size, the name of a symbol, or unknown."""


def resolve_input_shapes(
    inputs: Sequence[ValueInfoProto],
    input_shapes: Mapping[str, Sequence[int]] | None,
    batch: int | None,
    file: str,
    constants: Sequence[str] = (),
) -> tuple[dict[str, tuple[int, ...]], BatchChange | None]:
    """The shape of each input, and how the batch size differs from the declared one.

    `input_shapes` replaces declared shapes of the same rank; `batch` then replaces axis 0 of every
    input. The batch change is that of the first input whose declared axis 0 is a number and got
    another one.

    Args:
        constants: names of inputs that are initializers (IR before 4), for a better error.

    Raises:
        DiagnosticError: a name, rank or size that does not fit, or a dimension that is still
            unknown.
    """
    given = dict(input_shapes or {})
    place = Place(file=file)
    declared = {value.name: _declared(value) for value in inputs}
    for name in given:
        if name in constants:
            raise DiagnosticError(f"input '{name}' is a constant; its shape cannot be set", place)
        if name not in declared:
            names = ", ".join(f"'{known}'" for known in declared) or "none"
            raise DiagnosticError(
                f"the model has no input '{name}'", place, hint=f"its inputs are: {names}"
            )
    if batch is not None and batch < 1:
        raise DiagnosticError(f"the batch size must be at least 1, it is {batch}", place)
    shapes, change = {}, None
    for name, dimensions in declared.items():
        shape = _resolve(name, dimensions, given.get(name), batch, file)
        old = dimensions[0] if dimensions else None
        if change is None and isinstance(old, int) and shape and shape[0] != old:
            change = BatchChange(old, shape[0])
        shapes[name] = shape
    return shapes, change


def _declared(value: ValueInfoProto) -> list[Dimension] | None:
    """The declared dimensions, or None for a tensor of unknown rank."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    # Exporters write -1 (and 0) for a size that is known at run time only.
    return [
        d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else (d.dim_param or None)
        for d in tensor.shape.dim
    ]


def _resolve(
    name: str,
    declared: list[Dimension] | None,
    given: Sequence[int] | None,
    batch: int | None,
    file: str,
) -> tuple[int, ...]:
    place = Place(file=file, name=f"input '{name}'")
    if given is not None and declared is not None and len(given) != len(declared):
        raise DiagnosticError(
            f"the shape {list(given)} has {len(given)} dimensions, the input has {len(declared)}: "
            f"{_text(declared)}",
            place,
            hint="give one size per dimension",
        )
    dimensions: list[Dimension] | None = list(given) if given is not None else declared
    if dimensions is not None and batch is not None and dimensions:
        dimensions = [batch, *dimensions[1:]]
    if dimensions is None or not all(isinstance(size, int) for size in dimensions):
        only_batch = dimensions is not None and all(isinstance(d, int) for d in dimensions[1:])
        option = f"--input-shape {name}=1,3,224,224 (with the sizes that you want)"
        raise DiagnosticError(
            f"its shape is not fully known: {_text(dimensions)}",
            place,
            hint=f"give --batch N, or {option}" if only_batch else f"give {option}",
        )
    shape = tuple(int(size) for size in dimensions if isinstance(size, int))
    for size in shape:
        if not 1 <= size <= _LARGEST_DIMENSION:
            raise DiagnosticError(
                f"size {size} in {list(shape)} is not between 1 and {_LARGEST_DIMENSION}", place
            )
    return shape


def _text(dimensions: Sequence[Dimension] | None) -> str:
    if dimensions is None:
        return "of unknown rank"
    return "[" + ", ".join("?" if d is None else str(d) for d in dimensions) + "]"
