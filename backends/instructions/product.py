"""The instructions of the matrix product and of the epilogue, which turns sums into outputs; see instruction.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..numerics.device.group_scales import stored_rows
from ..numerics.device.packing import epilogue_table_rows
from ..numerics.device.product import epilogue, matmul, vector_matmul
from ..numerics.packing import weight_row_bytes
from ..numerics.rounding_up import ceil_div
from ..numerics.storage import (
    ACCUMULATOR_NAMES,
    FLOAT_NAMES,
    PACKED_NAMES,
    bytes_of,
    elements_in,
    is_float,
)
from ..targets import cycles as formulas
from .access import Access, Operand, accumulators, local, local_rows
from .fields import (
    CLAMP,
    NO_ADDRESS,
    OUT_COLUMNS,
    PACKED_WEIGHTS,
    PRODUCT,
    Field,
    address,
    flag,
    integer,
    present,
    storage,
    written_columns,
)
from .instruction import Instruction
from .rules import (
    CLAMP_ORDER,
    MULTIPLY,
    ON_VECTOR_UNIT,
    OUT_COLUMNS_FIT,
    PACKED,
    Rule,
    at_most,
    one_of,
    same_kind,
    written,
)

if TYPE_CHECKING:
    from ..targets.systolic import Folds
    from ..targets.target import Target


def weight_bytes(f: Mapping[str, Any], rows: Any) -> Any:
    """Return how many bytes `rows` rows of a block of a product's weights take, packed or not."""
    return rows * weight_row_bytes(f["block"], f["type"], f["w_type"])


def depth_rows(f: Mapping[str, Any], depth: Any) -> Any:
    """Return how many rows `depth` weights of a column take, with the rows of scales among them."""
    return stored_rows(depth, f["w_group"], f["type"], f["w_type"])


def rate_type(f: Mapping[str, Any]) -> str:
    """Return the storage type at whose rate a product goes: that of its inputs, or of its weights if the inputs have no
    more bits than they.
    """
    return f["w_type"] if f["narrow_x"] else f["type"]


def product_reads(
    f: Mapping[str, Any], inputs: int, accesses: Sequence[Access]
) -> tuple[Operand, ...]:
    """Return the operands of a product: `inputs` elements, weights, and accumulators if it adds to them."""
    stored = f["type"] if f["w_type"] == "none" else f["w_type"]
    stored = "u8" if stored in PACKED_NAMES else stored
    weights = elements_in(accesses[1].run_bytes, stored)
    result = [Operand("x", inputs, f["type"]), Operand("w", weights, stored)]
    if f["accumulate"]:
        elements = elements_in(accesses[2].run_bytes, f["acc_type"])
        result.append(Operand("acc", elements, f["acc_type"], "acc"))
    return tuple(result)


_MATMUL: tuple[Field, ...] = (
    *PRODUCT,
    integer("batch", "<u4", "matrices", 1),
    integer("m", "<u4", "rows"),
    integer("k", "<u4", "depth"),
    integer("n", "<u4", "columns"),
    integer("x_pitch", "<u4", "elements per row of x"),
    integer("out_pitch", "<u4", "elements per row of acc"),
    integer("block", "<u4", "columns per weight block"),
    flag("shared_w"),
)
_ZERO_POINTS: tuple[Field, ...] = (
    integer("x_zero_point", "<i2", "storage value", 0),
    integer("w_zero_point", "<i2", "storage value", 0),
)
_MATMUL_RULES: tuple[Rule, ...] = (
    *MULTIPLY,
    *PACKED,
    at_most("k", "x_pitch"),
    at_most("n", "out_pitch"),
)


def _matmul_accesses(f: Mapping[str, Any], weight_rows: int) -> tuple[Access, ...]:
    """Return what a matrix product touches, whose right-hand matrices have so many rows of a block each."""
    type, out = f["type"], bytes_of(f["batch"] * f["m"] * f["out_pitch"], f["acc_type"])
    matrices = 1 if f["shared_w"] else f["batch"]
    result = [
        local_rows(f["x"], f["batch"] * f["m"], f["x_pitch"], f["k"], type),
        local(f["w"], weight_bytes(f, matrices * weight_rows)),
        accumulators(f["acc"], out, write=True),
    ]
    if f["accumulate"]:
        result.append(accumulators(f["acc"], out))
    return tuple(result)


class Matmul(Instruction):
    """One tile of a (batched) matrix product on the matrix unit: acc[b,m,n] (+)= Σ_k (x[b,m,k]−zx)
    · (w[b,k,n]−zw).

    With `w_type` the unit unpacks the weights on their way from the local memory, and with `w_group`
    multiplies each by the scale of its group.

    m1: matmul x=0x0, w=0x0, acc=0x0, type=f32, acc_type=f32, m=2, k=3, n=4, x_pitch=4,
        out_pitch=4, block=4, transpose_w=1
    """

    mnemonic, opcode, engine = "matmul", 18, "matrix"
    numerics = staticmethod(matmul)
    fields = (*_MATMUL, flag("transpose_w"), *_ZERO_POINTS, *PACKED_WEIGHTS)
    rules = (
        *_MATMUL_RULES,
        ("k <= block when transpose_w", lambda f: not f["transpose_w"] or f["k"] <= f["block"]),
        (
            "transpose_w 0 and w_zero_point 0 when w_type is given",
            lambda f: f["w_type"] == "none" or not (f["transpose_w"] or f["w_zero_point"]),
        ),
    )
    counted_type = staticmethod(rate_type)

    @staticmethod
    def folds(f: Mapping[str, Any], target: Target) -> Folds[Any]:
        return formulas.matrix_folds(
            target, rate_type(f), f["w_type"], f["w_group"],
            m=f["m"], k=f["k"], n=f["n"], repeat=f["batch"],
        )  # fmt: skip

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return Matmul.folds(f, target).cycles(target.matrix.rows, target.matrix.overlap)

    @staticmethod
    def multiply_accumulates(f: Mapping[str, Any]) -> int:
        return f["batch"] * f["m"] * f["k"] * f["n"]

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        rows = depth_rows(f, f["k"]) * ceil_div(f["n"], f["block"])
        return _matmul_accesses(f, f["n"] if f["transpose_w"] else rows)

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return product_reads(f, f["batch"] * f["m"] * f["x_pitch"], Matmul.accesses(f))


