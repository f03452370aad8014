"""The instructions that normalize rows, on the vector unit; see instruction.py."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..numerics.device.normalization import local_response_norm, normalize, softmax
from ..numerics.normalization import KINDS
from ..numerics.rounding_up import larger
from ..numerics.storage import FLOAT_NAMES, bytes_of
from ..targets import cycles as formulas
from .access import Access, Operand, local, local_rows
from .fields import NO_ADDRESS, ROWS, address, enum, flag, integer, present, real, storage
from .instruction import Instruction
from .rules import PITCHES, one_of

if TYPE_CHECKING:
    from ..targets.target import Target


class _RowInstruction(Instruction):
    """Base of the instructions that take rows of `columns` elements and fill each result's row up to its pitch."""

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return (
            local_rows(f["x"], f["rows"], f["in_pitch"], f["columns"], f["type"]),
            local(f["out"], bytes_of(f["rows"] * f["out_pitch"], f["type"]), write=True),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return (Operand("x", f["rows"] * f["in_pitch"], f["type"]),)


class Softmax(_RowInstruction):
    """exp(x − max) / Σ exp(x − max) (with `log` its logarithm) over each row of `columns` elements;
    the row is filled with 0 up to its pitch.

    v7: softmax x=0x0, out=0x0, type=f32, rows=1, columns=10, in_pitch=16, out_pitch=16
    """

    mnemonic, opcode, engine = "softmax", 25, "vector"
    numerics = staticmethod(softmax)
    fields = (
        address("x"),
        address("out"),
        storage("type"),
        flag("log"),
        *ROWS,
    )
    rules = (one_of("type", FLOAT_NAMES), *PITCHES)

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return formulas.vector_cycles(
            target, f["type"], f["rows"] * f["out_pitch"], target.vector.operations_of("softmax")
        )


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
    numerics = staticmethod(normalize)
    fields = (
        enum("kind", "statistic", KINDS),
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
    rules = (
        one_of("type", FLOAT_NAMES),
        (
            "length * inner <= pitch",
            lambda f: int(f["length"]) * int(f["inner"]) <= int(f["pitch"]),
        ),
        ("epsilon >= 0", lambda f: 0 <= f["epsilon"] < math.inf),
        ("rows a multiple of parameter_rows", lambda f: f["rows"] % f["parameter_rows"] == 0),
        (
            "length a multiple of parameter_length",
            lambda f: f["length"] % f["parameter_length"] == 0,
        ),
        ("parameter_inner 1 or inner", lambda f: f["parameter_inner"] in (1, f["inner"])),
    )

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return formulas.vector_cycles(
            target, f["type"], f["rows"] * f["pitch"], target.vector.operations_of("normalize")
        )

    @staticmethod
    def parameter_count(f: Mapping[str, Any]) -> int:
        """Count the scales and offsets together; 0 if there are none."""
        if not present(f["parameters"]):
            return 0
        return 2 * f["parameter_rows"] * f["parameter_length"] * f["parameter_inner"]

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        size = bytes_of(f["rows"] * f["pitch"], f["type"])
        result = [
            local_rows(f["x"], f["rows"], f["pitch"], f["length"] * f["inner"], f["type"]),
            local(f["out"], size, write=True),
        ]
        if present(f["parameters"]):
            result.append(local(f["parameters"], bytes_of(Normalize.parameter_count(f), "f32")))
        return tuple(result)

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        result = [Operand("x", f["rows"] * f["pitch"], f["type"])]
        if present(f["parameters"]):
            result.append(Operand("parameters", Normalize.parameter_count(f), "f32"))
        return tuple(result)


class LocalResponseNorm(_RowInstruction):
    """x / (offset + alpha/size · Σ x²)^beta over the `size` columns around each (see
    top.local_response_norm); rows are filled with 0 up to their pitch.

    v0: local_response_norm x=0x0, out=0x400, type=f32, rows=2, columns=3, in_pitch=16,
        out_pitch=16, size=5, alpha=0.5, beta=0.75, offset=1.0
    """

    mnemonic, opcode, engine = "local_response_norm", 30, "vector"
    numerics = staticmethod(local_response_norm)
    fields = (
        address("x"),
        address("out"),
        storage("type"),
        *ROWS,
        integer("size", "<u4", "elements of a sum"),
        real("alpha", "<f8", "factor of the mean square"),
        real("beta", "<f8", "exponent"),
        real("offset", "<f8", "added to the mean square"),
    )
    rules = (
        one_of("type", FLOAT_NAMES),
        *PITCHES,
        (
            "finite alpha , beta and offset",
            lambda f: all(math.isfinite(f[name]) for name in ("alpha", "beta", "offset")),
        ),
    )

    @staticmethod
    def operations(target: Target, size: Any, channels: Any) -> Any:
        """Count the passes over its elements that the vector unit makes for sums over `size` of
        `channels`: one for each channel of a sum, and those of the target's table.
        """
        smaller = size + channels - larger(size, channels)
        return smaller + target.vector.operations_of("local_response_norm")

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        operations = LocalResponseNorm.operations(target, f["size"], f["columns"])
        return formulas.vector_cycles(target, f["type"], f["rows"] * f["out_pitch"], operations)
