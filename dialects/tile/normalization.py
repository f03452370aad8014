"""The tile ops of softmax and of normalizations."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

from xdsl.dialects.builtin import StringAttr, UnitAttr
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition

from ...backends.numerics.normalization import KINDS as NORMALIZATION_KINDS
from ...backends.numerics.storage import is_float
from ..ir.attribute import Integer, Real, check_one_of, flag, integer, real, text
from ..ir.field import buffer, prop
from ..quant.element_type import shape_of
from .checks import (
    check_local_pair,
    check_pitch,
    check_rank,
    check_same_rows,
    check_space,
    check_storage,
    fail_unless,
    pitch_of,
    rows_of,
    storage_of,
)
from .core_op import CoreOp, Operands, Translation
from .instruction_fields import row_fields


@irdl_op_definition
class SoftmaxOp(CoreOp):
    """Softmax, with `log` its logarithm, of each row (last axis) of `columns` elements.

    out[r,c] = exp(x[r,c] − m) / Σ_k exp(x[r,k] − m), m the greatest x[r,k].

    tile.softmax core 2 %x -> %x columns = 12 log :
        memref<2x3x16xf32, "local"> -> memref<2x3x16xf32, "local">
    """

    name = "tile.softmax"
    columns: Integer = prop(converter=integer)
    log: UnitAttr | None = prop(converter=flag, default=False)
    x: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"

    def verify_fields(self) -> None:
        _check_float_rows(self)

    def instruction(self) -> Translation:
        fields = {
            "type": storage_of(self.x),
            "log": int(self.log is not None),
            **row_fields(self),
        }
        return "softmax", fields, {"x": self.x, "out": self.out}


@irdl_op_definition
class NormalizeOp(CoreOp):
    """Normalizes rows (last axis) of length · inner elements over `length`; parameters f32 [2, rows, length, inner];
    see isa.normalize.

    out = (x − mean) / sqrt(mean of (x − mean)² + epsilon) · scale + offset with means over `length` for `kind`
    "mean_variance"; "rms" leaves the mean out, "l1" and "l2" divide by Σ |x| and sqrt(Σ x²).

    tile.normalize core 0 %x parameters %table -> %out kind = "rms" length = 3 inner = 16
        epsilon = 0.5 :
        memref<6x48xf32, "local">, memref<2x3x1x16xf32, "local"> -> memref<6x48xf32, "local">
    """

    name = "tile.normalize"
    kind: StringAttr = prop(converter=text)
    length: Integer = prop(converter=integer)
    inner: Integer = prop(converter=integer, default=1)
    epsilon: Real = prop(converter=real)
    x: SSAValue = buffer()
    parameters: SSAValue | None = buffer(optional=True)
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"

    def verify_fields(self) -> None:
        check_local_pair(self)
        check_one_of("kind", self.kind.data, NORMALIZATION_KINDS)
        _check_float_out(self)
        fail_unless(
            pitch_of(self.out) == pitch_of(self.x),
            f"out has rows of {pitch_of(self.out)}, x of {pitch_of(self.x)}",
        )
        length, inner = self.length.value.data, self.inner.value.data
        fail_unless(
            min(length, inner) >= 1, f"length and inner are at least 1, got {length}, {inner}"
        )
        check_pitch("length times inner", length * inner, "x", self.x)
        epsilon = self.epsilon.value.data
        fail_unless(
            0 <= epsilon < inf, f"epsilon must be a number that is not negative, got {epsilon}"
        )
        self._verify_parameters(length, inner)

    def _verify_parameters(self, length: int, inner: int) -> None:
        """Raise VerifyException unless the parameters can be repeated over whole rows."""
        if self.parameters is None:
            return
        check_space(self, "parameters", "local")
        check_storage("parameters", self.parameters, "f32")
        two, parameter_rows, parameter_length, parameter_inner = check_rank(
            "parameters", self.parameters, 4
        )
        rows = rows_of(self.x)
        fits = two == 2 and rows % parameter_rows == 0 and length % parameter_length == 0
        fail_unless(
            fits and parameter_inner in (1, inner),
            f"parameters {list(shape_of(self.parameters))} do not divide "
            f"[2, {rows}, {length}, {inner}]",
        )

    def instruction(self) -> Translation:
        fields = {
            "kind": self.kind.data,
            "type": storage_of(self.x),
            "rows": rows_of(self.x),
            "length": self.length.value.data,
            "inner": self.inner.value.data,
            "pitch": pitch_of(self.x),
            "epsilon": self.epsilon.value.data,
        }
        operands: Operands = {"x": self.x, "out": self.out}
        if self.parameters is not None:
            operands["parameters"] = self.parameters
            _, rows, length, inner = shape_of(self.parameters)
            fields |= {
                "parameter_rows": rows,
                "parameter_length": length,
                "parameter_inner": inner,
            }
        return "normalize", fields, operands


@irdl_op_definition
class LocalResponseNormOp(CoreOp):
    """Local response normalization along each row (last axis) of `columns` elements; see top.local_response_norm.

    out[r,c] = x[r,c] / (offset + alpha / size · Σ_k x[r,k]²)^beta, with k over those of the `size` columns around c
    that exist in the row.

    tile.local_response_norm core 0 %x -> %out columns = 37 size = 5 alpha = 0.5 beta = 0.75
        offset = 1.0 : memref<6x48xf32, "local"> -> memref<6x48xf32, "local">
    """

    name = "tile.local_response_norm"
    columns: Integer = prop(converter=integer)
    size: Integer = prop(converter=integer)
    alpha: Real = prop(converter=real)
    beta: Real = prop(converter=real)
    offset: Real = prop(converter=real)
    x: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"

    def verify_fields(self) -> None:
        _check_float_rows(self)
        size = self.size.value.data
        fail_unless(size >= 1, f"size must be at least 1, got {size}")
        for name in ("alpha", "beta", "offset"):
            value = getattr(self, name).value.data
            fail_unless(-inf < value < inf, f"{name} must be a number, got {value}")

    def instruction(self) -> Translation:
        fields = {
            "type": storage_of(self.x),
            **row_fields(self),
            "size": self.size.value.data,
            "alpha": self.alpha.value.data,
            "beta": self.beta.value.data,
            "offset": self.offset.value.data,
        }
        return "local_response_norm", fields, {"x": self.x, "out": self.out}


def _check_float_rows(op: Any) -> None:
    """Raise VerifyException unless x has rows of `columns` floats, and out has as many rows of the same type."""
    check_local_pair(op)
    _check_float_out(op)
    columns = op.columns.value.data
    check_pitch("columns", columns, "x", op.x)
    check_pitch("columns", columns, "out", op.out)


def _check_float_out(op: Any) -> None:
    """Raise VerifyException unless x holds floats, and out has as many rows of the same type."""
    storage = storage_of(op.x)
    fail_unless(is_float(storage), f"x must be a float, is {storage}")
    check_storage("out", op.out, storage)
    check_same_rows("out", op.out, "x", op.x)
