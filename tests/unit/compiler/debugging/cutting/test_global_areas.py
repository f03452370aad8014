"""Extraction of instructions where addresses of global memory are used again."""

import numpy as np
from smalti.dialects import tile

from tests.unit.compiler.debugging.cutting.test_local_crossings import (
    BOX,
    LENGTH,
    MADE,
    RESULT,
    ROWS,
    convert,
    extracted,
    lowered,
)
from tests.unit.passes.tile.test_assign_addresses import module_of


def test_two_values_that_are_read_at_one_address_are_two_inputs():
    """Core 0 makes what core 1 reads, twice, in one place."""
    x = tile.GlobalOp("x", "input", [2, LENGTH], "i8")
    y = tile.GlobalOp("y", "output", [2, LENGTH], "i8")
    ops, steps = [x, y], []
    for row in range(2):
        between = tile.GlobalOp(f"between{row}", "scratch", [LENGTH], "i8", address=0)
        own, made, read, result = (tile.AllocOp(core, [1, LENGTH], "i8") for core in (0, 0, 1, 1))
        ops += [between, own, made, read, result]
        at, to = {"source_offset": row * LENGTH}, {"target_offset": row * LENGTH}
        steps += [
            tile.CopyOp(0, x.output, own.output, origin="a", **BOX, **at),
            convert(0, own, made, 5 + row, "a"),
            tile.CopyOp(0, made.output, between.output, origin="a", **BOX),
            tile.CopyOp(1, between.output, read.output, origin="b", **BOX),
            convert(1, read, result, -3, "b"),
            tile.CopyOp(1, result.output, y.output, origin="b", **BOX, **to),
        ]
    module, ctx = lowered(module_of(*ops, *steps))
    _, inputs, outputs = extracted(module, ctx, {"x": ROWS}, "b")
    assert list(inputs) == ["scratch_0x0", "scratch_0x0_2"]
    for value, row in zip(inputs.values(), MADE, strict=True):
        np.testing.assert_array_equal(value.view(np.int8), row)
    np.testing.assert_array_equal(outputs["y"], RESULT)


def test_a_value_whose_place_is_taken_bit_by_bit_is_one_input():
    """Core 0 writes over its half before core 1 reads the other."""
    x = tile.GlobalOp("x", "input", [2, LENGTH], "i8")
    y = tile.GlobalOp("y", "output", [2, LENGTH], "i8")
    between = tile.GlobalOp("between", "scratch", [2, LENGTH], "i8", address=0)
    over = tile.GlobalOp("over", "scratch", [LENGTH], "i8", address=0)
    whole = tile.AllocOp(2, [2, LENGTH], "i8")
    halves = [tile.AllocOp(core, [1, LENGTH], "i8") for core in (0, 1)]
    both = {**BOX, "sizes": [2 * LENGTH]}
    steps = [
        tile.CopyOp(2, x.output, whole.output, origin="a", **both),
        tile.CopyOp(2, whole.output, between.output, origin="a", **both),
    ]
    for core, half in enumerate(halves):
        at = {"source_offset": core * LENGTH}
        steps.append(tile.CopyOp(core, between.output, half.output, origin="b", **BOX, **at))
    steps.append(tile.CopyOp(0, halves[0].output, over.output, origin="b", **BOX))
    for core, half in enumerate(halves):
        to = {"target_offset": core * LENGTH}
        steps.append(tile.CopyOp(core, half.output, y.output, origin="b", **BOX, **to))
    module, ctx = lowered(module_of(x, y, between, over, whole, *halves, *steps))
    _, inputs, outputs = extracted(module, ctx, {"x": ROWS}, "b")
    assert list(inputs) == ["scratch_0x0"]
    np.testing.assert_array_equal(inputs["scratch_0x0"].view(np.int8), ROWS.reshape(-1))
    np.testing.assert_array_equal(outputs["y"], ROWS)


def test_a_call_of_the_host_reads_and_writes_global_memory():
    x = tile.GlobalOp("x", "input", [4, 10], "f32")
    between = tile.GlobalOp("between", "scratch", [4], "i64")
    local = tile.AllocOp(0, [4], "i64")
    y = tile.GlobalOp("y", "output", [4], "i64")
    box = {**BOX, "sizes": [4]}
    call = tile.HostCallOp(
        0,
        [x.output],
        between.output,
        function="argmax",
        attributes={"axis": 1, "keepdims": False},
        origin="call",
    )
    load = tile.CopyOp(0, between.output, local.output, origin="rest", **box)
    store = tile.CopyOp(0, local.output, y.output, origin="rest", **box)
    module, ctx = lowered(module_of(x, between, local, y, call, load, store))
    values = {"x": np.random.default_rng(0).normal(size=(4, 10)).astype(np.float32)}
    _, inputs, outputs = extracted(module, ctx, values, "call")
    assert list(inputs) == ["x"] and list(outputs) == ["scratch_0x0"]
    found = outputs["scratch_0x0"].view(np.int64)
    np.testing.assert_array_equal(found, values["x"].argmax(axis=1))
    _, inputs, outputs = extracted(module, ctx, values, "rest")
    np.testing.assert_array_equal(inputs["scratch_0x0"].view(np.int64), found)
    np.testing.assert_array_equal(outputs["y"], found)
