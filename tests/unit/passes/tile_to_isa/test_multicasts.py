"""Multicasts of loads and of stores as instructions: they never deadlock, and mean what their copies mean."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.backends.program.assemble import assemble
from smalti.backends.program.program import Program
from smalti.backends.simulator.simulate import simulate
from smalti.backends.targets.target import Target
from smalti.dialects import tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import verify
from smalti.passes.tile.assign_addresses import AssignAddresses
from smalti.passes.tile_to_isa.convert_tile_to_isa import ConvertTileToIsa
from xdsl.dialects.builtin import ModuleOp

from tests.unit.passes.tile.test_assign_addresses import module_of

CORES, BUFFERS, SIZE = 4, 2, 128
BYTES = CORES * BUFFERS * SIZE
SHAPES: list[dict[str, Any]] = [
    {"sizes": [32], "source_strides": [1], "target_strides": [1]},
    {
        "sizes": [4, 8],
        "source_strides": [8, 1],
        "target_strides": [16, 1],
        "pad": 3,
        "pad_value": 7,
    },
    {"sizes": [3, 5], "source_strides": [0, 1], "target_strides": [9, 1]},
    {
        "sizes": [2, 2, 2, 2, 2, 2],
        "source_strides": [48, 24, 12, 6, 3, 1],
        "target_strides": [64, 32, 16, 8, 4, 1],
    },
]
"""Boxes of at most 128 elements on both sides; the last one takes several transfers."""


def program_of(steps: list[tile.CoreOp], declared: list[Any]) -> ModuleOp:
    """A program that fills all local buffers from its input, does `steps`, and writes all to its output."""
    x, y, w, *buffers = declared
    whole = {"sizes": [SIZE], "source_strides": [1], "target_strides": [1]}
    first, last = [], []
    for number, buffer in enumerate(buffers):
        core, place = buffer.core.value.data, number * SIZE
        first.append(tile.CopyOp(core, x.output, buffer.output, source_offset=place, **whole))
        last.append(tile.CopyOp(core, buffer.output, y.output, target_offset=place, **whole))
    return module_of(x, y, w, *buffers, *first, *steps, *last)


def declarations() -> list[Any]:
    return [
        tile.GlobalOp("x", "input", [BYTES], "i8"),
        tile.GlobalOp("y", "output", [BYTES], "i8"),
        tile.GlobalOp("w", "weights", [SIZE], "i8", seed=3),
        *(tile.AllocOp(core, [SIZE], "i8") for core in range(CORES) for _ in range(BUFFERS)),
    ]


@st.composite
def modules(draw: Any) -> ModuleOp:
    """Multicasts of both kinds among copies from core to core and transpositions, at random."""
    declared = declarations()
    _, _, w, *buffers = declared
    steps: list[tile.CoreOp] = []
    for group in range(1, draw(st.integers(6, 24))):
        core, own = draw(st.integers(0, CORES - 1)), draw(st.integers(0, BUFFERS - 1))
        source = buffers[core * BUFFERS + own]
        kind = draw(st.sampled_from(["loads", "stores", "stores", "copy", "transpose"]))
        if kind == "transpose":
            out = buffers[core * BUFFERS + (own + 1) % BUFFERS]
            steps.append(tile.PermuteOp(core, source.output, out.output, sizes=[1, 8, 16]))
            continue
        box = draw(st.sampled_from(SHAPES))
        members = draw(st.sets(st.integers(0, CORES - 1), min_size=1))
        receivers = draw(st.permutations(sorted(members)))
        if kind == "copy":
            receivers = receivers[:1]
        for receiver in receivers:
            place = draw(st.integers(0, BUFFERS - 1))
            if receiver == core and place == own:
                place = (own + 1) % BUFFERS
            steps.append(
                tile.CopyOp(
                    receiver if kind == "loads" else core,
                    (w if kind == "loads" else source).output,
                    buffers[receiver * BUFFERS + place].output,
                    **box,
                    group=None if kind == "copy" else group,
                )
            )
    return program_of(steps, declared)


def converted(module: ModuleOp) -> Program:
    """The program of a copy of the module."""
    copy, ctx = module.clone(), make_context()
    verify(copy)
    AssignAddresses().run(ctx, copy)
    ConvertTileToIsa().run(ctx, copy)
    verify(copy)
    return assemble(copy, ctx)


def without_groups(module: ModuleOp) -> ModuleOp:
    copy = module.clone()
    for op in copy.walk():
        if isinstance(op, tile.CopyOp):
            op.properties.pop("group", None)
    return copy


DATA = np.random.default_rng(5).integers(-128, 128, BYTES).astype(np.int8)


@pytest.mark.share(3)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(modules(), st.integers(1, 2), st.sampled_from([1, 2, 8]))
def test_programs_end_and_compute_the_same_without_groups(
    module: ModuleOp, repeat: int, outstanding: int
):
    """On engines that have few transfers under way, too: multicasts may have more members than that."""
    expected = run_tile(module, make_context().weights, {"x": DATA})["y"]
    for each in (module, without_groups(module)):
        program = converted(each)
        table = json.loads(program.target.to_json())
        table["dma"]["outstanding"] = outstanding
        program.target = Target.from_json(json.dumps(table))
        result = simulate(program, {"x": DATA}, mode="both", sanitize=True, repeat=repeat)
        assert result.outputs is not None
        np.testing.assert_array_equal(result.outputs["y"].ravel(), expected.ravel())
