"""`top-annotate-calibration`: writes the ranges of a calibration table into the types of
activations.

Before, with the table {"format": 1, "ranges": {"image": [0.0, 1.0], "y": [-1.5, 6.0]}}:

    func.func @main(%image: tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32> ...
      %y = top.relu "y" %image : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>

After:

    func.func @main(%image: tensor<1x3x8x8x!quant.calibrated<f32<0.0:1.0>>>) -> ...
      %y = top.relu "y" %image : (...) -> tensor<1x3x8x8x!quant.calibrated<f32<-1.5:6.0>>>

A table comes from `smalti.compiler`'s calibration, from another tool or from an editor.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, FunctionType, ModuleOp, StringAttr, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, SSAValue
from xdsl.rewriter import Rewriter

from ...backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Place
from ...dialects import top
from ...dialects.context import report
from ...dialects.quant import CalibratedType
from ...dialects.quant.element_type import expressed, is_float
from ..smalti_pass import Level, SmaltiPass

FORMAT = 1
_MAX_TABLE_BYTES = 256 << 20
_SHOWN_NAMES = 8

Range = tuple[float, float]


@dataclass(frozen=True)
class AnnotateCalibration(SmaltiPass):
    """Give activations the ranges of a calibration table: table=FILE.

    The table is JSON, {"format": 1, "ranges": {name: [low, high]}}; names are those of ops and
    function inputs. Values without a range stay as they are, ranges without a value are counted
    (statistic `unknown`); a table that fits none of the module's values is an error.
    """

    name = "top-annotate-calibration"
    level: ClassVar[Level] = "top"
    counts: ClassVar[Mapping[str, str]] = {
        "annotated": "values that got a range",
        "unknown": "names of the table that no value has",
    }

    table: str
    """Path of the calibration table, a JSON file."""

    def run(self, ctx: Context, module: ModuleOp) -> None:
        ranges = read_table(self.table)
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
            message = f"the calibration table has ranges for {len(unknown)} names that no value has"
            names = ", ".join(unknown[:_SHOWN_NAMES])
            place = Place(file=self.table)
            report(ctx, Diagnostic("warning", message, place, [f"they are: {names}"]))


def read_table(path: str | Path) -> dict[str, Range]:
    """The ranges of a calibration table, by name; DiagnosticError for whatever is wrong with the
    file."""
    place = Place(file=str(path))
    hint = 'a table is {"format": 1, "ranges": {"name": [low, high]}}'
    try:
        file = Path(path)
        if file.stat().st_size > _MAX_TABLE_BYTES:
            raise DiagnosticError(f"larger than {_MAX_TABLE_BYTES >> 20} MiB", place, hint=hint)
        table = json.loads(file.read_bytes())
    except OSError as error:
        reason = error.strerror or str(error)
        raise DiagnosticError(f"cannot read the calibration table: {reason}", place) from None
    except json.JSONDecodeError as error:
        place = Place(file=str(path), line=error.lineno, column=error.colno)
        raise DiagnosticError(f"not JSON: {error.msg}", place, hint=hint) from None
    except (UnicodeDecodeError, RecursionError):
        raise DiagnosticError("not JSON", place, hint=hint) from None
    if not isinstance(table, dict) or not isinstance(table.get("ranges"), dict):
        raise DiagnosticError("not a calibration table: it has no 'ranges'", place, hint=hint)
    if table.get("format") != FORMAT:
        raise DiagnosticError(
            f"format is {table.get('format')!r}, this Smalti reads {FORMAT}", place, hint=hint
        )
    return {name: _check_range(name, bounds, place) for name, bounds in table["ranges"].items()}


def _check_range(name: str, bounds: Any, place: Place) -> Range:
    numbers = isinstance(bounds, list) and len(bounds) == 2
    if not numbers or any(
        isinstance(each, bool) or not isinstance(each, int | float) for each in bounds
    ):
        raise DiagnosticError(f"the range of '{name}' is not [low, high]", place)
    try:
        low, high = float(bounds[0]), float(bounds[1])
    except OverflowError:
        low = high = math.inf
    if not (math.isfinite(low) and math.isfinite(high)):
        raise DiagnosticError(f"the range of '{name}', {bounds}, is not finite", place)
    if low > high:
        raise DiagnosticError(f"the range of '{name}', {bounds}, is upside down", place)
    return low, high


def annotate(module: ModuleOp, ranges: dict[str, Range]) -> set[str]:
    """Sets the element types of the activations that `ranges` names, in place; returns the names
    that were found.

    A function's inputs and outputs get theirs too, so that its type fits its body.
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
    """The inputs and the results of `top` ops that are no constants, with their names."""
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


def _annotate_value(value: SSAValue, bounds: Range) -> bool:
    """Whether the value is a float tensor; then its element type becomes the calibrated one."""
    type = value.type
    if not isinstance(type, TensorType) or not is_float(type):
        return False
    low, high = bounds
    if low == high:
        # One value only: the type wants an interval, and quantization one that holds 0. All zeros
        # are exact in any.
        low, high = min(low, 0.0), max(high, 0.0) if low != 0.0 else 1.0
    element = CalibratedType(expressed(type.element_type), low, high)
    Rewriter.replace_value_with_new_type(value, TensorType(element, type.get_shape()))
    return True
