"""Views from tiles to the simulator: every stage computes the same, whatever the views share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.backends.program.assemble import assemble
from smalti.backends.simulator.simulate import simulate
from smalti.dialects import isa, tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import verify
from smalti.passes.tile.assign_addresses import AssignAddresses
from smalti.passes.tile.order_engines import OrderEngines
from smalti.passes.tile_to_isa.convert_tile_to_isa import ConvertTileToIsa
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from tests.unit.slabs import TwoRanges, copy, module_of, plus_one


def outputs_of_all_stages(module: ModuleOp, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Return y as the tile interpreter finds it before and after each pass, and as the simulator does."""
    ctx = make_context()
    verify(module)
    found = [run_tile(module, ctx.weights, inputs)["y"]]
    for each in (OrderEngines(), AssignAddresses()):
        each.run(ctx, module)
        verify(module)
        found.append(run_tile(module, ctx.weights, inputs)["y"])
    ConvertTileToIsa().run(ctx, module)
    verify(module)
    result = simulate(assemble(module, ctx), inputs, mode="functional", sanitize=True)
    assert result.outputs is not None
    return [*found, result.outputs["y"]]


def test_two_ranges_and_a_third_that_overlaps():
    x = np.random.default_rng(3).integers(-128, 128, (8, 64)).astype(np.int8)
    for y in outputs_of_all_stages(TwoRanges().module, {"x": x}):
        assert np.array_equal(y, TwoRanges.expected(x))


def test_the_address_of_a_view_is_that_of_its_buffer_and_its_offset():
    own = TwoRanges()
    module, ctx = own.module, make_context()
    AssignAddresses().run(ctx, module)
    assert own.slab.address is not None
    begin = own.slab.address.value.data
    ConvertTileToIsa().run(ctx, module)
    (program,) = module.ops
    assert isinstance(program, isa.ProgramOp)
    converts = [
        op for op in program.streams[0].instructions if op.instruction.mnemonic == "convert"
    ]
    outs = [op.values()["out"] for op in converts[:2]]
    assert outs == [begin, begin + 256] and converts[2].values()["x"] == begin + 128


SIZE, ROW = 96, 8
CORES = 2


@dataclass
class Step:
    """A step of a random program: a `kind` of work on `count` elements of the slabs of two cores, from `at` to `to`.
    With `rows`, a copy takes that many runs of `count` elements, each one element behind the other, and a computation
    on columns that many rows of a slab that is seen as rows of `ROW` elements.
    """

    kind: str
    core: int
    at: int
    to: int
    count: int
    rows: int
    in_views: bool

    @property
    def span(self) -> int:
        return self.rows * self.count + self.rows - 1


