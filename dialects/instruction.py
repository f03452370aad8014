"""The instruction set: one small class per machine instruction, and everything that is derived from
it.

A class says which engine runs the instruction, its fields with their widths and units, the function
of `backends/numerics/device.py` that defines its values, how many cycles it takes, and which bytes
it reads and writes. The encoding (128 bytes), the text, the simulator and the reference page all
follow from these classes. This module knows neither xDSL nor programs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..backends.numerics.normalization import KINDS as NORMALIZATION_KINDS
from ..backends.numerics.reduction import KINDS as REDUCTION_KINDS
from ..backends.targets import cycles as formulas
from .diagnostic import DiagnosticError
from .instruction_access import Access, Operand, accumulators, local, local_rows
from .instruction_base import Instruction, ceil_div
from .instruction_fields import (
    CLAMP,
    ENGINE_PREFIX,
    ENGINES,
    HEADER,
    IMAGES,
    INSTRUCTION_BYTES,
    NO_ADDRESS,
    PRODUCT,
    REQUANTIZATION,
    SEGMENTS,
    SPACES,
    STORAGE_BYTES,
    STORAGE_CODES,
    WINDOW,
    Engine,
    Field,
    address,
    enum,
    flag,
    integer,
    present,
    real,
    storage,
)
from .instruction_pointwise import TABLE_ENTRIES, Binary, Convert, Lookup, Select, Unary

if TYPE_CHECKING:
    from ..backends.targets.target import Target

__all__ = [
    "BY_MNEMONIC",
    "BY_OPCODE",
    "ENGINES",
    "ENGINE_PREFIX",
    "HEADER",
    "INSTRUCTIONS",
    "INSTRUCTION_BYTES",
    "NO_ADDRESS",
    "SEGMENTS",
    "SPACES",
    "STORAGE_BYTES",
    "STORAGE_CODES",
    "TABLE_ENTRIES",
    "Access",
    "Binary",
    "Conv2d",
    "Convert",
    "DepthwiseConv2d",
    "Engine",
    "Epilogue",
    "Field",
    "Fill",
    "Instruction",
    "Load",
    "LocalResponseNorm",
    "Lookup",
    "Matmul",
    "Normalize",
    "Pool",
    "Reduce",
    "Resample",
    "Select",
    "Softmax",
    "Store",
    "Sync",
    "Unary",
]  # fmt: skip


_TRANSFER_FIELDS: tuple[Field, ...] = (
    enum("src_space", "memory space", SPACES),
    enum("dst_space", "memory space", SPACES),
    integer("peer_core", "<u2", "virtual core + 1 of the other core's local memory; 0: this core", 0),
    enum("src_segment", "segment", SEGMENTS, 0),
    enum("dst_segment", "segment", SEGMENTS, 0),
    address("src", "<u8"),
    address("dst", "<u8"),
    integer("run", "<u4", "bytes copied per run"),
    integer("pad", "<u4", "bytes filled at the destination after each run", 0),
    integer("fill", "<u1", "value of each filled byte", 0),
    *(integer(f"count{d}", "<u4", "runs", 1) for d in range(4)),
    *(integer(f"src_stride{d}", "<i4", "bytes", 0) for d in range(4)),
    *(integer(f"dst_stride{d}", "<i4", "bytes", 0) for d in range(4)),
    integer("group", "<u4", "multicast group; 0: none", 0),
)  # fmt: skip


def _transfer_accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
    counts = tuple(f[f"count{d}"] for d in range(4))
    peer = f["peer_core"] - 1 if f["peer_core"] else None
    between_cores = f["src_space"] == f["dst_space"] == "local"
    src_core = peer if between_cores and f["engine"] == "dma_in" else None
    dst_core = peer if between_cores and f["engine"] == "dma_out" else None
    return (
        Access(f["src_space"], src_core, SEGMENTS.index(f["src_segment"]), f["src"], f["run"], counts,
               tuple(f[f"src_stride{d}"] for d in range(4))),
        Access(f["dst_space"], dst_core, SEGMENTS.index(f["dst_segment"]), f["dst"], f["run"] + f["pad"], counts,
               tuple(f[f"dst_stride{d}"] for d in range(4)), write=True),
    )  # fmt: skip


def _transfer_cycles(f: Mapping[str, Any], target: Target) -> int:
    runs = f["count0"] * f["count1"] * f["count2"] * f["count3"]
    return formulas.transfer_issue_cycles(target, runs)


class Load(Instruction):
    """Copies up to four dimensions of equal runs into this core's local memory, from global memory
    or another core.

    d0: load src_space=global, dst_space=local, src_segment=input, src=0x0, dst=0x100, run=64
    """

    mnemonic, opcode, engine = "load", 1, "dma_in"
    fields = _TRANSFER_FIELDS
    cycles = staticmethod(_transfer_cycles)
    accesses = staticmethod(_transfer_accesses)


class Store(Instruction):
    """Copies up to four dimensions of equal runs out of this core's local memory, to global memory
    or another core.

    s0: store src_space=local, dst_space=global, dst_segment=output, src=0x0, dst=0x0, run=20,
        count0=2, src_stride0=32, dst_stride0=20
    """

    mnemonic, opcode, engine = "store", 2, "dma_out"
    fields = _TRANSFER_FIELDS
    cycles = staticmethod(_transfer_cycles)
    accesses = staticmethod(_transfer_accesses)


class Fill(Instruction):
    """Writes one value to every element of a range of local memory.

    d1: fill dst=0x40, count=10, type=f32, value=-0.5
    """

    mnemonic, opcode, engine = "fill", 3, "dma_in"
    numerics = "fill"
    fields = (
        address("dst"),
        integer("count", "<u4", "elements"),
        storage("type"),
        real("value", "<f8", "value", 0.0),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return formulas.local_write_cycles(target, f["count"] * STORAGE_BYTES[f["type"]])

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return (local(f["dst"], f["count"] * STORAGE_BYTES[f["type"]], write=True),)


class Sync(Instruction):
    """Does nothing but wait and signal, in the queue of any engine.

    m2: sync engine=matrix
    """

    mnemonic, opcode, engine = "sync", 4, None

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return 1

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return ()


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


class Pool(Instruction):
    """One tile of max or average pooling on the vector unit; average: over the taps inside the
    (declared) input.

    v4: pool kind=max, x=0x0, out=0x1000, type=u8, in_height=4, in_width=4, out_height=2,
        out_width=2, pitch=16, kernel_height=2, kernel_width=2
    """

    mnemonic, opcode, engine = "pool", 22, "vector"
    numerics = "pool"
    fields = (
        enum("kind", "reduction", ("max", "average")),
        address("x"),
        address("out"),
        storage("type"),
        flag("count_include_pad"),
        *IMAGES,
        integer("out_height", "<u2", "pixels"),
        integer("out_width", "<u2", "pixels"),
        integer("pitch", "<u4", "elements per pixel"),
        *WINDOW,
        integer("pad_bottom", "<u2", "pixels that count as padding", 0),
        integer("pad_right", "<u2", "pixels that count as padding", 0),
        *REQUANTIZATION,
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        elements = f["batch"] * f["out_height"] * f["out_width"] * f["pitch"]
        taps = f["kernel_height"] * f["kernel_width"]
        return formulas.vector_cycles(target, f["type"], elements, taps)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        pixel = f["batch"] * f["pitch"] * STORAGE_BYTES[f["type"]]
        return (
            local(f["x"], f["in_height"] * f["in_width"] * pixel),
            local(f["out"], f["out_height"] * f["out_width"] * pixel, write=True),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        pixels = f["batch"] * f["in_height"] * f["in_width"]
        return (Operand("x", pixels * f["pitch"], f["type"]),)


class Reduce(Instruction):
    """A reduction over the middle axis of x[outer, length, inner]; the output is [outer, inner],
    rows of `out_pitch`.

    max and min keep the quantization of integers, mean and sum rescale it; the other kinds are for
    floats.

    v5: reduce kind=mean, x=0x0, out=0x0, type=i8, outer=2, length=49, inner=16,
        outer_stride=784, length_stride=16, out_pitch=16
    """

    mnemonic, opcode, engine = "reduce", 23, "vector"
    numerics = "reduce"
    fields = (
        enum("kind", "reduction", REDUCTION_KINDS),
        address("x"),
        address("out"),
        storage("type"),
        integer("outer", "<u4", "rows"),
        integer("length", "<u4", "elements reduced"),
        integer("inner", "<u4", "elements", 1),
        integer("outer_stride", "<u4", "elements"),
        integer("length_stride", "<u4", "elements"),
        integer("out_pitch", "<u4", "elements"),
        *REQUANTIZATION,
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        elements = f["outer"] * f["length"] * f["inner"]
        return formulas.vector_cycles(
            target, f["type"], elements, formulas.reduce_operations(f["kind"])
        )

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        size = STORAGE_BYTES[f["type"]]
        counts = (f["outer"], f["length"])
        strides = (f["outer_stride"] * size, f["length_stride"] * size)
        return (
            Access("local", None, 0, f["x"], f["inner"] * size, counts, strides),
            local(f["out"], f["outer"] * f["out_pitch"] * size, write=True),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        x, _ = Reduce.accesses(f)
        return (Operand("x", x.elements(f["type"]), f["type"]),)


class Resample(Instruction):
    """Interpolation along an axis: out[o,i,c] = Σ_t weight[i,t] · x[o,index[i,t],c]; one tap of
    weight 1: a gather.

    v6: resample x=0x0, out=0x0, index=0x0, weight=0x0, type=f32, outer=1, in_length=2,
        out_length=4, inner=3, taps=2
    """

    mnemonic, opcode, engine = "resample", 24, "vector"
    numerics = "resample"
    fields = (
        address("x"),
        address("out"),
        address("index"),
        address("weight", default=NO_ADDRESS),
        storage("type"),
        integer("outer", "<u4", "rows"),
        integer("in_length", "<u4", "elements"),
        integer("out_length", "<u4", "elements"),
        integer("inner", "<u4", "elements"),
        integer("taps", "<u2", "taps", 1),
        flag("gather"),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        elements = f["outer"] * f["out_length"] * f["inner"]
        return formulas.vector_cycles(target, f["type"], elements, f["taps"])

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        size = STORAGE_BYTES[f["type"]]
        taps = f["out_length"] * f["taps"] * 4
        result = [
            local(f["x"], f["outer"] * f["in_length"] * f["inner"] * size),
            local(f["index"], taps),
            local(f["out"], f["outer"] * f["out_length"] * f["inner"] * size, write=True),
        ]
        if not f["gather"]:
            result.append(local(f["weight"], taps))
        return tuple(result)

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        taps = f["out_length"] * f["taps"]
        result = [
            Operand("x", f["outer"] * f["in_length"] * f["inner"], f["type"]),
            Operand("index", taps, "i32"),
        ]
        return tuple(result if f["gather"] else [*result, Operand("weight", taps, "f32")])


class Softmax(Instruction):
    """exp(x − max) / Σ exp(x − max) (with `log` its logarithm) over each row of `columns` elements;
    the row is filled with 0 up to its pitch.

    v7: softmax x=0x0, out=0x0, type=f32, rows=1, columns=10, in_pitch=16, out_pitch=16
    """

    mnemonic, opcode, engine = "softmax", 25, "vector"
    numerics = "softmax"
    fields = (
        address("x"),
        address("out"),
        storage("type"),
        flag("log"),
        integer("rows", "<u4", "rows"),
        integer("columns", "<u4", "elements"),
        integer("in_pitch", "<u4", "elements"),
        integer("out_pitch", "<u4", "elements"),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return formulas.vector_cycles(
            target, f["type"], f["rows"] * f["out_pitch"], formulas.SOFTMAX_OPERATIONS
        )

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return (
            local_rows(f["x"], f["rows"], f["in_pitch"], f["columns"], f["type"]),
            local(f["out"], f["rows"] * f["out_pitch"] * STORAGE_BYTES[f["type"]], write=True),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return (Operand("x", f["rows"] * f["in_pitch"], f["type"]),)


class Normalize(Instruction):
    """Rows divided by a statistic of their own elements, then scaled and offset: x[rows, length,
    inner], each row filled with 0 up to its pitch.

    For every row and position in `inner` the statistic is over `length`; `kind` as in
    top.normalize. `parameters` holds f32 scales and then as many offsets [2, parameter_rows,
    parameter_length, parameter_inner]: element (r, l, i) takes those at (r mod parameter_rows, l /
    (length / parameter_length), i or 0).

    v0: normalize kind=rms, x=0x0, out=0x400, parameters=0x100, type=f32, rows=2, length=3, inner=5,
        pitch=16, epsilon=0.5, parameter_rows=2
    """

    mnemonic, opcode, engine = "normalize", 28, "vector"
    numerics = "normalize"
    fields = (
        enum("kind", "statistic", NORMALIZATION_KINDS),
        address("x"),
        address("out"),
        address("parameters", default=NO_ADDRESS),
        storage("type"),
        integer("rows", "<u4", "rows"),
        integer("length", "<u4", "elements of a statistic"),
        integer("inner", "<u4", "elements", 1),
        integer("pitch", "<u4", "elements"),
        real("epsilon", "<f8", "added to what is divided by, squared", 0.0),
        integer("parameter_rows", "<u4", "rows", 1),
        integer("parameter_length", "<u4", "elements", 1),
        integer("parameter_inner", "<u4", "elements", 1),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return formulas.vector_cycles(
            target, f["type"], f["rows"] * f["pitch"], formulas.NORMALIZE_OPERATIONS
        )

    @staticmethod
    def parameter_count(f: Mapping[str, Any]) -> int:
        """Scales and offsets together; 0 where there are none."""
        if not present(f["parameters"]):
            return 0
        return 2 * f["parameter_rows"] * f["parameter_length"] * f["parameter_inner"]

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        size = STORAGE_BYTES[f["type"]] * f["rows"] * f["pitch"]
        result = [
            local_rows(f["x"], f["rows"], f["pitch"], f["length"] * f["inner"], f["type"]),
            local(f["out"], size, write=True),
        ]
        if present(f["parameters"]):
            result.append(local(f["parameters"], Normalize.parameter_count(f) * 4))
        return tuple(result)

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        result = [Operand("x", f["rows"] * f["pitch"], f["type"])]
        if present(f["parameters"]):
            result.append(Operand("parameters", Normalize.parameter_count(f), "f32"))
        return tuple(result)


class LocalResponseNorm(Instruction):
    """x / (offset + alpha/size · Σ x²)^beta over the `size` columns around each (see
    top.local_response_norm); rows are filled with 0 up to their pitch.

    v0: local_response_norm x=0x0, out=0x400, type=f32, rows=2, columns=3, in_pitch=16,
        out_pitch=16, size=5, alpha=0.5, beta=0.75, offset=1.0
    """

    mnemonic, opcode, engine = "local_response_norm", 30, "vector"
    numerics = "local_response_norm"
    fields = (
        address("x"),
        address("out"),
        storage("type"),
        integer("rows", "<u4", "rows"),
        integer("columns", "<u4", "elements"),
        integer("in_pitch", "<u4", "elements"),
        integer("out_pitch", "<u4", "elements"),
        integer("size", "<u4", "elements of a sum"),
        real("alpha", "<f8", "factor of the mean square"),
        real("beta", "<f8", "exponent"),
        real("offset", "<f8", "added to the mean square"),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        operations = formulas.local_response_norm_operations(f["size"], f["columns"])
        return formulas.vector_cycles(target, f["type"], f["rows"] * f["out_pitch"], operations)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return (
            local_rows(f["x"], f["rows"], f["in_pitch"], f["columns"], f["type"]),
            local(f["out"], f["rows"] * f["out_pitch"] * STORAGE_BYTES[f["type"]], write=True),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return (Operand("x", f["rows"] * f["in_pitch"], f["type"]),)


INSTRUCTIONS: tuple[type[Instruction], ...] = (
    Load, Store, Fill, Sync, Conv2d, DepthwiseConv2d, Matmul, Epilogue, Convert, Binary, Pool, Reduce, Resample,
    Softmax, Normalize, LocalResponseNorm, Unary, Lookup, Select,
)  # fmt: skip
BY_MNEMONIC: dict[str, type[Instruction]] = {i.mnemonic: i for i in INSTRUCTIONS}
BY_OPCODE: dict[int, type[Instruction]] = {i.opcode: i for i in INSTRUCTIONS}

FIRST_FREE_OPCODE = 256
"""Numbers below belong to Smalti, those from here on to plugins."""
_MNEMONIC = re.compile(r"[a-z][a-z0-9_]*")


def register_instruction(cls: type[Instruction]) -> None:
    """Adds an instruction to the table, for every part of Smalti that derives from it.

    Raises:
        DiagnosticError: a mnemonic or number that is taken or not allowed, fields that do not fit the
            word, or no function for the values.
    """
    reason = _unfit(cls)
    if reason is not None:
        raise DiagnosticError(f"instruction class {cls.__name__} cannot be added: {reason}")
    BY_MNEMONIC[cls.mnemonic] = cls
    BY_OPCODE[cls.opcode] = cls


def _unfit(cls: type[Instruction]) -> str | None:
    """Why a class cannot be an instruction; None where it can."""
    if not _MNEMONIC.fullmatch(cls.mnemonic) or cls.mnemonic in BY_MNEMONIC:
        return f"its mnemonic '{cls.mnemonic}' is taken or no word of small letters"
    if not FIRST_FREE_OPCODE <= cls.opcode < 1 << 16 or cls.opcode in BY_OPCODE:
        return f"its number {cls.opcode} is taken or not from {FIRST_FREE_OPCODE} to 65535"
    if cls.engine is not None and cls.engine not in ENGINES:
        return f"its engine '{cls.engine}' is none of {', '.join(ENGINES)}"
    names = [field.name for field in (*HEADER, *cls.fields)]
    if len(set(names)) != len(names):
        return "two of its fields have one name, or that of a field of the header"
    size = sum(int(field.dtype[2:]) for field in (*HEADER, *cls.fields))
    if size > INSTRUCTION_BYTES:
        return f"with the header its fields take {size} bytes, a word has {INSTRUCTION_BYTES}"
    if not callable(cls.numerics):
        return "`numerics` is not the function that computes it"
    return None
