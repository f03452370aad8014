"""Makes constants of graph inputs, of values that the user gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ....backends.diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ....backends.numerics.storage import is_float, name_of, round_to
from .input_shapes import Dimension, GivenSizes, declared_dimensions

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto


def constant_inputs(
    inputs: Sequence[ValueInfoProto],
    constants: Mapping[str, ArrayLike],
    sizes: GivenSizes,
    file: str,
) -> dict[str, np.ndarray]:
    """Return the values of inputs that are to be constants, by name: of the input's element type and shape.

    A number stands for a tensor of one element, a flat list for a tensor of as many elements whose sizes are known, but
    for one at most.

    Raises:
        DiagnosticError: if the model has no input of a name, or a value does not fit its type or shape.
    """
    known = {value.name: value for value in inputs}
    found: dict[str, np.ndarray] = {}
    for name, given in constants.items():
        if name not in known:
            names = ", ".join(f"'{each}'" for each in known) or "none"
            raise DiagnosticError(
                f"the model has no input '{name}'",
                Place(file=file),
                hint=did_you_mean(name, known) or f"its inputs are: {names}",
            )
        place = Place(file=file, name=f"input '{name}'")
        if name in sizes.shapes:
            raise DiagnosticError(
                "it has a value and a shape",
                place,
                hint=f"give one of --constant {name}=... and --input-shape {name}=...",
            )
        array = _typed(given, known[name], place)
        dimensions = declared_dimensions(known[name])
        if dimensions is not None:
            settled = [sizes.symbols.get(d, d) if isinstance(d, str) else d for d in dimensions]
            array = _shaped(array, settled, place)
        array.flags.writeable = False
        found[name] = array
    return found


def _typed(given: ArrayLike, value: ValueInfoProto, place: Place) -> np.ndarray:
    """Return a value as an array of the input's element type. Raises DiagnosticError if the type cannot hold it."""
    from onnx import TensorProto
    from onnx.helper import tensor_dtype_to_np_dtype

    element = value.type.tensor_type.elem_type
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type" or element in (TensorProto.UNDEFINED, TensorProto.STRING):
        raise DiagnosticError("only a tensor of numbers or bools can be made constant", place)
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise DiagnosticError(f"its value is no tensor: {error}", place) from None
    dtype, name = tensor_dtype_to_np_dtype(element), TensorProto.DataType.Name(element)
    if array.size == 0:
        array = array.astype(dtype)
    if array.dtype == dtype:
        return array.copy()
    is_number = array.dtype.kind in "biuf" and (array.dtype.kind == "b") == (dtype == np.bool_)
    if not is_number:
        hint = "give true or false" if dtype == np.bool_ else "give a number, or a list of numbers"
        raise DiagnosticError(
            f"its elements are {name}, and its value is {given}", place, hint=hint
        )
    try:
        storage = name_of(dtype)
    except ValueError:
        raise DiagnosticError(
            f"its elements are {name}, which no constant can have", place
        ) from None
    if is_float(storage):
        return round_to(array.astype(np.float64), storage)
    with np.errstate(invalid="ignore"):
        converted = array.astype(dtype)
    if not np.array_equal(converted.astype(array.dtype), array) or _wraps(array, dtype):
        raise DiagnosticError(
            f"its elements are {name}, which cannot hold its value {given}",
            place,
            hint="give whole numbers within the type's range",
        )
    return converted


def _wraps(array: np.ndarray, dtype: np.dtype) -> bool:
    """Tell whether an integer lies outside an integer type, which conversion to and fro does not show."""
    limits = np.iinfo(dtype)
    return any(not limits.min <= int(each) <= limits.max for each in (array.min(), array.max()))


def _shaped(array: np.ndarray, dimensions: Sequence[Dimension], place: Place) -> np.ndarray:
    """Return the value in the shape that the input declares. Raises DiagnosticError if it has another."""
    fits = len(array.shape) == len(dimensions) and all(
        size == declared or not isinstance(declared, int)
        for size, declared in zip(array.shape, dimensions, strict=True)
    )
    if fits:
        return array
    open_axes = [axis for axis, size in enumerate(dimensions) if not isinstance(size, int)]
    rest = int(np.prod([size for size in dimensions if isinstance(size, int)]))
    if array.ndim <= 1 and len(open_axes) <= 1 and rest and array.size % rest == 0:
        free = array.size // rest
        if open_axes or free == 1:
            return array.reshape([size if isinstance(size, int) else free for size in dimensions])
    if array.ndim == 0 and all(not isinstance(size, int) or size == 1 for size in dimensions):
        return array.reshape((1,) * len(dimensions))
    shown = ", ".join(str(size) if size is not None else "?" for size in dimensions)
    raise DiagnosticError(
        f"its shape is [{shown}], and its value has shape {list(array.shape)}",
        place,
        hint="give as many numbers as it has elements",
    )


def fed_constants(
    model: str | Path | ModelProto, constants: Mapping[str, ArrayLike]
) -> dict[str, np.ndarray]:
    """Return what ONNX Runtime is to be fed for inputs that the import makes constant.

    Raises DiagnosticError as `constant_inputs` does.
    """
    if not constants:
        return {}
    from .model_file import open_model

    is_file = isinstance(model, str | Path)
    proto = open_model(model)[0] if is_file else model
    file = str(model) if is_file else proto.graph.name or "model"
    return constant_inputs(proto.graph.input, constants, GivenSizes(), file)
