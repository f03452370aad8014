"""`top-annotate-calibration`: writes the ranges of a calibration table into the types of activations.

Before, with a table of two rows, which name a tensor and give its threshold, its least and its greatest value:

    image  1.0   0.0  1.0
    y      6.0  -1.5  6.0

    func.func @main(%image: tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32> ...
      %y = top.relu "y" %image : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>

After:

    func.func @main(%image: tensor<1x3x8x8x!quant.calibrated<f32<0.0:1.0>>>) -> ...
      %y = top.relu "y" %image : (...) -> tensor<1x3x8x8x!quant.calibrated<f32<-1.5:6.0>>>

A table comes from `smalti.compiler`'s calibration, from another tool or from an editor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, FunctionType, ModuleOp, StringAttr, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, SSAValue
from xdsl.rewriter import Rewriter

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place, did_you_mean
from ...dialects import top
from ...dialects.ir.context import report
from ...dialects.quant import CalibratedType
from ...dialects.quant.element_type import expressed, is_float
from ..smalti_pass import Level, SmaltiPass
from .calibration_grammar import read_table
from .calibration_table import CalibrationTable, Range, Ranges

RANGE_OF_ZEROS = (0.0, 1.0)
"""The range that a value gets whose calibrated range is [0, 0]: if all values are 0, any interval is exact."""
_SHOWN_NAMES = 8


@dataclass(frozen=True)
class AnnotateCalibration(SmaltiPass):
    """Give activations the ranges of a calibration table: table=FILE symmetric=false|true.

    A row of the table is NAME THRESHOLD MIN MAX METHOD; names are those of ops and function inputs. A range reaches
    from the least to the greatest value or, if `symmetric`, no further from 0 than the threshold, and just so far on
    one side. Values without a row stay as they are, and rows without a value are counted (statistic `unknown`). A
    table of which no row fits a value of the module is an error.
    """

    name = "top-annotate-calibration"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = {
        "annotated": "values that got a range",
        "unknown": "names of the table that no value has",
    }

    table: str
    """Path of the calibration table."""
    symmetric: bool = False
    """Whether the thresholds of the table hold, for schemes with symmetric activations."""

    def ranges(self, ctx: Context) -> Ranges:
        """Return the ranges by name. Raises DiagnosticError if the table cannot be read."""
        return ranges_of(read_table(self.table), self.table, ctx, symmetric=self.symmetric)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        ranges = self.ranges(ctx)
        seen = annotate(module, ranges)
        if ranges and not seen:
            names = ", ".join(sorted(ranges)[:_SHOWN_NAMES])
            raise DiagnosticError(
                "the calibration table names no value of the module",
                Place(file=self.table),
                notes=[f"it has ranges for: {names}"],
                hint="calibrate this model, or give the table that belongs to it",
            )
        unknown = sorted(ranges.keys() - seen)
        self.count("annotated", len(seen))
        self.count("unknown", len(unknown))
        if unknown:
            names = "1 name" if len(unknown) == 1 else f"{len(unknown)} names"
            message = f"the calibration table has ranges for {names} that no value has"
            notes = [f"they are: {', '.join(unknown[:_SHOWN_NAMES])}"]
            for name in unknown[:_SHOWN_NAMES]:
                near = did_you_mean(name, _names_without_range(module, seen))
                notes += [f"'{name}': {near}"] if near else []
            report(ctx, Diagnostic("warning", message, Place(file=self.table), notes))


class AnnotateMeasured(AnnotateCalibration):
    """The pass on ranges that are already in memory; `table` is the file that holds them, or will hold them later."""

    _measured: Ranges

    def __init__(self, table: str, ranges: Ranges, *, symmetric: bool = False) -> None:
        super().__init__(table, symmetric)
        object.__setattr__(self, "_measured", ranges)  # the pass is frozen, as all are

    def ranges(self, ctx: Context) -> Ranges:
        return self._measured


def ranges_of(
    table: CalibrationTable, path: str, ctx: Context, *, symmetric: bool = False
) -> Ranges:
    """Return the ranges of a table by name, up to the thresholds if `symmetric`; what else it holds is told to be
    unused.
    """
    unused = [
        section
        for section, rows in (("#int4_th", table.four_bits), ("#asym_op", table.asymmetric))
        if rows
    ]
    if unused:
        message = f"section {' and '.join(unused)} of the table is not used: the scheme decides what is quantized how"
        report(ctx, Diagnostic("warning", message, Place(file=path)))
    return table.symmetric_ranges if symmetric else table.ranges


def has_ranges(module: ModuleOp) -> bool:
    """Tell whether any value of the module carries a calibrated range."""
    return any(
        isinstance(result.type, TensorType) and isinstance(result.type.element_type, CalibratedType)
        for op in module.walk()
        for result in op.results
    )


def annotate(module: ModuleOp, ranges: Ranges) -> set[str]:
    """Set the element types of the activations that `ranges` names, in place, and return the names that were found.

    The types of a function's inputs and outputs are set too, so that its type fits its body.
    """
    seen: set[str] = set()
    for function in module.walk():
        if not isinstance(function, FuncOp) or not function.body.blocks:
            continue
        block = function.body.block
        for name, value in _named_values(function, block):
            if name in ranges and _annotate_value(value, ranges[name]):
                seen.add(name)
        end = block.last_op
        outputs = end.operand_types if isinstance(end, ReturnOp) else function.function_type.outputs
        inputs = [argument.type for argument in block.args]
        function.properties["function_type"] = FunctionType.from_lists(inputs, list(outputs))
    return seen


def _named_values(function: FuncOp, block: Block) -> list[tuple[str, SSAValue]]:
    """Return the inputs and the results of `top` ops that are not constants, with their names."""
    names = function.attributes.get("smalti.inputs")
    inputs = (
        [each.data for each in names if isinstance(each, StringAttr)]
        if isinstance(names, ArrayAttr)
        else []
    )
    named: list[tuple[str, SSAValue]] = list(zip(inputs, block.args, strict=False))
    for op in block.ops:
        if isinstance(op, top.TopOp) and not isinstance(op, top.WeightOp):
            named.append((op.result_name.data, op.results[0]))
    return named


def _names_without_range(module: ModuleOp, seen: set[str]) -> list[str]:
    """Return the names of values that no row of the table is about."""
    return [
        name
        for function in module.walk()
        if isinstance(function, FuncOp) and function.body.blocks
        for name, _ in _named_values(function, function.body.block)
        if name not in seen
    ]


def _annotate_value(value: SSAValue, bounds: Range) -> bool:
    """Give the value the calibrated element type if it is a float tensor, and tell whether it is."""
    type = value.type
    if not isinstance(type, TensorType) or not is_float(type):
        return False
    low, high = bounds
    if low == high:
        # There is only one value, but the type needs an interval, and quantization one that holds 0.
        low, high = RANGE_OF_ZEROS if low == 0.0 else (min(low, 0.0), max(high, 0.0))
    element = CalibratedType(expressed(type.element_type), low, high)
    Rewriter.replace_value_with_new_type(value, TensorType(element, type.get_shape()))
    return True
