"""The tile ops of matrix products, and the epilogue, which turns sums of products into outputs."""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition
from xdsl.utils.exceptions import VerifyException

from ...backends.numerics.storage import ACCUMULATOR_NAMES, is_float
from ..ir.attribute import Integer, Ints, Reals, flag, integer, ints, reals, values_of
from ..ir.field import buffer, prop
from ..quant.element_type import shape_of
from .checks import (
    check_at_least_one_axis,
    check_clamp,
    check_pitch,
    check_rank,
    check_same_rows,
    check_space,
    check_storage,
    check_zero_points,
    fail_unless,
    pitch_of,
    rows_of,
    storage_of,
)
from .core_op import NO_CLAMP, CoreOp, Operands, Translation
from .instruction_fields import clamp_fields, columns_written
from .product_op import ProductOp, check_packed_weights


@irdl_op_definition
class MatmulOp(ProductOp):
    """A tile of a matrix product: x [b,m,pitch], w [b or 1, blocks, k, block] (transposed: [b or 1,
    1, n, pitch]), acc [b,m,pitch].

    acc[b,m,n] = Σ_k (x[b,m,k] − zero point of x) · (w[b,k,n] − zero point of w). `depth` is k,
    `columns` n, `zero_points` those of x and w; with `accumulate` the sum is added to acc. The matrix unit computes it
    or, `on_vector_unit`, the vector unit, which is quicker for few rows.

    tile.matmul core 2 %x, %w -> %acc depth = 10 columns = 12 :
        memref<2x3x16xf32, "local">, memref<1x1x10x16xf32, "local"> -> memref<2x3x16xf32, "acc">
    """

    name = "tile.matmul"
    depth: Integer = prop(converter=integer)
    columns: Integer = prop(converter=integer)
    zero_points: Ints = prop(converter=ints, default=(0, 0))
    transpose_w: UnitAttr | None = prop(converter=flag, default=False)
    accumulate: UnitAttr | None = prop(converter=flag, default=False)
    on_vector_unit: UnitAttr | None = prop(converter=flag, default=False)

    def verify_fields(self) -> None:
        self.verify_product()
        fail_unless(
            self.transpose_w is None or self.on_vector_unit is None,
            "the vector unit does not multiply by a transposed w",
        )
        batch, rows, _ = check_rank("x", self.x, 3)
        out_batch, out_rows, _ = check_rank("acc", self.acc, 3)
        fail_unless(
            (batch, rows) == (out_batch, out_rows),
            f"x has {batch} matrices of {rows} rows, acc {out_batch} of {out_rows}",
        )
        check_rank("w", self.w, 4)
        shape = self.weight_shape
        fail_unless(shape[0] in (1, batch), f"w must have 1 or {batch} matrices, has {shape[0]}")
        depth, columns = self.depth.value.data, self.columns.value.data
        check_pitch("depth", depth, "x", self.x)
        check_pitch("columns", columns, "acc", self.acc)
        check_zero_points(self.zero_points, storage_of(self.x), storage_of(self.w))
        if self.weight_type != "none":
            fail_unless(self.transpose_w is None, "packed weights are not transposed")
            fail_unless(values_of(self.zero_points)[1] == 0, "packed weights have zero point 0")
        if self.transpose_w is None:
            check_packed_weights(shape[1:], self.stored_rows(depth), columns)
            return
        fail_unless(
            shape[1] == 1 and shape[2] == columns and shape[3] >= depth,
            f"transposed w must have shape [{shape[0]}, 1, {columns}, {depth} or more], has "
            f"{list(shape)}",
        )

    def instruction(self) -> Translation:
        batch, rows, _ = shape_of(self.x)
        x_zero_point, w_zero_point = values_of(self.zero_points)
        fields = {
            **self.product_fields(),
            "batch": batch,
            "m": rows,
            "k": self.depth.value.data,
            "n": self.columns.value.data,
            "x_pitch": pitch_of(self.x),
            "out_pitch": pitch_of(self.acc),
            "shared_w": int(shape_of(self.w)[0] == 1),
            "x_zero_point": x_zero_point,
            "w_zero_point": w_zero_point,
        }
        if self.on_vector_unit is not None:
            return "vector_matmul", fields, self.product_operands()
        fields["transpose_w"] = int(self.transpose_w is not None)
        return "matmul", fields, self.product_operands()


