"""Pieces of programs whose steps share buffers through views: they take the views along, and what other steps wrote."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.interpreter.tile.interpreter import run_tile
from smalti.compiler.debugging import listing_reduction
from smalti.compiler.debugging.cutting.extraction import extract
from smalti.compiler.debugging.cutting.selection import Selection
from smalti.compiler.debugging.experiment import IrExperiment
from smalti.dialects import tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import verify
from smalti.dialects.ir.verifier import first_error

from tests.unit.slabs import ROW, TwoRanges


@pytest.fixture
def whole() -> IrExperiment:
    """The program whose slab keeps the tensor m."""
    return IrExperiment((), TwoRanges("m").module, make_context())


@pytest.fixture
def x() -> np.ndarray:
    """The network's input, i8 [8, 64]."""
    return np.random.default_rng(5).integers(-128, 120, (8, ROW)).astype(np.int8)


def run(part: IrExperiment, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    verify(part.module)
    return run_tile(part.module, part.ctx.weights, inputs)


def test_those_who_read_a_slab_get_it_as_an_input(whole: IrExperiment, x: np.ndarray):
    part, values = extract(whole, Selection(ops=("y",)), {"x": x})
    assert list(values) == ["m"]
    assert np.array_equal(values["m"], x + 1)
    assert np.array_equal(run(part, values)["y"], TwoRanges.expected(x))
    # The views of what was written go, the others stay.
    views = [op for op in part.module.walk() if isinstance(op, tile.ViewOp)]
    assert len(views) == 2


def test_those_who_write_a_slab_have_it_as_an_output(whole: IrExperiment, x: np.ndarray):
    part, values = extract(whole, Selection(ops=("m",)), {"x": x})
    results = run(part, values)
    assert list(results) == ["m"] and np.array_equal(results["m"], x + 1)


def test_what_is_missing_of_a_slab_is_loaded_before_other_parts_are_written(
    whole: IrExperiment, x: np.ndarray
):
    part = listing_reduction.keep(whole, [0, 1, 4, 5, 6, 7])
    m = np.full((8, ROW), 50, np.int8)
    y = run(part, {"x": x, "m": m})["y"]
    expected = np.concatenate((x[:2] + 1, x[2:4] + 2, m[4:6] + 1, m[6:]))
    assert np.array_equal(y, expected)


def test_a_slab_that_is_written_in_part_is_no_output(whole: IrExperiment):
    part = listing_reduction.keep(whole, [0, 1])
    verify(part.module)
    names = [op.buffer_name.data for op in part.module.walk() if isinstance(op, tile.GlobalOp)]
    assert names == ["x"]


def test_every_choice_of_steps_is_a_program(whole: IrExperiment, x: np.ndarray):
    """At most the output has holes, or a buffer that keeps no tensor is read before it is written."""
    ran = 0
    for count in range(9):
        for kept in combinations(range(8), count):
            part = listing_reduction.keep(whole, kept)
            wrong = first_error(part.module)
            if wrong is not None:
                assert "no step writes" in wrong[1]
                continue
            try:
                run_tile(part.module, part.ctx.weights, _inputs(part, x))
                ran += 1
            except DiagnosticError as error:
                assert "nobody wrote" in str(error)
    assert ran > 20


def _inputs(part: IrExperiment, x: np.ndarray) -> dict[str, np.ndarray]:
    ports = [op for op in part.module.walk() if isinstance(op, tile.GlobalOp)]
    return {op.buffer_name.data: x for op in ports if op.segment.data == "input"}
