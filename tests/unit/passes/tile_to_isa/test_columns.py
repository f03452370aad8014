"""Computations on columns of wider buffers: the same values as on dense ones, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.dialects import tile
from xdsl.ir import Operation, SSAValue

from tests.unit.slabs import copy, module_of

from .test_views import outputs_of_all_stages

SHAPE = (1, 2, 3)
"""The axes before the columns."""
ROWS = 6
SAMPLES = 2
Emit = Callable[["Case", SSAValue, SSAValue], None]


@dataclass
class Case:
    """A program that reads `width` columns of x, of type `storage`, and writes `out_width` columns of y; in buffers of
    their own if it `is_dense`, else in those of x and y themselves.
    """

    storage: str
    is_dense: bool
    x_columns: tuple[int, int, int]
    y_columns: tuple[int, int, int]
    out_storage: str

    def __post_init__(self) -> None:
        self.ops: list[Operation] = []
        self.width, self.out_width = self.x_columns[1], self.y_columns[1]
        self.ports = [
            tile.GlobalOp(name, segment, (*SHAPE, columns[2]), storage)
            for name, segment, columns, storage in (
                ("x", "input", self.x_columns, self.storage),
                ("before", "input", self.y_columns, self.out_storage),
                ("y", "output", self.y_columns, self.out_storage),
            )
        ]

    def alloc(self, shape: tuple[int, ...], storage: str, space: str = "local") -> SSAValue:
        """A new buffer."""
        self.ops.append(tile.AllocOp(0, shape, storage, space))
        return self.ops[-1].results[0]

    def filled(self, shape: tuple[int, ...], storage: str, value: float) -> SSAValue:
        """A new buffer that holds one value."""
        target = self.alloc(shape, storage)
        self.ops.append(tile.FillOp(0, target, value=value))
        return target

    def part(self, slab: SSAValue, storage: str, columns: tuple[int, int, int]) -> SSAValue:
        """Columns of a slab: a view, or a buffer of their own."""
        first, width, pitch = columns
        if self.is_dense:
            return self.alloc((*SHAPE, width), storage)
        self.ops.append(tile.ViewOp(slab, (*SHAPE, width), offset=first, pitch=pitch))
        return self.ops[-1].results[0]

    def move(self, source: SSAValue, target: SSAValue, strides: dict[str, int]) -> None:
        """Copy the columns of a dense buffer, from or to a slab."""
        if self.is_dense:
            first, width, pitch = self.x_columns if "source" in strides else self.y_columns
            steps = {"source_strides": [width, 1], "target_strides": [width, 1]}
            side = next(iter(strides))
            steps[f"{side}_strides"] = [pitch, 1]
            offset = {f"{side}_offset": first}
            self.ops.append(tile.CopyOp(0, source, target, sizes=[ROWS, width], **steps, **offset))

    def outputs(self, emit: Emit, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
        """The slab of y at all stages, after a computation on columns of it."""
        x, before, y = self.ports
        slabs = []
        for port, columns in ((x, self.x_columns), (before, self.y_columns)):
            slab = self.alloc((*SHAPE, columns[2]), port.storage)
            self.ops.append(copy(0, port.output, slab, ROWS * columns[2]))
            slabs.append(slab)
        a = self.part(slabs[0], self.storage, self.x_columns)
        b = self.part(slabs[1], self.out_storage, self.y_columns)
        self.move(slabs[0], a, {"source": 1})
        emit(self, a, b)
        self.move(b, slabs[1], {"target": 1})
        self.ops.append(copy(0, slabs[1], y.output, ROWS * self.y_columns[2]))
        return outputs_of_all_stages(module_of([*self.ports, *self.ops]), arrays)


def convert(case: Case, x: SSAValue, out: SSAValue) -> None:
    fields = {"columns": min(case.width, case.out_width), "zero_points": [3, 5]}
    case.ops.append(tile.ConvertOp(0, x, out, multiplier=1 << 29, shift=30, **fields))


def unary(case: Case, x: SSAValue, out: SSAValue) -> None:
    columns = min(case.width, case.out_width)
    case.ops.append(tile.UnaryOp(0, x, out, kind="leaky_relu", columns=columns, alpha=0.5))


def lookup(case: Case, x: SSAValue, out: SSAValue) -> None:
    table, fields = case.filled((256,), "i8", 7.0), {"zero_point": -5}
    case.ops.append(
        tile.LookupOp(0, x, table, out, columns=min(case.width, case.out_width), **fields)
    )


def pool(case: Case, x: SSAValue, out: SSAValue) -> None:
    case.ops.append(
        tile.PoolOp(
            0, x, out, kind="average", kernel=[1, 3], pads=[0, 1, 0, 1], multiplier=1 << 30,
            shift=30, zero_points=[1, 2], columns=min(case.width, case.out_width),
        )
    )  # fmt: skip


def binary(case: Case, x: SSAValue, out: SSAValue) -> None:
    row = case.filled((1, 1, 1, case.width), "f32", 2.0)
    case.ops.append(tile.BinaryOp(0, x, row, x, kind="mul"))
    case.ops.append(tile.BinaryOp(0, x, x, out, kind="add"))


def select(case: Case, x: SSAValue, out: SSAValue) -> None:
    condition = case.alloc((*SHAPE, case.width), "bool")
    case.ops.append(tile.BinaryOp(0, x, case.filled((1,), "f32", 0.0), condition, kind="less"))
    other = case.filled((*SHAPE, case.width), "f32", 9.0)
    case.ops.append(tile.SelectOp(0, condition, other, x, out))


def epilogue(case: Case, x: SSAValue, out: SSAValue) -> None:
    """A residual and the output are columns."""
    channels = min(case.width, case.out_width)
    w = case.filled((1, 1, 1, channels), "i8", 3.0)
    acc = case.alloc((ROWS, 1, channels), "i32", "acc")
    ones = case.filled((ROWS, 1, 1), "i8", 2.0)
    # ROWS matrices of one row, one deep: 6 in every accumulator.
    case.ops.append(tile.MatmulOp(0, ones, w, acc, depth=1, columns=channels))
    table = case.filled((5, channels), "i32", 30.0)
    case.ops.append(tile.EpilogueOp(0, acc, table, x, out, channels=channels, zero_points=[1, 4]))


def conv2d(case: Case, x: SSAValue, out: SSAValue) -> None:
    channels = case.out_width
    w = case.filled((1, 2 * case.width, channels), "i8", 3.0)
    acc = case.alloc((*SHAPE, channels), "i32", "acc")
    case.ops.append(
        tile.Conv2dOp(0, x, w, acc, channels=[case.width, channels], kernel=[1, 2], pads=[0, 1])
    )
    finish(case, acc, out)


def depthwise(case: Case, x: SSAValue, out: SSAValue) -> None:
    channels = min(case.width, case.out_width)
    w = case.filled((2, channels), "i8", 3.0)
    acc = case.alloc((*SHAPE, channels), "i32", "acc")
    fields = {"channels": [channels, channels], "groups": channels, "pads": [0, 1]}
    case.ops.append(tile.DepthwiseConv2dOp(0, x, w, acc, kernel=[1, 2], **fields))
    finish(case, acc, out)


def finish(case: Case, acc: SSAValue, out: SSAValue) -> None:
    """Round sums to i8: all parameters are 16."""
    channels = acc.type.get_shape()[-1]  # pyright: ignore[reportAttributeAccessIssue]
    table = case.filled((3, channels), "i32", 16.0)
    case.ops.append(
        tile.EpilogueOp(0, acc, table, None, out, channels=channels, zero_points=[0, -1])
    )


KINDS: dict[str, tuple[Emit, str, str]] = {
    "convert": (convert, "i8", "i8"),
    "unary": (unary, "f32", "f32"),
    "lookup": (lookup, "u8", "i8"),
    "pool": (pool, "i8", "i8"),
    "binary": (binary, "f32", "f32"),
    "select": (select, "f32", "f32"),
    "epilogue": (epilogue, "i8", "i8"),
    "conv2d": (conv2d, "i8", "i8"),
    "depthwise": (depthwise, "i8", "i8"),
}


@st.composite
def columns(draw: st.DrawFn) -> tuple[int, int, int]:
    """The first of some columns, how many they are, and those of a whole row."""
    pitch = draw(st.integers(2, 24))
    width = draw(st.integers(1, pitch))
    return draw(st.integers(0, pitch - width)), width, pitch


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12)
@given(columns(), columns(), st.integers(0, 9))
def test_columns_are_computed_as_dense_buffers_are(
    kind: str, x: tuple[int, int, int], y: tuple[int, int, int], seed: int
):
    emit, storage, out_storage = KINDS[kind]
    if kind in ("binary", "select"):
        # Both have whole rows, of one length.
        y = (y[2] - min(y[2], x[1]), min(y[2], x[1]), y[2])
        x = (x[0], y[1], x[2])
    random = np.random.default_rng(seed)
    arrays = {
        name: (random.normal(size=(SAMPLES, *SHAPE[1:], size)) * 40).astype(
            {"f32": np.float32, "i8": np.int8, "u8": np.uint8}[stored]
        )
        for name, stored, size in (("x", storage, x[2]), ("before", out_storage, y[2]))
    }
    found = [
        Case(storage, is_dense, x, y, out_storage).outputs(emit, arrays)
        for is_dense in (True, False)
    ]
    expected = found[0][0]
    for each in (*found[0], *found[1]):
        np.testing.assert_array_equal(each, expected)
    beside = np.ones(y[2], np.bool_)
    beside[y[0] : y[0] + y[1]] = False
    np.testing.assert_array_equal(
        expected.reshape(SAMPLES * ROWS, -1)[:, beside],
        arrays["before"].reshape(SAMPLES * ROWS, -1)[:, beside],
    )
