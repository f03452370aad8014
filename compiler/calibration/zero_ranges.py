"""Finds tensors that are 0 on all calibration data, and are quantized all the same: by a range that nobody measured."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, SSAValue

from ...backends.diagnostics.diagnostic import Diagnostic, Place
from ...backends.interpreter.samples import input_names
from ...dialects.network.traits import Converts
from ...dialects.quant.element_type import element_of, shape_of
from ...passes.top.annotate_calibration import RANGE_OF_ZEROS
from ...passes.top.calibration_table import Ranges
from ...passes.top_to_tpu.builder.activation_ranges import activation_type
from ...passes.top_to_tpu.precision.schemes import SCHEMES

_SHOWN_NAMES = 8


def zero_ranges(module: ModuleOp, ranges: Ranges) -> set[str]:
    """Return the names of the values of top IR whose range is [0, 0].

    Left out is what has to be so: values that depend on no input, and tensors without elements.
    """
    dependent: set[SSAValue] = set()
    found: set[str] = set()
    for name, value in _named_values(module):
        owner = value.owner
        if isinstance(owner, Block) or any(operand in dependent for operand in owner.operands):
            dependent.add(value)
        if value in dependent and ranges.get(name) == (0.0, 0.0) and 0 not in shape_of(value):
            found.add(name)
    return found


def quantized_by_zeros(module: ModuleOp, names: Collection[str]) -> list[str]:
    """Return those of `names` whose tensors in tpu IR are quantized by the range that stands for [0, 0]."""
    elements = {
        activation_type(*RANGE_OF_ZEROS, scheme) for scheme in SCHEMES.values() if scheme.quantizes
    }
    return [
        name
        for name, value in _named_values(module)
        if name in names and any(element_of(form) in elements for form in _forms(value))
    ]


def doubt_of_zeros(names: Sequence[str], place: Place) -> Diagnostic:
    """Return the warning about quantized tensors that the calibration, from `place`, has seen as 0 only."""
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN_NAMES])
    rest = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    low, high = RANGE_OF_ZEROS
    return Diagnostic(
        "warning",
        f"the calibrated range of {shown}{rest} is [0, 0]: INT8 cuts off all values but {low:g} to {high:g}",
        place,
        hint="calibrate on data on which they are not all 0, or correct their ranges in a calibration table",
    )


def _named_values(module: ModuleOp) -> Iterator[tuple[str, SSAValue]]:
    """Yield the inputs and the results of the ops of each network, in order, with their names."""
    for function in module.ops:
        if not isinstance(function, FuncOp) or not function.body.blocks:
            continue
        yield from zip(input_names(function), function.body.block.args, strict=True)
        for op in function.body.block.ops:
            name = op.properties.get("name")
            if isinstance(name, StringAttr) and op.results:
                yield name.data, op.results[0]


def _forms(value: SSAValue) -> Iterator[SSAValue]:
    """Yield a value, and what it is converted to."""
    yield value
    for use in value.uses:
        if Converts.holds(use.operation):
            yield use.operation.results[0]