class VectorMatmul(Instruction):
    """One tile of a (batched) matrix product on the vector unit, for few rows: acc[b,m,n] (+)= Σ_k
    (x[b,m,k]−zx) · (w[b,k,n]−zw). Each lane multiplies an element of w by that of x in its row.

    With `w_type` the unit unpacks the weights as it reads them, and with `w_group` multiplies each by
    the scale of its group.

    v0: vector_matmul x=0x0, w=0x40, acc=0x0, type=i8, acc_type=i32, m=1, k=3, n=4, x_pitch=16,
        out_pitch=16, block=16
    """

    mnemonic, opcode, engine = "vector_matmul", 32, "vector"
    numerics = staticmethod(vector_matmul)
    fields = (*_MATMUL, *_ZERO_POINTS, *PACKED_WEIGHTS)
    rules = (
        *_MATMUL_RULES,
        ON_VECTOR_UNIT,
        (
            "w_zero_point 0 when w_type is given",
            lambda f: f["w_type"] == "none" or not f["w_zero_point"],
        ),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        formulas.check_unpacks(target, f["w_type"], f["w_group"])
        return formulas.vector_product_cycles(
            target, f["type"], m=f["m"], k=f["k"], n=f["n"], repeat=f["batch"]
        )

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return _matmul_accesses(f, depth_rows(f, f["k"]) * ceil_div(f["n"], f["block"]))

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return product_reads(f, f["batch"] * f["m"] * f["x_pitch"], VectorMatmul.accesses(f))


class Epilogue(Instruction):
    """Takes accumulators to outputs: bias, residual, requantization (integer types) and clamp, by
    rows of channels; each row is filled with the zero point (floats: 0) up to its end.

    `table` holds int32 rows of `table_pitch` elements: bias, multiplier, shift and, with a
    residual, its multiplier and shift; for an i64 accumulator the bias takes two rows (low, high
    words). For float types: one f32 row, the bias; with `scaled` a second one, the scales of integer
    weights, by which sums are multiplied first.

    v1: epilogue acc=0x0, out=0x800, table=0x40, acc_type=i32, type=i8, rows=64, channels=16,
        acc_pitch=16, out_pitch=16, table_pitch=16, clamp_low=-128.0, clamp_high=0.1
    """

    mnemonic, opcode, engine = "epilogue", 19, "vector"
    numerics = staticmethod(epilogue)
    fields = (
        address("acc"),
        address("out"),
        address("table"),
        address("residual", default=NO_ADDRESS),
        storage("acc_type"),
        storage("type"),
        integer("rows", "<u4", "rows"),
        integer("channels", "<u4", "channels"),
        integer("acc_pitch", "<u4", "elements"),
        integer("out_pitch", "<u4", "elements"),
        OUT_COLUMNS,
        integer("table_pitch", "<u4", "elements"),
        integer("residual_pitch", "<u4", "elements", 0),
        integer("residual_zero_point", "<i2", "storage value", 0),
        integer("zero_point", "<i2", "storage value", 0),
        *CLAMP,
        flag("scaled"),
    )
    rules = (
        one_of("acc_type", ACCUMULATOR_NAMES),
        (
            "acc_type a float type when scaled",
            lambda f: not f["scaled"] or f["acc_type"] in FLOAT_NAMES,
        ),
        same_kind("acc_type", "type"),
        at_most("channels", "acc_pitch"),
        written("channels"),
        OUT_COLUMNS_FIT,
        at_most("channels", "table_pitch"),
        (
            "channels <= residual_pitch when there is a residual",
            lambda f: f["residual"] == NO_ADDRESS or f["channels"] <= f["residual_pitch"],
        ),
        CLAMP_ORDER,
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        operations = formulas.epilogue_operations(target, present(f["residual"]))
        elements = formulas.row_elements(target, f["rows"], written_columns(f), f["out_pitch"])
        return formulas.vector_cycles(target, f["acc_type"], elements, operations)

    @staticmethod
    def table_elements(f: Mapping[str, Any]) -> int:
        """Count the elements of the table of parameters, of 32 bits each."""
        rows = epilogue_table_rows(f["acc_type"], present(f["residual"]), bool(f["scaled"]))
        return rows * f["table_pitch"]

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        type, rows = f["type"], f["rows"]
        result = [
            accumulators(f["acc"], bytes_of(rows * f["acc_pitch"], f["acc_type"])),
            local(f["table"], bytes_of(Epilogue.table_elements(f), "i32")),
            local_rows(f["out"], rows, f["out_pitch"], written_columns(f), type, write=True),
        ]
        if present(f["residual"]):
            pitch = f["residual_pitch"]
            result.append(local_rows(f["residual"], rows, pitch, f["channels"], type))
        return tuple(result)

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        result = [
            Operand("acc", f["rows"] * f["acc_pitch"], f["acc_type"], "acc"),
            Operand(
                "table", Epilogue.table_elements(f), "f32" if is_float(f["acc_type"]) else "i32"
            ),
        ]
        if present(f["residual"]):
            result.append(Operand("residual", f["rows"] * f["residual_pitch"], f["type"]))
        return tuple(result)
