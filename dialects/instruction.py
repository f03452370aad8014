"""The instruction set: one small class per machine instruction, and everything that is derived from it.

A class says which engine runs the instruction, its fields with their widths and units, the function of
`backends/numerics/device.py` that defines its values, how many cycles it takes, and which bytes it reads and
writes. The encoding (128 bytes), the text, the simulator and the reference page all follow from these classes. This
module knows neither xDSL nor programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

Engine = Literal["dma_in", "dma_out", "matrix", "vector"]
ENGINES: tuple[Engine, ...] = ("dma_in", "dma_out", "matrix", "vector")
ENGINE_PREFIX: Mapping[Engine, str] = {"dma_in": "d", "dma_out": "s", "matrix": "m", "vector": "v"}

INSTRUCTION_BYTES = 128
NO_ADDRESS = 0xFFFFFFFF
"""The address of an operand that is not there (an epilogue without residual)."""

STORAGE_CODES: Mapping[str, int] = {
    "none": 0, "i8": 1, "u8": 2, "i16": 3, "u16": 4, "i32": 5, "u32": 6, "i64": 7,
    "f16": 8, "bf16": 9, "f32": 10, "f64": 11, "bool": 12,
}  # fmt: skip
STORAGE_BYTES: Mapping[str, int] = {
    "none": 0, "i8": 1, "u8": 1, "i16": 2, "u16": 2, "i32": 4, "u32": 4, "i64": 8,
    "f16": 2, "bf16": 2, "f32": 4, "f64": 8, "bool": 1,
}  # fmt: skip

SPACES = ("global", "local", "acc")
"""Memory spaces by code."""
SEGMENTS = ("weights", "input", "output", "scratch")
"""Segments of global memory by code: an address in global memory is a segment and an offset in it."""


@dataclass(frozen=True)
class Field:
    """One field of an instruction word.

    `kind`: "int", "address" (printed in hexadecimal), "storage" (a key of STORAGE_CODES), "enum" (one of `values`,
    stored
    as its index), "flag" (0 or 1) or "real". `dtype` is the little-endian NumPy type in the encoding. A field
    at its `default` is left out of the text; a field whose default is None is always written.
    """

    name: str
    dtype: str
    kind: Literal["int", "address", "storage", "enum", "flag", "real"]
    unit: str
    default: int | float | None = None
    values: tuple[str, ...] = ()


def _int(name: str, dtype: str, unit: str, default: int | None = None) -> Field:
    return Field(name, dtype, "int", unit, default)


def _address(name: str, dtype: str = "<u4", default: int | None = None) -> Field:
    return Field(name, dtype, "address", "byte address", default)


def _storage(name: str) -> Field:
    return Field(name, "<u1", "storage", "storage type")


def _flag(name: str) -> Field:
    return Field(name, "<u1", "flag", "0 or 1", 0)


def _real(name: str, dtype: str, unit: str, default: float | None = None) -> Field:
    return Field(name, dtype, "real", unit, default)


HEADER: tuple[Field, ...] = (
    _int("opcode", "<u2", "instruction number"),
    Field("engine", "<u1", "enum", "engine", None, ENGINES),
    _int("reserved", "<u1", "zero", 0),
    _int("wait_dma_in", "<u4", "completed dma_in instructions of this core", 0),
    _int("wait_dma_out", "<u4", "completed dma_out instructions of this core", 0),
    _int("wait_matrix", "<u4", "completed matrix instructions of this core", 0),
    _int("wait_vector", "<u4", "completed vector instructions of this core", 0),
    _int("wait_counter", "<u2", "counter of this core", 0),
    _int("wait_value", "<u4", "least value of the counter; 0: no wait", 0),
    _int("signal_counter", "<u2", "counter", 0),
    _int("signal_cores", "<u8", "bit mask of the virtual cores whose counter grows by one on completion", 0),
    _int("debug", "<u4", "entry of the debug map", 0),
)  # fmt: skip
"""The fields that every instruction has: 40 bytes. The remaining 88 are the instruction's own."""


