"""The fields of instruction words: their types, units and defaults, the codes of names, and groups of fields that
several instructions have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..numerics.storage import STORAGE_TYPES

Engine = Literal["dma_in", "dma_out", "matrix", "vector"]
ENGINES: tuple[Engine, ...] = ("dma_in", "dma_out", "matrix", "vector")
ENGINE_PREFIX: Mapping[Engine, str] = {"dma_in": "d", "dma_out": "s", "matrix": "m", "vector": "v"}

INSTRUCTION_BYTES = 128
NO_ADDRESS = 0xFFFFFFFF
"""The address that stands for an absent operand (as in an epilogue without residual)."""


def present(address: Any) -> bool:
    """Return whether an optional operand is there: its address, or a column of addresses of which all are
    (`columns.py`).
    """
    return not (isinstance(address, int) and address == NO_ADDRESS)


def or_else(value: Any, default: Any) -> Any:
    """Return the value of a field, or the default that it stands for if it is 0; also for columns of values."""
    return value + (value == 0) * default


def written_columns(f: Mapping[str, Any]) -> Any:
    """Return how many elements of each row an instruction with the field OUT_COLUMNS writes."""
    return or_else(f["out_columns"], f["out_pitch"])


STORAGE_BY_CODE: tuple[str, ...] = (
    "none",
    *sorted(STORAGE_TYPES, key=lambda name: STORAGE_TYPES[name].program_code),
)
"""The names of storage types by their code in programs; code 0 is no type."""

SPACES = ("global", "local", "acc")
"""Memory spaces by code."""
SEGMENTS = ("weights", "input", "output", "scratch")
"""Segments of global memory by code: an address in global memory is a segment and an offset in it.
"""


@dataclass(frozen=True)
class Field:
    """One field of an instruction word.

    `kind`: "int", "address" (printed in hexadecimal), "storage" (one of STORAGE_BY_CODE), "enum"
    (one of `values`, stored as its index), "flag" (0 or 1) or "real". `dtype` is the little-endian
    NumPy type in the encoding. A field at its `default` is left out of the text; a field whose
    default is None is always written.
    """

    name: str
    dtype: str
    kind: Literal["int", "address", "storage", "enum", "flag", "real"]
    unit: str
    default: int | float | None = None
    values: tuple[str, ...] = ()


def integer(name: str, dtype: str, unit: str, default: int | None = None) -> Field:
    """Make a field for a whole number (a count, an offset, a zero point), signed if `dtype` is."""
    return Field(name, dtype, "int", unit, default)


def address(name: str, dtype: str = "<u4", default: int | None = None) -> Field:
    """Make a field for the address of an operand in its memory."""
    return Field(name, dtype, "address", "byte address", default)


def storage(name: str, unit: str = "storage type", default: int | None = None) -> Field:
    """Make a field for the storage type of an operand; with `default` 0 it may be "none"."""
    return Field(name, "<u1", "storage", unit, default)


def flag(name: str) -> Field:
    """Make a field for yes or no."""
    return Field(name, "<u1", "flag", "0 or 1", 0)


def real(name: str, dtype: str, unit: str, default: float | None = None) -> Field:
    """Make a field for a number that need not be whole."""
    return Field(name, dtype, "real", unit, default)


def enum(name: str, unit: str, values: tuple[str, ...], default: int | None = None) -> Field:
    """Make a field for one of a few names, which is stored as the name's number."""
    return Field(name, "<u1", "enum", unit, default, values)


HEADER: tuple[Field, ...] = (
    integer("opcode", "<u2", "instruction number"),
    enum("engine", "engine", ENGINES),
    integer("reserved", "<u1", "zero", 0),
    integer("wait_dma_in", "<u4", "completed dma_in instructions of this core", 0),
    integer("wait_dma_out", "<u4", "completed dma_out instructions of this core", 0),
    integer("wait_matrix", "<u4", "completed matrix instructions of this core", 0),
    integer("wait_vector", "<u4", "completed vector instructions of this core", 0),
    integer("wait_counter", "<u2", "counter of this core", 0),
    integer("wait_value", "<u4", "least value of the counter; 0: no wait", 0),
    integer("signal_counter", "<u2", "counter", 0),
    integer("signal_cores", "<u8", "bit mask of the virtual cores whose counter grows by one on completion", 0),
    integer("debug", "<u4", "entry of the debug map", 0),
)  # fmt: skip
"""The fields that every instruction has: 40 bytes. The remaining 88 are the instruction's own."""

WINDOW: tuple[Field, ...] = (
    integer("kernel_height", "<u2", "taps", 1),
    integer("kernel_width", "<u2", "taps", 1),
    integer("stride_height", "<u2", "pixels", 1),
    integer("stride_width", "<u2", "pixels", 1),
    integer("dilation_height", "<u2", "pixels", 1),
    integer("dilation_width", "<u2", "pixels", 1),
    integer("pad_top", "<u2", "pixels", 0),
    integer("pad_left", "<u2", "pixels", 0),
)
"""How windows slide over images, and where the first one begins."""

CLAMP: tuple[Field, ...] = (
    real("clamp_low", "<f8", "storage value", float("-inf")),
    real("clamp_high", "<f8", "storage value", float("inf")),
)
"""The range of an output."""

REQUANTIZATION: tuple[Field, ...] = (
    integer("multiplier", "<u4", "2^-shift", 0),
    integer("shift", "<u1", "bits", 0),
    integer("zero_point_in", "<i4", "storage value", 0),
    integer("zero_point_out", "<i4", "storage value", 0),
    *CLAMP,
)
"""From the quantization of an input to that of an output, and its range."""

PRODUCT: tuple[Field, ...] = (
    address("x"),
    address("w"),
    address("acc"),
    storage("type"),
    storage("acc_type"),
    flag("accumulate"),
)
"""The operands of a product: inputs, weights, and accumulators that it writes or adds to."""

PACKED_WEIGHTS: tuple[Field, ...] = (
    storage("w_type", "storage type of weights, packed if they share bytes; none: `type`", 0),
    flag("narrow_x"),
    integer("w_group", "<u2", "rows of weights that share a scale; 0: none do", 0),
)
"""The type of the weights of a product if it is not that of the inputs, and whether the inputs have no more bits than
they: then the product goes at the rate of the weights' type. Each row of a block of weights begins at a byte. The
scales of the columns stand in rows before each group.
"""

ROWS: tuple[Field, ...] = (
    integer("rows", "<u4", "rows"),
    integer("columns", "<u4", "elements"),
    integer("in_pitch", "<u4", "elements"),
    integer("out_pitch", "<u4", "elements"),
)
"""Rows of elements, each followed by padding up to its pitch."""

OUT_COLUMNS: Field = integer("out_columns", "<u4", "elements written of each row; 0: out_pitch", 0)
"""How much of each row of the output is written: what is computed, and padding after it. What lies between that and
the next row is left as it is.
"""

IMAGES: tuple[Field, ...] = (
    integer("batch", "<u2", "images", 1),
    integer("in_height", "<u2", "pixels"),
    integer("in_width", "<u2", "pixels"),
)
"""The images that an instruction reads."""
