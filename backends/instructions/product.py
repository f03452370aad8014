"""The products, on the matrix and the vector unit, and what takes their sums to outputs; see
instruction.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..targets import cycles as formulas
from .access import Access, Operand, accumulators, local
from .fields import (
    CLAMP,
    IMAGES,
    NO_ADDRESS,
    PRODUCT,
    STORAGE_BYTES,
    WINDOW,
    Field,
    address,
    flag,
    integer,
    present,
    storage,
)
from .instruction import Instruction, ceil_div

if TYPE_CHECKING:
    from ..targets.target import Target


_CONV_FIELDS: tuple[Field, ...] = (
    *PRODUCT,
    *IMAGES,
    integer("in_channels", "<u4", "channels"),
    integer("in_pitch", "<u4", "elements per input pixel"),
    integer("out_height", "<u2", "pixels"),
    integer("out_width", "<u2", "pixels"),
    integer("out_channels", "<u4", "channels"),
    integer("out_pitch", "<u4", "elements per output pixel"),
    *WINDOW,
    integer("pad_value", "<i2", "storage value of a padding pixel", 0),
    integer("groups", "<u4", "groups", 1),
    integer("block", "<u4", "output channels per weight block"),
)


def _conv_output_bytes(f: Mapping[str, Any]) -> int:
    pixels = f["batch"] * f["out_height"] * f["out_width"]
    return pixels * f["out_pitch"] * STORAGE_BYTES[f["acc_type"]]


def _conv_accesses(f: Mapping[str, Any], weight_elements: int) -> tuple[Access, ...]:
    size = STORAGE_BYTES[f["type"]]
    pixels = f["batch"] * f["in_height"] * f["in_width"]
    result = [
        local(f["x"], pixels * f["in_pitch"] * size),
        local(f["w"], weight_elements * size),
        accumulators(f["acc"], _conv_output_bytes(f), write=True),
    ]
    if f["accumulate"]:
        result.append(accumulators(f["acc"], _conv_output_bytes(f)))
    return tuple(result)


def product_reads(f: Mapping[str, Any], accesses: Sequence[Access]) -> tuple[Operand, ...]:
    """Inputs and weights of a product, and the accumulators that it adds to."""
    size = STORAGE_BYTES[f["type"]]
    result = [
        Operand(name, access.run_bytes // size, f["type"])
        for name, access in zip(("x", "w"), accesses, strict=False)
    ]
    if f["accumulate"]:
        elements = accesses[2].run_bytes // STORAGE_BYTES[f["acc_type"]]
        result.append(Operand("acc", elements, f["acc_type"], "acc"))
    return tuple(result)


class Conv2d(Instruction):
    """One tile of a convolution on the matrix unit: acc[n,y,x,o] (+)= Σ x[n,y·s+i·d−p,x·s+j·d−p,c]
    · w[i,j,c,o].

    m0: conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, in_height=10, in_width=10,
        in_channels=16, in_pitch=16, out_height=8, out_width=8, out_channels=16, out_pitch=16,
        kernel_height=3, kernel_width=3, pad_value=-3, block=64
    """

    mnemonic, opcode, engine = "conv2d", 16, "matrix"
    numerics = "conv2d"
    fields = _CONV_FIELDS

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        groups = f["groups"]
        return formulas.matrix_cycles(
            target, f["type"],
            m=f["batch"] * f["out_height"] * f["out_width"],
            k=f["kernel_height"] * f["kernel_width"] * (f["in_channels"] // groups),
            n=ceil_div(f["out_channels"], groups),
            repeat=groups,
        )  # fmt: skip

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        depth = f["kernel_height"] * f["kernel_width"] * (f["in_channels"] // f["groups"])
        return _conv_accesses(f, ceil_div(f["out_channels"], f["block"]) * depth * f["block"])

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return product_reads(f, Conv2d.accesses(f))


class DepthwiseConv2d(Instruction):
    """One tile of a depthwise convolution on the vector unit; output channel o reads input channel
    o·in/out.

    v0: depthwise_conv2d x=0x400, w=0x100, acc=0x0, type=i8, acc_type=i32, accumulate=1,
        in_height=10, in_width=10, in_channels=16, in_pitch=16, out_height=8, out_width=8,
        out_channels=16, out_pitch=16, kernel_height=3, kernel_width=3, block=64
    """

    mnemonic, opcode, engine = "depthwise_conv2d", 17, "vector"
    numerics = "depthwise_conv2d"
    fields = _CONV_FIELDS

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        pixels = f["batch"] * f["out_height"] * f["out_width"]
        taps = f["kernel_height"] * f["kernel_width"]
        return formulas.vector_cycles(target, f["type"], pixels * f["out_pitch"], taps)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return _conv_accesses(f, f["kernel_height"] * f["kernel_width"] * f["block"])

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return product_reads(f, DepthwiseConv2d.accesses(f))


class Matmul(Instruction):
    """One tile of a (batched) matrix product on the matrix unit: acc[b,m,n] (+)= Σ_k (x[b,m,k]−zx)
    · (w[b,k,n]−zw).

    m1: matmul x=0x0, w=0x0, acc=0x0, type=f32, acc_type=f32, m=2, k=3, n=4, x_pitch=4,
        out_pitch=4, block=4, transpose_w=1
    """

    mnemonic, opcode, engine = "matmul", 18, "matrix"
    numerics = "matmul"
    fields = (
        *PRODUCT,
        integer("batch", "<u4", "matrices", 1),
        integer("m", "<u4", "rows"),
        integer("k", "<u4", "depth"),
        integer("n", "<u4", "columns"),
        integer("x_pitch", "<u4", "elements per row of x"),
        integer("out_pitch", "<u4", "elements per row of acc"),
        integer("block", "<u4", "columns per weight block"),
        flag("shared_w"),
        flag("transpose_w"),
        integer("x_zero_point", "<i2", "storage value", 0),
        integer("w_zero_point", "<i2", "storage value", 0),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return formulas.matrix_cycles(
            target, f["type"], m=f["m"], k=f["k"], n=f["n"], repeat=f["batch"]
        )

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        size = STORAGE_BYTES[f["type"]]
        out = f["batch"] * f["m"] * f["out_pitch"] * STORAGE_BYTES[f["acc_type"]]
        rows = f["n"] if f["transpose_w"] else f["k"] * ceil_div(f["n"], f["block"])
        matrices = 1 if f["shared_w"] else f["batch"]
        result = [
            local(f["x"], f["batch"] * f["m"] * f["x_pitch"] * size),
            local(f["w"], matrices * rows * f["block"] * size),
            accumulators(f["acc"], out, write=True),
        ]
        if f["accumulate"]:
            result.append(accumulators(f["acc"], out))
        return tuple(result)

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return product_reads(f, Matmul.accesses(f))


class Epilogue(Instruction):
    """Takes accumulators to outputs: bias, residual, requantization (integer types) and clamp, by
    rows of channels.

    `table` holds int32 rows of `table_pitch` elements: bias, multiplier, shift and, with a
    residual, its multiplier and shift; for an i64 accumulator the bias takes two rows (low, high
    words). For float types: one f32 row, the bias.

    v1: epilogue acc=0x0, out=0x800, table=0x40, acc_type=i32, type=i8, rows=64, channels=16,
        acc_pitch=16, out_pitch=16, table_pitch=16, clamp_low=-128.0, clamp_high=0.1
    """

    mnemonic, opcode, engine = "epilogue", 19, "vector"
    numerics = "epilogue"
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
        integer("table_pitch", "<u4", "elements"),
        integer("residual_pitch", "<u4", "elements", 0),
        integer("residual_zero_point", "<i2", "storage value", 0),
        integer("zero_point", "<i2", "storage value", 0),
        *CLAMP,
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        passes = 3 if present(f["residual"]) else 2
        return formulas.vector_cycles(target, f["acc_type"], f["rows"] * f["out_pitch"], passes)

    @staticmethod
    def table_rows(f: Mapping[str, Any]) -> int:
        """Rows of the table of parameters."""
        if f["acc_type"] in ("f32", "f16", "bf16"):
            return 1
        rows = 5 if present(f["residual"]) else 3
        return rows + (f["acc_type"] == "i64")

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        size = STORAGE_BYTES[f["type"]]
        result = [
            accumulators(f["acc"], f["rows"] * f["acc_pitch"] * STORAGE_BYTES[f["acc_type"]]),
            local(f["table"], Epilogue.table_rows(f) * f["table_pitch"] * 4),
            local(f["out"], f["rows"] * f["out_pitch"] * size, write=True),
        ]
        if present(f["residual"]):
            result.append(local(f["residual"], f["rows"] * f["residual_pitch"] * size))
        return tuple(result)

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        floats = f["acc_type"] in ("f32", "f16", "bf16", "f64")
        parameters = Epilogue.table_rows(f) * f["table_pitch"]
        result = [
            Operand("acc", f["rows"] * f["acc_pitch"], f["acc_type"], "acc"),
            Operand("table", parameters, "f32" if floats else "i32"),
        ]
        if present(f["residual"]):
            result.append(Operand("residual", f["rows"] * f["residual_pitch"], f["type"]))
        return tuple(result)
