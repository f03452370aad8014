"""Formulas on columns give what they give for each instruction by itself."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.instructions.columns import extent
from smalti.backends.instructions.field_range import bounds, code_names
from smalti.backends.instructions.instruction_set import (
    ENGINES,
    INSTRUCTIONS,
    Access,
    Field,
    Instruction,
)
from smalti.backends.program.encoding import columns_of, decode_stream, encode
from smalti.backends.simulator.timing.costs import merged_runs
from smalti.backends.targets.target import load_target

TARGET = load_target("default-8c")


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Values that a field can hold, small ones, so that all products stay exact in f64."""
    if field.kind == "real":
        return st.just(1.0)
    low, high = bounds(field)
    if field.kind in ("storage", "enum"):
        return st.sampled_from(code_names(field)[low:])
    small = st.integers(max(low, -40), min(high, 40))
    return small if field.default is None else small | st.just(int(field.default))


@st.composite
def streams(draw: Any, kind: type[Instruction]) -> np.ndarray:
    """A few instructions of one class."""
    words = []
    for _ in range(draw(st.integers(1, 6))):
        fields = {field.name: draw(values_of(field)) for field in kind.fields}
        fields["engine"] = kind.engine or draw(st.sampled_from(ENGINES))
        words.append(encode(kind.mnemonic, fields))
    return np.concatenate(words)


def shown(access: Access, place: int | None = None) -> tuple[Any, ...]:
    """An access, of columns the one at `place`, as plain numbers."""

    def at(value: Any) -> int:
        if place is None or np.ndim(value) == 0:
            return int(value)
        return int(value[place])

    spots = (access.address, access.run_bytes, *access.counts, *access.strides, *extent(access))
    fixed = (access.space, access.core, access.segment, access.write)
    return (*fixed, *(at(value) for value in spots))


@pytest.mark.parametrize("kind", INSTRUCTIONS, ids=lambda kind: kind.mnemonic)
@settings(max_examples=25)
@given(data=st.data())
def test_columns_are_many_instructions(kind: type[Instruction], data: st.DataObject):
    stream = data.draw(streams(kind))
    decoded = decode_stream(stream)
    seen: list[int] = []
    for columns in columns_of(stream):
        places = range(len(columns.numbers))
        numbers = columns.numbers.tolist()
        seen += numbers
        assert numbers == sorted(numbers) and columns.instruction is kind
        accesses = kind.accesses(columns.fields)
        for place, number in zip(places, numbers, strict=True):
            single = kind.accesses(decoded[number][1])
            assert [shown(a) for a in single] == [shown(a, place) for a in accesses]
        try:
            cycles = np.broadcast_to(kind.cycles(columns.fields, TARGET), len(numbers))
        except DiagnosticError:
            for number in numbers:
                with pytest.raises(DiagnosticError):
                    kind.cycles(decoded[number][1], TARGET)
        else:
            assert cycles.tolist() == [kind.cycles(decoded[n][1], TARGET) for n in numbers]
    assert sorted(seen) == list(range(len(stream)))


def merged_one_by_one(run: int, counts: list[int], strides: list[int]) -> tuple[int, int]:
    runs = 1
    for stride, count in sorted((abs(s), c) for s, c in zip(strides, counts, strict=True) if c > 1):
        if stride == run and runs == 1:
            run *= count
        else:
            runs *= count
    return run, runs


@settings(max_examples=50)
@given(st.data())
def test_runs_that_touch_are_one(data: st.DataObject):
    n = data.draw(st.integers(1, 5))
    table = st.lists(st.lists(st.integers(1, 4), min_size=4, max_size=4), min_size=n, max_size=n)
    run = data.draw(st.lists(st.integers(1, 4), min_size=n, max_size=n))
    counts, steps = data.draw(table), data.draw(table)
    strides = [[4**a * data.draw(st.sampled_from([1, 2, -1])) for a in row] for row in steps]
    lengths, separate = merged_runs(np.array(run), np.array(counts), np.array(strides))
    expected = [merged_one_by_one(*row) for row in zip(run, counts, strides, strict=True)]
    assert list(zip(lengths.tolist(), separate.tolist(), strict=True)) == expected
