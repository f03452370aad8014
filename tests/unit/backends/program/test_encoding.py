"""The binary form of instructions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.instructions.field_range import bounds, code_names
from smalti.backends.instructions.instruction_set import BY_MNEMONIC, HEADER, INSTRUCTIONS, Field
from smalti.backends.program.encoding import (
    WORD,
    decode,
    decode_stream,
    encode,
    encode_stream,
    select,
    word_dtype,
)


def values_of(field: Field) -> st.SearchStrategy:
    """Every value that a field can hold, names for codes."""
    if field.kind == "real":
        return st.floats(allow_nan=False, width=32 if field.dtype == "<f4" else 64)
    low, high = bounds(field)
    if field.kind in ("storage", "enum"):
        return st.sampled_from(code_names(field)[low:])
    return st.integers(low, high) | st.sampled_from([low, high])


HEADER_VALUES = {
    f.name: values_of(f) for f in HEADER if f.name not in ("opcode", "engine", "reserved")
}


@pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=lambda i: i.mnemonic)
def test_words_are_packed_as_the_table_says(instruction):
    dtype = word_dtype(instruction)
    assert dtype.itemsize == WORD.itemsize == 128
    offset = 0
    for field in (*HEADER, *instruction.fields):
        assert dtype.fields is not None
        assert dtype.fields[field.name][1] == offset, field.name
        offset += np.dtype(field.dtype).itemsize


@settings(max_examples=50)
@given(st.data())
def test_what_is_encoded_is_decoded(data):
    instruction = data.draw(st.sampled_from(INSTRUCTIONS))
    fields = data.draw(
        st.fixed_dictionaries(HEADER_VALUES | {f.name: values_of(f) for f in instruction.fields})
    )
    engine = instruction.engine or data.draw(
        st.sampled_from(["dma_in", "dma_out", "matrix", "vector"])
    )
    word = encode(instruction.mnemonic, fields | {"engine": engine})
    found, decoded = decode(word[0])
    assert found is instruction
    assert decoded == fields | {"engine": engine, "opcode": instruction.opcode, "reserved": 0}


def test_a_stream_keeps_its_order(program):
    stream = program.streams[0]
    decoded = decode_stream(stream)
    again = encode_stream(
        (i.mnemonic, {k: v for k, v in f.items() if k not in ("opcode", "reserved")})
        for i, f in decoded
    )
    assert again.tobytes() == stream.tobytes()
    indices, words = select(stream, BY_MNEMONIC["load"])
    assert indices.tolist() == [0, 1]
    assert words["peer_core"].tolist() == [0, 2]


@pytest.mark.parametrize(
    ("mnemonic", "fields", "message"),
    [
        ("conv3d", {}, "no instruction 'conv3d'"),
        ("softmax", {"x": 0, "z": 1}, "has no field 'z'"),
        ("softmax", {"opcode": 1}, "has no field 'opcode'"),
        ("softmax", {"x": 0}, "'softmax' needs a value for its field 'out'"),
        ("softmax", {"x": -1}, "'x' is 0 to 4294967295 (byte address), got -1"),
        ("fill", {"dst": 2**32}, "'dst' is 0 to 4294967295 (byte address), got 4294967296"),
        ("fill", {"dst": 0, "count": 0}, "'count' is 1 to 4294967295 (elements), got 0"),
        ("fill", {"dst": 0, "count": 1, "type": "i9"}, "'type' is one of i8, u8,"),
        ("fill", {"dst": 0, "count": 1, "type": "none"}, "got none"),
        (
            "fill",
            {"dst": 0, "count": 1, "type": "i8", "value": float("nan")},
            "'value' is a number",
        ),
        ("fill", {"dst": 0, "count": 1.5}, "'count' is an integer, got 1.5"),
        ("sync", {}, "needs an engine"),
        ("fill", {"engine": "matrix"}, "runs on engine dma_in"),
    ],
)
def test_what_does_not_fit_is_named(mnemonic, fields, message):
    with pytest.raises(DiagnosticError) as error:
        encode(mnemonic, fields)
    assert message in str(error.value)


def test_unknown_codes_are_named(program):
    stream = program.streams[0].copy()
    stream["opcode"][3] = 999
    with pytest.raises(DiagnosticError, match="instruction 3 has the opcode 999"):
        decode_stream(stream)
    word = encode("fill", {"dst": 0, "count": 1, "type": "i8"}).view(
        word_dtype(BY_MNEMONIC["fill"])
    )
    word["type"] = 77
    with pytest.raises(DiagnosticError, match="'type' has the code 77"):
        decode(word.view(WORD)[0])
