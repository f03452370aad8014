"""Fields of instructions between values by name and the lists of an op, against the field by field rules."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.instructions.field_range import bounds, code_names, field_error
from smalti.backends.instructions.instruction_set import INSTRUCTIONS, Field, Instruction
from smalti.dialects.isa.field_values import FieldError, field_values


def _value(field: Field) -> st.SearchStrategy:
    """A value that the field can hold, as the table's functions take it."""
    if field.kind == "real":
        width = 32 if field.dtype == "<f4" else 64
        return st.floats(allow_nan=False, width=width)
    low, high = bounds(field)
    if field.kind in ("storage", "enum"):
        return st.sampled_from(code_names(field)[low:])
    return st.integers(low, high)


def _codes(instruction: type[Instruction], values: dict) -> tuple[list, list]:
    """The lists, field by field."""
    integers, reals = [], []
    for field in instruction.fields:
        value = values[field.name]
        if field.kind in ("storage", "enum"):
            value = code_names(field).index(value)
        (reals if field.kind == "real" else integers).append(value)
    return integers, reals


@settings(max_examples=150)
@given(data=st.data())
def test_there_and_back(data: st.DataObject):
    instruction = data.draw(st.sampled_from(INSTRUCTIONS))
    fields = field_values(instruction)
    values = {field.name: data.draw(_value(field)) for field in instruction.fields}
    integers, reals = fields.codes(values)
    assert (list(integers), list(reals)) == _codes(instruction, values)
    assert fields.by_name(integers, reals) == values
    assert fields.problem(integers, reals) is None
    given_fields = {n: v for n, v in values.items() if v != fields.defaults[n]}
    assert fields.codes(given_fields) == (integers, reals)


@settings(max_examples=150)
@given(data=st.data())
def test_a_problem_is_that_of_the_first_wrong_field(data: st.DataObject):
    instruction = data.draw(st.sampled_from([i for i in INSTRUCTIONS if i.fields]))
    fields = field_values(instruction)
    values = {field.name: data.draw(_value(field)) for field in instruction.fields}
    integers, reals = _codes(instruction, values)
    lists = ((fields.integer_fields, integers), (fields.real_fields, reals))
    for kinds, numbers in lists:
        for place in range(len(kinds)):
            if data.draw(st.booleans()):
                wrong = [-(2**70), 2**70, True, 1.5, "no such", math.nan]
                numbers[place] = data.draw(st.sampled_from(wrong))
    problems = [
        field_error(field, number)
        for kinds, numbers in lists
        for field, number in zip(kinds, numbers, strict=True)
    ]
    assert fields.problem(integers, reals) == next((p for p in problems if p), None)


def _instruction(mnemonic: str) -> type[Instruction]:
    return next(i for i in INSTRUCTIONS if i.mnemonic == mnemonic)


def test_messages():
    fill = field_values(_instruction("fill"))
    values = {"dst": 64, "count": 3, "type": "i8"}
    assert fill.codes(values)[1] == (0.0,)
    assert fill.codes({**values, "count": np.int64(3)}) == fill.codes(values)
    for more, message in (
        ({"extra": 1}, " has no field 'extra'"),
        ({"count": None}, " needs its field 'count'"),
        ({"count": 2**40}, ": field 'count' is 1 to 4294967295 (elements), got 1099511627776"),
        ({"type": "i5"}, ": field 'type' is one of i8, u8"),
    ):
        with pytest.raises(FieldError) as caught:
            fill.codes({**values, **more})
        assert str(caught.value).startswith(message)
    assert fill.problem([1, 2], [0.0]) == "it has 3 integer fields, got 2 values"
    assert fill.problem([1, 2, 3], []) == "it has 1 real fields, got 0 values"