@dataclass(frozen=True)
class Access:
    """A set of bytes that an instruction reads or writes: equal runs at regular strides.

    The runs start at `address + Σ i_d * strides[d]` for every index `i_d < counts[d]` and are `run_bytes` long.
    `core` None means the core that runs the instruction; `segment` counts in space "global" only.
    """

    space: str
    core: int | None
    segment: int
    address: int
    run_bytes: int
    counts: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    write: bool = False

    def intervals(self) -> np.ndarray:
        """The runs as int64 [n, 2] (first byte, byte past the last), ascending, touching runs merged."""
        starts = np.array([self.address], dtype=np.int64)
        run = self.run_bytes
        for count, stride in sorted(
            zip(self.counts, self.strides, strict=True), key=lambda d: d[1]
        ):
            if count == 1:
                continue
            if stride == run and len(starts) == 1:
                run *= count
                continue
            steps = np.arange(count, dtype=np.int64) * stride
            starts = (starts[None, :] + steps[:, None]).ravel()
        starts.sort()
        if len(starts) > 1:
            new = np.concatenate(([True], starts[1:] > starts[:-1] + run))
            first = starts[new]
            last = np.concatenate((starts[:-1][new[1:]], starts[-1:])) + run
            return np.stack((first, last), axis=1)
        return np.array([[starts[0], starts[0] + run]], dtype=np.int64)


class Instruction:
    """Base of the instruction classes; never instantiated: an instruction's value is a mapping of its fields.

    `numerics` names the function of `backends/numerics/device.py` that computes it (None: data movement, done
    by the simulator). `cycles(f, target)` gives the engine's busy time in cycles, for DMA the time apart from the
    shared-bandwidth transfer itself. `accesses(f)` gives the bytes read and written. `f` maps field names to plain
    Python numbers; storage and enum fields are their names (strings).
    """

    mnemonic: ClassVar[str]
    opcode: ClassVar[int]
    engine: ClassVar[Engine | None]
    """None: the instruction may stand in any engine's queue (sync)."""
    fields: ClassVar[tuple[Field, ...]] = ()
    numerics: ClassVar[str | None] = None

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        """Busy time of the engine in cycles."""
        raise NotImplementedError

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        """The bytes that the instruction reads and writes."""
        raise NotImplementedError


def _local(address: int, size_bytes: int, write: bool = False) -> Access:
    return Access("local", None, 0, address, size_bytes, write=write)


def _acc(address: int, size_bytes: int, write: bool = False) -> Access:
    return Access("acc", None, 0, address, size_bytes, write=write)


