"""The bytes that a pool says it accesses: those that its values depend on, counted one by one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.instructions.pooling import Pool
from smalti.backends.numerics.storage import bytes_of, dtype_of

X, OUT = 0x1000, 0x80000


def fields_of(**given_fields: Any) -> dict[str, Any]:
    """All fields of a pool; those that are not given have their defaults."""
    defaults = {field.name: field.default for field in Pool.fields}
    return defaults | {"kind": "max", "type": "i8", "x": X, "out": OUT} | given_fields


def bytes_of_accesses(f: dict[str, Any], write: bool) -> set[int]:
    """The addresses of all bytes that the instruction says it reads, or writes."""
    found: set[int] = set()
    for access in Pool.accesses(f):
        if access.write == write:
            assert access.space == "local"
            for first, last in access.intervals().tolist():
                found |= set(range(first, last))
    return found


def touched_bytes(f: dict[str, Any]) -> tuple[set[int], set[int]]:
    """The bytes of the input that an output depends on, and those that outputs take: by computing a maximum with each
    element in turn larger than all others.
    """
    (operand,) = Pool.reads(f)
    size = bytes_of(1, f["type"])
    images = np.eye(operand.elements, dtype=np.float32).astype(dtype_of(f["type"]))
    numbers = {name: value for name, value in f.items() if name not in ("x", "out")}
    outputs = Pool.numerics(images, **numbers).reshape(operand.elements, -1)
    seen = np.flatnonzero((outputs != 0).any(axis=1))
    return (
        {X + element * size + byte for element in seen.tolist() for byte in range(size)},
        {OUT + byte for byte in range(outputs.shape[1] * size)},
    )


@st.composite
def pools(draw: Any, gaps: bool) -> dict[str, Any]:
    """Pools of small images that are not square, with other windows, strides and pads along the height than along the
    width. Without `gaps` the windows cover the whole image.
    """
    f: dict[str, Any] = {
        "type": draw(st.sampled_from(["i8", "u8", "f16", "f32"])),
        "batch": draw(st.integers(1, 2)),
        "pitch": draw(st.sampled_from([1, 3, 4])),
    }
    for side, before, after in (("height", "top", "bottom"), ("width", "left", "right")):
        kernel = draw(st.integers(1, 3))
        dilation = draw(st.integers(1, 2)) if gaps else 1
        stride = draw(st.integers(1, 4 if gaps else kernel))
        output = draw(st.integers(1, 4))
        span = (output - 1) * stride + (kernel - 1) * dilation + 1
        pads = draw(st.integers(0, kernel - 1)), draw(st.integers(0, kernel - 1))
        beyond = draw(st.integers(0, 2)) if gaps else 0
        f |= {
            f"kernel_{side}": kernel, f"stride_{side}": stride, f"dilation_{side}": dilation,
            f"pad_{before}": pads[0], f"pad_{after}": pads[1], f"out_{side}": output,
            f"in_{side}": max(span - sum(pads), 1) + beyond,
        }  # fmt: skip
    if f["in_height"] == f["in_width"]:
        f["in_width"] += 1
        f["pad_right"] = max(f["pad_right"] - 1, 0)
        if not gaps:
            f["out_width"] += 1
    return fields_of(**f)


@settings(max_examples=40)
@given(pools(gaps=False))
def test_windows_without_gaps_touch_all_that_is_accessed(f: dict[str, Any]):
    read, written = touched_bytes(f)
    assert bytes_of_accesses(f, write=False) == read
    assert bytes_of_accesses(f, write=True) == written


@settings(max_examples=40)
@given(pools(gaps=True))
def test_nothing_else_is_touched(f: dict[str, Any]):
    read, written = touched_bytes(f)
    assert read <= bytes_of_accesses(f, write=False)
    assert bytes_of_accesses(f, write=True) == written


@pytest.mark.parametrize(
    ("given_fields", "read", "written"),
    [
        # 2x2 windows side by side on 6x10 pixels: 3x5 of them.
        ({"in_height": 6, "in_width": 10, "out_height": 3, "out_width": 5}, 6 * 10 * 16, 3 * 5 * 16),
        # Over a padded row above and below: 4x5 windows.
        ({"in_height": 6, "in_width": 10, "out_height": 4, "out_width": 5, "pad_top": 1,
          "pad_bottom": 1}, 6 * 10 * 16, 4 * 5 * 16),
        # Every row and every third column, two images of f32.
        ({"in_height": 5, "in_width": 8, "out_height": 4, "out_width": 3, "stride_height": 1,
          "stride_width": 3, "batch": 2, "type": "f32"}, 2 * 5 * 8 * 64, 2 * 4 * 3 * 64),
    ],
)  # fmt: skip
def test_bytes_of_pools_worked_out_by_hand(given_fields: dict[str, Any], read: int, written: int):
    windows = {"kernel_height": 2, "kernel_width": 2, "stride_height": 2, "stride_width": 2}
    f = fields_of(pitch=16, **(windows | given_fields))
    assert bytes_of_accesses(f, write=False) == set(range(X, X + read))
    assert bytes_of_accesses(f, write=True) == set(range(OUT, OUT + written))
