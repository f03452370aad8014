"""Pooling, reductions, interpolation and normalizations, on the vector unit; see instruction.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..numerics.normalization import KINDS as NORMALIZATION_KINDS
from ..numerics.reduction import KINDS as REDUCTION_KINDS
from ..targets import cycles as formulas
from .access import Access, Operand, local, local_rows
from .fields import (
    IMAGES,
    NO_ADDRESS,
    REQUANTIZATION,
    STORAGE_BYTES,
    WINDOW,
    address,
    enum,
    flag,
    integer,
    present,
    real,
    storage,
)
from .instruction import Instruction

if TYPE_CHECKING:
    from ..targets.target import Target


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