@st.composite
def steps(draw: st.DrawFn) -> Step:
    kind = draw(st.sampled_from(["load", "compute", "columns", "send", "fetch", "store", "fill"]))
    if kind == "columns":
        rows, count = draw(st.integers(2, SIZE // ROW)), draw(st.integers(1, ROW - 1))
        begin = [
            ROW * draw(st.integers(0, SIZE // ROW - rows)) + draw(st.integers(0, ROW - count))
            for _ in range(2)
        ]
        return Step(kind, draw(st.integers(0, 1)), *begin, count, rows, True)
    rows = draw(st.integers(1, 3)) if kind == "load" else 1
    count = draw(st.integers(1, (SIZE - rows + 1) // rows))
    last = SIZE - (rows * count + rows - 1)
    at, to = draw(st.integers(0, last)), draw(st.integers(0, last))
    return Step(kind, draw(st.integers(0, 1)), at, to, count, rows, draw(st.booleans()))


def random_program(chosen: list[Step], x: np.ndarray) -> tuple[ModuleOp, np.ndarray]:
    """Return a program of the steps, and its output y: what the steps store, then both slabs."""
    source = tile.GlobalOp("x", "input", (SIZE,), "i8")
    total = sum(step.count for step in chosen if step.kind == "store") + CORES * SIZE
    y = tile.GlobalOp("y", "output", (total,), "i8")
    slabs = [tile.AllocOp(core, (SIZE,), "i8") for core in range(CORES)]
    held = [x.copy() for _ in slabs]
    ops: list[Operation] = [source, y, *slabs]
    ops += [copy(core, source.output, slab.output, SIZE) for core, slab in enumerate(slabs)]
    stored: list[np.ndarray] = []

    def columns(core: int, offset: int, rows: int, count: int):
        ops.append(tile.ViewOp(slabs[core].output, (rows, count), offset=offset, pitch=ROW))
        return ops[-1].results[0]

    def view(core: int, offset: int, count: int):
        ops.append(tile.ViewOp(slabs[core].output, (1, count), offset=offset))
        return ops[-1].results[0]

    def end(core: int, offset: int, step: Step):
        """One end of a copy: a view, or a part of the slab itself."""
        return (view(core, offset, step.span), 0) if step.in_views else (slabs[core].output, offset)

    for step in chosen:
        core, other = step.core, 1 - step.core
        new = slice(step.to, step.to + step.count)
        old = slice(step.at, step.at + step.count)
        if step.kind == "fill":
            ops.append(tile.FillOp(core, view(core, step.to, step.count), value=7.0))
            held[core][new] = 7
        elif step.kind == "compute":
            a, b = view(core, step.at, step.count), view(core, step.to, step.count)
            ops.append(plus_one(core, a, b))
            sums = held[core][old].astype(np.int32) + 1
            held[core][new] = np.clip(sums, -128, 127)
        elif step.kind == "columns":
            # Each row is filled with the zero point, which is 1, up to its end.
            a, b = (columns(core, each, step.rows, step.count) for each in (step.at, step.to))
            ops.append(plus_one(core, a, b, columns=max(1, step.count - 1)))
            begins = ROW * np.arange(step.rows)[:, None] + np.arange(step.count)
            sums = held[core][step.at + begins].astype(np.int32) + 1
            sums[:, max(1, step.count - 1) :] = 1
            held[core][step.to + begins] = np.clip(sums, -128, 127)
        elif step.kind == "store":
            value, at = end(core, step.at, step)
            begin = sum(map(len, stored))
            ops.append(copy(core, value, y.output, step.count, at=at, to=begin))
            stored.append(held[core][old].copy())
        elif step.kind == "load":
            value, to = end(core, step.to, step)
            box = tile.CopyOp(
                core,
                source.output,
                value,
                source_offset=step.at,
                source_strides=[step.count, 1],
                target_offset=to,
                target_strides=[step.count + 1, 1],
                sizes=[step.rows, step.count],
            )
            ops.append(box)
            for row in range(step.rows):
                first = step.to + row * (step.count + 1)
                begin = step.at + row * step.count
                held[core][first : first + step.count] = x[begin : begin + step.count]
        else:
            (a, at), (b, to) = end(other, step.at, step), end(core, step.to, step)
            mover = other if step.kind == "send" else core
            ops.append(copy(mover, a, b, step.count, at=at, to=to))
            held[core][new] = held[other][old]
    for core, slab in enumerate(slabs):
        begin = sum(map(len, stored))
        ops.append(copy(core, slab.output, y.output, SIZE, to=begin))
        stored.append(held[core].copy())
    return module_of(ops), np.concatenate(stored)


@settings(max_examples=60)
@given(st.lists(steps(), max_size=12), st.integers(0, 9))
def test_random_views_mean_the_same_at_every_stage(chosen: list[Step], seed: int):
    x = np.random.default_rng(seed).integers(-128, 128, SIZE).astype(np.int8)
    module, expected = random_program(chosen, x)
    for y in outputs_of_all_stages(module, {"x": x}):
        assert np.array_equal(y, expected)


def test_a_view_of_what_no_step_wrote_is_refused():
    own = TwoRanges()
    module, ctx = own.module, make_context()
    for op in own.steps[:4]:
        op.detach()
        op.erase()
    AssignAddresses().run(ctx, module)
    with pytest.raises(DiagnosticError, match=r"tile\.convert: reads .*, which no step writes"):
        ConvertTileToIsa().run(ctx, module)
