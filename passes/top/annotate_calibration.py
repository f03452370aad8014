"""`top-annotate-calibration`: writes the rows of a calibration table into the types of activations.

Before, with a table of two rows, which name a tensor and give its threshold, its least and its greatest value:

    image  1.0   0.0  1.0
    y      5.0  -1.5  6.0

    func.func @main(%image: tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32> ...
      %y = top.relu "y" %image : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>

After:

    func.func @main(%image: tensor<1x3x8x8x!quant.calibrated<f32<0.0:1.0>>>) -> ...
      %y = top.relu "y" %image : (...) -> tensor<1x3x8x8x!tpu.calibrated<f32<-1.5:6.0>, threshold = 5.0>>

A threshold that is the greater magnitude of the bounds is not written. Which of the two counts is up to the scheme of
each layer: symmetric ones take the threshold. The range of a row in the table's section `#int4_th` follows as `i4 =
low:high`; products whose inputs have 4 bits, as in scheme w4a4, read the tensor in it. A table comes from
`smalti.compiler`'s calibration, from another tool or from an editor.
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
from ...dialects.quant import CalibratedType, calibrated
from ...dialects.quant.element_type import expressed, is_float
from ..smalti_pass import Level, SmaltiPass
from .calibration_grammar import read_table
from .calibration_table import CalibrationTable, Row

RANGE_OF_ZEROS = (0.0, 1.0)
"""The range that a value gets whose calibrated range is [0, 0]: if all values are 0, any interval is exact."""
_SHOWN_NAMES = 8


@dataclass(frozen=True)
class AnnotateCalibration(SmaltiPass):
    """Give activations the ranges and thresholds of a calibration table: table=FILE.

    A row of the table is NAME THRESHOLD MIN MAX METHOD; names are those of ops and function inputs. Layers of a scheme
    with symmetric activations saturate at the threshold, others below the least and above the greatest value. Values
    without a row stay as they are, and rows without a value are counted (statistic `unknown`). A table of which no row
    fits a value of the module is an error.
    """

    name = "top-annotate-calibration"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = {
        "annotated": "values that got a range",
        "unknown": "names of the table that no value has",
    }

    table: str
    """Path of the calibration table."""

    def read(self) -> CalibrationTable:
        """Return the table. Raises DiagnosticError if it cannot be read."""
        return read_table(self.table)

    def run(self, ctx: Context, module: ModuleOp) -> None:
        table = self.read()
        seen = annotate(module, table.rows, table.four_bits)
        if table.rows and not seen:
            names = ", ".join(sorted(table.rows)[:_SHOWN_NAMES])
            raise DiagnosticError(
                "the calibration table names no value of the module",
                Place(file=self.table),
                notes=[f"it has ranges for: {names}"],
                hint="calibrate this model, or give the table that belongs to it",
            )
        self.count("annotated", len(seen))
        self.count("unknown", len(table.rows.keys() - seen))
        for warning in doubts_of_table(table, Place(file=self.table), module):
            report(ctx, warning)


class AnnotateMeasured(AnnotateCalibration):
    """The pass on a table that is already in memory; `table` is the file that holds it, or will hold it later."""

    _measured: CalibrationTable

    def __init__(self, table: str, measured: CalibrationTable) -> None:
        super().__init__(table)
        object.__setattr__(self, "_measured", measured)  # the pass is frozen, as all are

    def read(self) -> CalibrationTable:
        return self._measured


def doubts_of_table(table: CalibrationTable, place: Place, module: ModuleOp) -> list[Diagnostic]:
    """Return warnings about a table for a module: a section that nothing reads, and rows that no value fits."""
    found: list[Diagnostic] = []
    if table.asymmetric:
        message = "section #asym_op of the table is not used: the scheme decides what is quantized asymmetrically"
        found.append(Diagnostic("warning", message, place))
    known = {
        name: value
        for function in module.walk()
        if isinstance(function, FuncOp) and function.body.blocks
        for name, value in _named_values(function, function.body.block)
    }
    rows = {**table.rows, **table.four_bits}
    fitting = {name for name in rows if name in known and is_float(known[name].type)}
    unknown = sorted(rows.keys() - fitting)
    if unknown:
        names = "1 name" if len(unknown) == 1 else f"{len(unknown)} names"
        message = f"the calibration table has ranges for {names} that no value has"
        notes = [f"they are: {', '.join(unknown[:_SHOWN_NAMES])}"]
        others = [name for name in known if name not in table.rows]
        for name in unknown[:_SHOWN_NAMES]:
            near = did_you_mean(name, others)
            notes += [f"'{name}': {near}"] if near else []
        found.append(Diagnostic("warning", message, place, notes))
    return found


def has_ranges(module: ModuleOp) -> bool:
    """Tell whether any value of the module carries a calibrated range."""
    return any(
        isinstance(result.type, TensorType) and isinstance(result.type.element_type, CalibratedType)
        for op in module.walk()
        for result in op.results
    )


def annotate(
    module: ModuleOp, rows: Mapping[str, Row], four_bits: Mapping[str, Row] | None = None
) -> set[str]:
    """Set the element types of the activations that `rows` names, in place, and return the names that were found.
    `four_bits` has the rows of those that 4 bits hold in another range.

    The types of a function's inputs and outputs are set too, so that its type fits its body.
    """
    seen: set[str] = set()
    for function in module.walk():
        if not isinstance(function, FuncOp) or not function.body.blocks:
            continue
        block = function.body.block
        for name, value in _named_values(function, block):
            narrow = (four_bits or {}).get(name)
            if name in rows and _annotate_value(value, rows[name], narrow):
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


def _annotate_value(value: SSAValue, row: Row, narrow: Row | None) -> bool:
    """Give the value the calibrated element type if it is a float tensor, and tell whether it is."""
    type = value.type
    if not isinstance(type, TensorType) or not is_float(type):
        return False
    low, high = row.low, row.high
    if low == high:
        # There is only one value, but the type needs an interval, and quantization one that holds 0.
        low, high = RANGE_OF_ZEROS if low == 0.0 else (min(low, 0.0), max(high, 0.0))
    four_bits = None if narrow is None or narrow.low >= narrow.high else (narrow.low, narrow.high)
    element = calibrated(expressed(type.element_type), low, high, row.threshold or None, four_bits)
    Rewriter.replace_value_with_new_type(value, TensorType(element, type.get_shape()))
    return True