def _ceil_div(a: int, b: int) -> int:
    return -(-a // b)


_TRANSFER_FIELDS: tuple[Field, ...] = (
    Field("src_space", "<u1", "enum", "memory space", None, SPACES),
    Field("dst_space", "<u1", "enum", "memory space", None, SPACES),
    _int("peer_core", "<u2", "virtual core + 1 of the other core's local memory; 0: this core", 0),
    Field("src_segment", "<u1", "enum", "segment", 0, SEGMENTS),
    Field("dst_segment", "<u1", "enum", "segment", 0, SEGMENTS),
    _address("src", "<u8"),
    _address("dst", "<u8"),
    _int("run", "<u4", "bytes copied per run"),
    _int("pad", "<u4", "bytes filled at the destination after each run", 0),
    _int("fill", "<u1", "value of each filled byte", 0),
    *(_int(f"count{d}", "<u4", "runs", 1) for d in range(4)),
    *(_int(f"src_stride{d}", "<i4", "bytes", 0) for d in range(4)),
    *(_int(f"dst_stride{d}", "<i4", "bytes", 0) for d in range(4)),
    _int("group", "<u4", "multicast group; 0: none", 0),
)  # fmt: skip


def _transfer_accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
    counts = tuple(f[f"count{d}"] for d in range(4))
    peer = f["peer_core"] - 1 if f["peer_core"] else None
    src_core = (
        peer
        if f["src_space"] == "local" and f["dst_space"] == "local" and f["engine"] == "dma_in"
        else None
    )
    dst_core = (
        peer
        if f["src_space"] == "local" and f["dst_space"] == "local" and f["engine"] == "dma_out"
        else None
    )
    return (
        Access(f["src_space"], src_core, SEGMENTS.index(f["src_segment"]), f["src"], f["run"], counts,
               tuple(f[f"src_stride{d}"] for d in range(4))),
        Access(f["dst_space"], dst_core, SEGMENTS.index(f["dst_segment"]), f["dst"], f["run"] + f["pad"], counts,
               tuple(f[f"dst_stride{d}"] for d in range(4)), write=True),
    )  # fmt: skip


def _transfer_cycles(f: Mapping[str, Any], target: Any) -> int:
    from ..backends.targets import cycles

    runs = f["count0"] * f["count1"] * f["count2"] * f["count3"]
    return cycles.transfer_issue_cycles(target, runs)


class Load(Instruction):
    """Copies up to four dimensions of equal runs into this core's local memory, from global memory or another core."""

    mnemonic, opcode, engine = "load", 1, "dma_in"
    fields = _TRANSFER_FIELDS
    cycles = staticmethod(_transfer_cycles)
    accesses = staticmethod(_transfer_accesses)


class Store(Instruction):
    """Copies up to four dimensions of equal runs out of this core's local memory, to global memory or another core."""

    mnemonic, opcode, engine = "store", 2, "dma_out"
    fields = _TRANSFER_FIELDS
    cycles = staticmethod(_transfer_cycles)
    accesses = staticmethod(_transfer_accesses)


class Fill(Instruction):
    """Writes one value to every element of a range of local memory."""

    mnemonic, opcode, engine = "fill", 3, "dma_in"
    numerics = "fill"
    fields = (
        _address("dst"),
        _int("count", "<u4", "elements"),
        _storage("type"),
        _real("value", "<f8", "value", 0.0),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        from ..backends.targets import cycles

        return cycles.local_write_cycles(target, f["count"] * STORAGE_BYTES[f["type"]])

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return (_local(f["dst"], f["count"] * STORAGE_BYTES[f["type"]], write=True),)


class Sync(Instruction):
    """Does nothing but wait and signal, in the queue of any engine."""

    mnemonic, opcode, engine = "sync", 4, None

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        return 1

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return ()


_CONV_FIELDS: tuple[Field, ...] = (
    _address("x"),
    _address("w"),
    _address("acc"),
    _storage("type"),
    _storage("acc_type"),
    _flag("accumulate"),
    _int("batch", "<u2", "images", 1),
    _int("in_height", "<u2", "pixels"),
    _int("in_width", "<u2", "pixels"),
    _int("in_channels", "<u4", "channels"),
    _int("in_pitch", "<u4", "elements per input pixel"),
    _int("out_height", "<u2", "pixels"),
    _int("out_width", "<u2", "pixels"),
    _int("out_channels", "<u4", "channels"),
    _int("out_pitch", "<u4", "elements per output pixel"),
    _int("kernel_height", "<u2", "taps", 1),
    _int("kernel_width", "<u2", "taps", 1),
    _int("stride_height", "<u2", "pixels", 1),
    _int("stride_width", "<u2", "pixels", 1),
    _int("dilation_height", "<u2", "pixels", 1),
    _int("dilation_width", "<u2", "pixels", 1),
    _int("pad_top", "<u2", "pixels", 0),
    _int("pad_left", "<u2", "pixels", 0),
    _int("pad_value", "<i2", "storage value of a padding pixel", 0),
    _int("groups", "<u4", "groups", 1),
    _int("block", "<u4", "output channels per weight block"),
)


def _conv_output_bytes(f: Mapping[str, Any]) -> int:
    pixels = f["batch"] * f["out_height"] * f["out_width"]
    return pixels * f["out_pitch"] * STORAGE_BYTES[f["acc_type"]]


def _conv_accesses(f: Mapping[str, Any], weight_elements: int) -> tuple[Access, ...]:
    size = STORAGE_BYTES[f["type"]]
    pixels = f["batch"] * f["in_height"] * f["in_width"]
    result = [
        _local(f["x"], pixels * f["in_pitch"] * size),
        _local(f["w"], weight_elements * size),
        _acc(f["acc"], _conv_output_bytes(f), write=True),
    ]
    if f["accumulate"]:
        result.append(_acc(f["acc"], _conv_output_bytes(f)))
    return tuple(result)


class Conv2d(Instruction):
    """One tile of a convolution on the matrix unit: acc[n,y,x,o] (+)= Σ x[n,y·s+i·d−p,x·s+j·d−p,c] · w[i,j,c,o]."""

    mnemonic, opcode, engine = "conv2d", 16, "matrix"
    numerics = "conv2d"
    fields = _CONV_FIELDS

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        from ..backends.targets import cycles

        groups = f["groups"]
        return cycles.matrix_cycles(
            target, f["type"],
            m=f["batch"] * f["out_height"] * f["out_width"],
            k=f["kernel_height"] * f["kernel_width"] * (f["in_channels"] // groups),
            n=_ceil_div(f["out_channels"], groups),
            repeat=groups,
        )  # fmt: skip

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        depth = f["kernel_height"] * f["kernel_width"] * (f["in_channels"] // f["groups"])
        return _conv_accesses(f, _ceil_div(f["out_channels"], f["block"]) * depth * f["block"])


class DepthwiseConv2d(Instruction):
    """One tile of a depthwise convolution on the vector unit; output channel o reads input channel o·in/out."""

    mnemonic, opcode, engine = "depthwise_conv2d", 17, "vector"
    numerics = "depthwise_conv2d"
    fields = _CONV_FIELDS

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        from ..backends.targets import cycles

        pixels = f["batch"] * f["out_height"] * f["out_width"]
        taps = f["kernel_height"] * f["kernel_width"]
        return cycles.vector_cycles(target, f["type"], pixels * f["out_pitch"], taps)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return _conv_accesses(f, f["kernel_height"] * f["kernel_width"] * f["block"])


class Matmul(Instruction):
    """One tile of a (batched) matrix product on the matrix unit: acc[b,m,n] (+)= Σ_k (x[b,m,k]−zx) · (w[b,k,n]−zw)."""

    mnemonic, opcode, engine = "matmul", 18, "matrix"
    numerics = "matmul"
    fields = (
        _address("x"),
        _address("w"),
        _address("acc"),
        _storage("type"),
        _storage("acc_type"),
        _flag("accumulate"),
        _int("batch", "<u4", "matrices", 1),
        _int("m", "<u4", "rows"),
        _int("k", "<u4", "depth"),
        _int("n", "<u4", "columns"),
        _int("x_pitch", "<u4", "elements per row of x"),
        _int("out_pitch", "<u4", "elements per row of acc"),
        _int("block", "<u4", "columns per weight block"),
        _flag("shared_w"),
        _flag("transpose_w"),
        _int("x_zero_point", "<i2", "storage value", 0),
        _int("w_zero_point", "<i2", "storage value", 0),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        from ..backends.targets import cycles

        return cycles.matrix_cycles(
            target, f["type"], m=f["m"], k=f["k"], n=f["n"], repeat=f["batch"]
        )

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        size = STORAGE_BYTES[f["type"]]
        out = f["batch"] * f["m"] * f["out_pitch"] * STORAGE_BYTES[f["acc_type"]]
        rows = f["n"] if f["transpose_w"] else f["k"] * _ceil_div(f["n"], f["block"])
        matrices = 1 if f["shared_w"] else f["batch"]
        result = [
            _local(f["x"], f["batch"] * f["m"] * f["x_pitch"] * size),
            _local(f["w"], matrices * rows * f["block"] * size),
            _acc(f["acc"], out, write=True),
        ]
        if f["accumulate"]:
            result.append(_acc(f["acc"], out))
        return tuple(result)


_CLAMP: tuple[Field, ...] = (
    _real("clamp_low", "<f8", "storage value", float("-inf")),
    _real("clamp_high", "<f8", "storage value", float("inf")),
)


class Epilogue(Instruction):
    """Takes accumulators to outputs: bias, residual, requantization (integer types) and clamp, by rows of channels.

    `table` holds int32 rows of `table_pitch` elements: bias, multiplier, shift and, with a residual, its
    multiplier and shift; for an i64 accumulator the bias takes two rows (low, high words). For float types: one f32
    row, the bias.
    """

    mnemonic, opcode, engine = "epilogue", 19, "vector"
    numerics = "epilogue"
    fields = (
        _address("acc"),
        _address("out"),
        _address("table"),
        _address("residual", default=NO_ADDRESS),
        _storage("acc_type"),
        _storage("type"),
        _int("rows", "<u4", "rows"),
        _int("channels", "<u4", "channels"),
        _int("acc_pitch", "<u4", "elements"),
        _int("out_pitch", "<u4", "elements"),
        _int("table_pitch", "<u4", "elements"),
        _int("residual_pitch", "<u4", "elements", 0),
        _int("residual_zero_point", "<i2", "storage value", 0),
        _int("zero_point", "<i2", "storage value", 0),
        *_CLAMP,
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        from ..backends.targets import cycles

        passes = 2 if f["residual"] == NO_ADDRESS else 3
        return cycles.vector_cycles(target, f["acc_type"], f["rows"] * f["out_pitch"], passes)

    @staticmethod
    def table_rows(f: Mapping[str, Any]) -> int:
        """Rows of the table of parameters."""
        if f["acc_type"] in ("f32", "f16", "bf16"):
            return 1
        rows = 3 if f["residual"] == NO_ADDRESS else 5
        return rows + (f["acc_type"] == "i64")

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        size = STORAGE_BYTES[f["type"]]
        result = [
            _acc(f["acc"], f["rows"] * f["acc_pitch"] * STORAGE_BYTES[f["acc_type"]]),
            _local(f["table"], Epilogue.table_rows(f) * f["table_pitch"] * 4),
            _local(f["out"], f["rows"] * f["out_pitch"] * size, write=True),
        ]
        if f["residual"] != NO_ADDRESS:
            result.append(_local(f["residual"], f["rows"] * f["residual_pitch"] * size))
        return tuple(result)


class Convert(Instruction):
    """Changes the storage type or quantization of rows of elements, clamps, and fills each row up to its pitch.

    Integer to integer: requantize(x − zero_point_in, multiplier, shift) + zero_point_out. Float to integer:
    round_half_even(x / scale) + zero_point_out. Integer to float: (x − zero_point_in) · scale. Float to
    float: one rounding.
    """

    mnemonic, opcode, engine = "convert", 20, "vector"
    numerics = "convert"
    fields = (
        _address("x"),
        _address("out"),
        _storage("in_type"),
        _storage("out_type"),
        _int("rows", "<u4", "rows"),
        _int("columns", "<u4", "elements"),
        _int("in_pitch", "<u4", "elements"),
        _int("out_pitch", "<u4", "elements"),
        _real("scale", "<f8", "real value per storage step", 1.0),
        _int("multiplier", "<u4", "2^-shift", 0),
        _int("shift", "<u1", "bits", 0),
        _int("zero_point_in", "<i2", "storage value", 0),
        _int("zero_point_out", "<i2", "storage value", 0),
        *_CLAMP,
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        from ..backends.targets import cycles

        wider = max(f["in_type"], f["out_type"], key=lambda t: STORAGE_BYTES[t])
        return cycles.vector_cycles(target, wider, f["rows"] * f["out_pitch"], 1)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return (
            _rows(f["x"], f["rows"], f["in_pitch"], f["columns"], f["in_type"]),
            _local(f["out"], f["rows"] * f["out_pitch"] * STORAGE_BYTES[f["out_type"]], write=True),
        )


def _rows(address: int, rows: int, pitch: int, columns: int, storage: str) -> Access:
    size = STORAGE_BYTES[storage]
    return Access("local", None, 0, address, columns * size, (rows,), (pitch * size,))


class Binary(Instruction):
    """Element-wise arithmetic of two operands over four dimensions; stride 0 broadcasts; the output is dense.

    Integer add: round_half_even(((a−za)·a_multiplier + (b−zb)·b_multiplier) · 2^−shift) + zero_point. Integer mul:
    requantize((a−za)·(b−zb), a_multiplier, shift) + zero_point. Floats: the operation, rounded once.
    """

    mnemonic, opcode, engine = "binary", 21, "vector"
    numerics = "binary"
    fields = (
        Field("kind", "<u1", "enum", "operation", None, ("add", "sub", "mul", "div")),
        _storage("type"),
        _address("a"),
        _address("b"),
        _address("out"),
        *(_int(f"size{d}", "<u2" if d == 0 else "<u4", "elements", 1) for d in range(4)),
        *(_int(f"a_stride{d}", "<u4", "elements", 0) for d in range(4)),
        *(_int(f"b_stride{d}", "<u4", "elements", 0) for d in range(4)),
        _int("a_zero_point", "<i2", "storage value", 0),
        _int("b_zero_point", "<i2", "storage value", 0),
        _int("zero_point", "<i2", "storage value", 0),
        _int("a_multiplier", "<u4", "2^-shift", 0),
        _int("b_multiplier", "<u4", "2^-shift", 0),
        _int("shift", "<u1", "bits", 0),
        _real("clamp_low", "<f4", "storage value", float("-inf")),
        _real("clamp_high", "<f4", "storage value", float("inf")),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        from ..backends.targets import cycles

        elements = f["size0"] * f["size1"] * f["size2"] * f["size3"]
        return cycles.vector_cycles(target, f["type"], elements, 1 if f["kind"] != "div" else 4)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        size = STORAGE_BYTES[f["type"]]
        sizes = tuple(f[f"size{d}"] for d in range(4))

        def operand(name: str) -> Access:
            strides = [f[f"{name}_stride{d}"] * size for d in range(4)]
            kept = [(n, s) for n, s in zip(sizes, strides, strict=True) if s > 0]
            counts, steps = tuple(n for n, _ in kept), tuple(s for _, s in kept)
            return Access("local", None, 0, f[name], size, counts, steps)

        elements = sizes[0] * sizes[1] * sizes[2] * sizes[3]
        return operand("a"), operand("b"), _local(f["out"], elements * size, write=True)


class Pool(Instruction):
    """One tile of max or average pooling on the vector unit; average: over the taps inside the (declared) input."""

    mnemonic, opcode, engine = "pool", 22, "vector"
    numerics = "pool"
    fields = (
        Field("kind", "<u1", "enum", "reduction", None, ("max", "average")),
        _address("x"),
        _address("out"),
        _storage("type"),
        _flag("count_include_pad"),
        _int("batch", "<u2", "images", 1),
        _int("in_height", "<u2", "pixels"),
        _int("in_width", "<u2", "pixels"),
        _int("out_height", "<u2", "pixels"),
        _int("out_width", "<u2", "pixels"),
        _int("pitch", "<u4", "elements per pixel"),
        _int("kernel_height", "<u2", "taps", 1),
        _int("kernel_width", "<u2", "taps", 1),
        _int("stride_height", "<u2", "pixels", 1),
        _int("stride_width", "<u2", "pixels", 1),
        _int("dilation_height", "<u2", "pixels", 1),
        _int("dilation_width", "<u2", "pixels", 1),
        _int("pad_top", "<u2", "pixels", 0),
        _int("pad_left", "<u2", "pixels", 0),
        _int("pad_bottom", "<u2", "pixels that count as padding", 0),
        _int("pad_right", "<u2", "pixels that count as padding", 0),
        _int("multiplier", "<u4", "2^-shift", 0),
        _int("shift", "<u1", "bits", 0),
        _int("zero_point_in", "<i2", "storage value", 0),
        _int("zero_point_out", "<i2", "storage value", 0),
        *_CLAMP,
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        from ..backends.targets import cycles

        elements = f["batch"] * f["out_height"] * f["out_width"] * f["pitch"]
        taps = f["kernel_height"] * f["kernel_width"]
        return cycles.vector_cycles(target, f["type"], elements, taps)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        pixel = f["batch"] * f["pitch"] * STORAGE_BYTES[f["type"]]
        return (
            _local(f["x"], f["in_height"] * f["in_width"] * pixel),
            _local(f["out"], f["out_height"] * f["out_width"] * pixel, write=True),
        )


class Reduce(Instruction):
    """Mean over the middle axis of x[outer, length, inner]; the output is [outer, inner], rows of `out_pitch`."""

    mnemonic, opcode, engine = "reduce", 23, "vector"
    numerics = "reduce"
    fields = (
        Field("kind", "<u1", "enum", "reduction", None, ("mean",)),
        _address("x"),
        _address("out"),
        _storage("type"),
        _int("outer", "<u4", "rows"),
        _int("length", "<u4", "elements reduced"),
        _int("inner", "<u4", "elements", 1),
        _int("outer_stride", "<u4", "elements"),
        _int("length_stride", "<u4", "elements"),
        _int("out_pitch", "<u4", "elements"),
        _int("multiplier", "<u4", "2^-shift", 0),
        _int("shift", "<u1", "bits", 0),
        _int("zero_point_in", "<i2", "storage value", 0),
        _int("zero_point_out", "<i2", "storage value", 0),
        *_CLAMP,
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        from ..backends.targets import cycles

        return cycles.vector_cycles(target, f["type"], f["outer"] * f["length"] * f["inner"], 1)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        size = STORAGE_BYTES[f["type"]]
        counts = (f["outer"], f["length"])
        strides = (f["outer_stride"] * size, f["length_stride"] * size)
        return (
            Access("local", None, 0, f["x"], f["inner"] * size, counts, strides),
            _local(f["out"], f["outer"] * f["out_pitch"] * size, write=True),
        )


class Resample(Instruction):
    """Interpolation along an axis: out[o,i,c] = Σ_t weight[i,t] · x[o,index[i,t],c]; one tap of weight 1: a gather."""

    mnemonic, opcode, engine = "resample", 24, "vector"
    numerics = "resample"
    fields = (
        _address("x"),
        _address("out"),
        _address("index"),
        _address("weight", default=NO_ADDRESS),
        _storage("type"),
        _int("outer", "<u4", "rows"),
        _int("in_length", "<u4", "elements"),
        _int("out_length", "<u4", "elements"),
        _int("inner", "<u4", "elements"),
        _int("taps", "<u2", "taps", 1),
        _flag("gather"),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        from ..backends.targets import cycles

        elements = f["outer"] * f["out_length"] * f["inner"]
        return cycles.vector_cycles(target, f["type"], elements, f["taps"])

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        size = STORAGE_BYTES[f["type"]]
        taps = f["out_length"] * f["taps"] * 4
        result = [
            _local(f["x"], f["outer"] * f["in_length"] * f["inner"] * size),
            _local(f["index"], taps),
            _local(f["out"], f["outer"] * f["out_length"] * f["inner"] * size, write=True),
        ]
        if not f["gather"]:
            result.append(_local(f["weight"], taps))
        return tuple(result)


class Softmax(Instruction):
    """exp(x − max) / Σ exp(x − max) over each row of `columns` elements; the row is filled with 0 up to its pitch."""

    mnemonic, opcode, engine = "softmax", 25, "vector"
    numerics = "softmax"
    fields = (
        _address("x"),
        _address("out"),
        _storage("type"),
        _int("rows", "<u4", "rows"),
        _int("columns", "<u4", "elements"),
        _int("in_pitch", "<u4", "elements"),
        _int("out_pitch", "<u4", "elements"),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Any) -> int:
        from ..backends.targets import cycles

        return cycles.vector_cycles(target, f["type"], f["rows"] * f["out_pitch"], 8)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return (
            _rows(f["x"], f["rows"], f["in_pitch"], f["columns"], f["type"]),
            _local(f["out"], f["rows"] * f["out_pitch"] * STORAGE_BYTES[f["type"]], write=True),
        )


INSTRUCTIONS: tuple[type[Instruction], ...] = (
    Load, Store, Fill, Sync, Conv2d, DepthwiseConv2d, Matmul, Epilogue, Convert, Binary, Pool, Reduce, Resample,
    Softmax,
)  # fmt: skip
BY_MNEMONIC: Mapping[str, type[Instruction]] = {i.mnemonic: i for i in INSTRUCTIONS}
BY_OPCODE: Mapping[int, type[Instruction]] = {i.opcode: i for i in INSTRUCTIONS}