@irdl_op_definition
class EpilogueOp(CoreOp):
    """Turns accumulators into outputs: adds bias and residual, requantizes and clamps, by the rows of `table`. The last
    axes are channels.

    For floats out = clamp(acc · scale + bias + residual), where the table has a second row, of scales, if the weights
    are integers; isa.epilogue has the formula for integers, and describes the rows of the table. `zero_points` are
    those of the residual and of the output; `clamp` holds two storage values (f64).

    tile.epilogue core 2 %acc, %table -> %x channels = 12 clamp = [0.0, 0x7FF0000000000000] :
        memref<2x3x16xf32, "acc">, memref<1x16xf32, "local"> -> memref<2x3x16xf32, "local">
    """

    name = "tile.epilogue"
    channels: Integer = prop(converter=integer)
    zero_points: Ints = prop(converter=ints, default=(0, 0))
    clamp: Reals = prop(converter=reals, default=NO_CLAMP)
    acc: SSAValue = buffer()
    table: SSAValue = buffer()
    residual: SSAValue | None = buffer(optional=True)
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"
    PITCHED: ClassVar[frozenset[str]] = frozenset({"residual", "out"})
    FILLS_ROWS: ClassVar[bool] = True

    def verify_fields(self) -> None:
        check_space(self, "acc", "acc")
        check_space(self, "table", "local")
        check_space(self, "out", "local")
        check_at_least_one_axis("acc", self.acc)
        check_at_least_one_axis("out", self.out)
        channels, storage = self.channels.value.data, storage_of(self.out)
        floating = is_float(storage_of(self.acc))
        check_storage("acc", self.acc, *ACCUMULATOR_NAMES)
        if is_float(storage) != floating:
            raise VerifyException(
                f"acc of {storage_of(self.acc)} does not become an output of {storage}"
            )
        check_same_rows("out", self.out, "acc", self.acc)
        buffers: list[tuple[str, SSAValue]] = [
            ("acc", self.acc),
            ("table", self.table),
            ("out", self.out),
        ]
        if self.residual is not None:
            check_space(self, "residual", "local")
            check_storage("residual", self.residual, storage)
            check_same_rows("residual", self.residual, "out", self.out)
            buffers.append(("residual", self.residual))
        for name, value in buffers:
            check_pitch("channels", channels, name, value)
        self._verify_table(floating)
        check_zero_points(self.zero_points, storage, storage)
        check_clamp(self.clamp)

    def _verify_table(self, floating: bool) -> None:
        """Raise VerifyException unless the table has the rows that isa.epilogue reads."""
        check_storage("table", self.table, "f32" if floating else "i32")
        found = rows_of(self.table)
        if floating:
            fail_unless(found in (1, 2), f"table must have 1 or 2 rows, has {found}")
            return
        rows = (3 if self.residual is None else 5) + (storage_of(self.acc) == "i64")
        if found != rows:
            raise VerifyException(f"table must have {rows} rows, has {found}")

    def instruction(self) -> Translation:
        residual_zero_point, zero_point = values_of(self.zero_points)
        operands: Operands = {"acc": self.acc, "out": self.out, "table": self.table}
        if self.residual is not None:
            operands["residual"] = self.residual
        fields = {
            "acc_type": storage_of(self.acc),
            "type": storage_of(self.out),
            "rows": rows_of(self.out),
            "channels": self.channels.value.data,
            "acc_pitch": pitch_of(self.acc),
            "out_pitch": pitch_of(self.out),
            "out_columns": columns_written(self.out),
            "table_pitch": pitch_of(self.table),
            "residual_pitch": 0 if self.residual is None else pitch_of(self.residual),
            "residual_zero_point": residual_zero_point,
            "zero_point": zero_point,
            **clamp_fields(self),
            "scaled": int(is_float(storage_of(self.acc)) and rows_of(self.table) > 1),
        }
        return "epilogue", fields, operands
