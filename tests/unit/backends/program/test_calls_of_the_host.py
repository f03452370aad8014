"""Calls of the host in programs: written, read, and refused if they are damaged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.instructions.instruction_set import BY_MNEMONIC
from smalti.backends.program import container
from smalti.backends.program.assemble import assemble, disassemble
from smalti.backends.program.check import check_program
from smalti.backends.program.encoding import WORD, select
from smalti.backends.program.program import Program
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module

TEXT = """
isa.program @calls target("edge-1c", "sha256:f987424c11ff92f3") counters(0)
    segments(weights = 0, input = 128, output = 128, scratch = 128)
    calls(neg(i64[4]), top_k(f32[2, 5]) with {count = 2, largest = false} result 1)
    inputs("x" i64[4] at 0, "z" f32[2, 5] at 64) outputs("y" i64[4] at 0, "w" i64[2, 2] at 64) {
  isa.stream core(0) local(0) acc(0) {
    s0: host_call call=1, x_segment=input, out_segment=output, x=0x0, x_bytes=32, out=0x0, out_bytes=32
    s1: host_call call=2, x_segment=input, out_segment=output, x=0x40, x_bytes=40, out=0x40, out_bytes=32
  }
}
"""


@pytest.fixture
def program() -> Program:
    """Two calls."""
    context = make_context()
    return assemble(parse_module(TEXT, context, "calls"), context)


def test_written_and_read(program: Program):
    data = container.write(program)
    loaded = container.read(data)
    assert loaded.calls == program.calls and container.write(loaded) == data
    context = make_context()
    assert (
        container.write(assemble(parse_module(disassemble(loaded), context, "again"), context))
        == data
    )


def damaged(program: Program, change: Any) -> bytes:
    """The file with other calls, its checksums right."""
    data = container.write(program)
    length = int.from_bytes(data[16:24], "little")
    sections = {
        each["name"]: memoryview(data)[each["offset"] : each["offset"] + each["size"]]
        for each in json.loads(data[64 : 64 + length])
    }
    description = json.loads(bytes(sections["program"]))
    description["calls"] = change(description["calls"])
    sections["program"] = memoryview(json.dumps(description).encode())
    return b"".join(container._pack(sections))


CALLS = {
    "unknown": ({"function": "system"}, "there is no function 'system'"),
    "attribute": ({"attributes": {"depth": 3}}, "neg has no attribute 'depth'"),
    "operands": ({"operands": []}, "it takes 1 operand"),
    "storage": ({"operands": [["i65", [4]]]}, "unknown storage type 'i65'"),
    "negative": ({"operands": [["i64", [-4]]]}, "should"),
    "huge": ({"operands": [["i64", [2**62]]]}, "field 'x_bytes' is 32"),
    "bool": ({"operands": [["i64", [True]]]}, "should"),
    "text": ({"operands": [["i64", "4"]]}, "should"),
    "result": ({"result": 1}, "neg has 1 results, there is none 1"),
    "type": ({"operands": [["u8", [32]]]}, "neg: x has elements of u8"),
    "more": ({"more": 1}, "should"),
    "deep": ({"attributes": {"depth": [[1]]}}, "should"),
}


@pytest.mark.parametrize("name", CALLS)
def test_damaged_calls(program: Program, name: str):
    change, message = CALLS[name]
    with pytest.raises(DiagnosticError) as error:
        container.read(damaged(program, lambda calls: [calls[0] | change, *calls[1:]]))
    assert message in str(error.value)


def test_missing_calls(program: Program):
    with pytest.raises(DiagnosticError, match="field 'call' names call 2, the program has 1"):
        container.read(damaged(program, lambda calls: calls[:1]))
    with pytest.raises(DiagnosticError):
        container.read(damaged(program, lambda calls: {"calls": calls}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.sampled_from(["function", "operands", "attributes", "result"]), JSON)
def test_any_damage_is_a_diagnostic_or_nothing(key: str, value: Any):
    context = make_context()
    made = assemble(parse_module(TEXT, context, "calls"), context)
    try:
        container.read(damaged(made, lambda calls: [calls[0], calls[1] | {key: value}]))
    except DiagnosticError as error:
        assert error.message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"call": 0}, "'call' is 1 to"),
        ({"call": 3}, "field 'call' names call 3, the program has 2"),
        ({"x_bytes": 40}, "field 'x_bytes' is 40, neg(i64[4]) has 32"),
        ({"out_bytes": 16}, "field 'out_bytes' is 16"),
        ({"x": 112}, "field 'x': it reads bytes 0x70 to 0x90 of segment 'input'"),
        ({"out": 2**62}, "field 'out': it writes bytes"),
        ({"out_segment": 0}, "out_segment one of output, scratch"),
        ({"x_segment": 7}, "'x_segment' is one of"),
    ],
)
def test_fields(program: Program, values: dict[str, int], message: str):
    indices, words = select(program.streams[0], BY_MNEMONIC["host_call"])
    for name, value in values.items():
        words[name][0] = value
    program.streams[0][indices] = words.view(WORD)
    with pytest.raises(DiagnosticError) as error:
        check_program(program)
    assert message in str(error.value)
