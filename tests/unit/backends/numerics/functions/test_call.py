"""Calls: what they are checked for, where operands lie in the frame, how they are written and read."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.backends.instructions.host_call import HostCall, call_error, operand_accesses
from smalti.backends.numerics.functions.call import Call
from smalti.backends.numerics.functions.function import (
    Function,
    FunctionError,
    Parameter,
    TensorKind,
    taken,
)
from smalti.backends.numerics.functions.registry import FUNCTIONS, register_functions
from smalti.backends.numerics.storage import STORAGE_NAMES, dtype_of

SHAPES = st.lists(st.integers(1, 4), max_size=3).map(tuple)
KINDS = st.builds(TensorKind, SHAPES, st.sampled_from(STORAGE_NAMES))


def test_frame():
    call = Call.of(
        "scatter_nd",
        [TensorKind((8, 4), "f32"), TensorKind((3, 1), "i64"), TensorKind((3, 4), "f32")],
    )
    assert call.offsets == (0, 128, 192) and call.frame_bytes == 192 + 48
    fields = {"call": 1, "x_segment": "scratch", "out_segment": "output", "x": 64, "x_bytes": 240, "out": 0,
              "out_bytes": 128}  # fmt: skip
    assert call_error(fields, [call], 0) is None
    assert [a.extent() for a in operand_accesses(fields, call)] == [
        (64, 192),
        (192, 216),
        (256, 304),
        (0, 128),
    ]
    assert [a.extent() for a in HostCall.accesses(fields)] == [(64, 304), (0, 128)]
    assert "the program has 1" in str(call_error(fields | {"call": 2}, [call], 0))
    assert "scatter_nd" in str(call_error(fields | {"x_bytes": 256}, [call], 0))


def test_constants_stay_among_the_weights():
    """They are no part of the frame, and the host reads them where they lie."""
    kinds = [TensorKind((8, 4), "f32"), TensorKind((3,), "i64")]
    call = Call.of("gather", kinds, {"axis": 0}).placed([64, None])
    assert call.offsets == (0,) and call.frame_bytes == 24 and call.in_weights == {0: 64}
    described = json.loads(json.dumps(call.to_json()))
    assert Call.from_parts(**described) == call
    table = np.arange(32, dtype=np.float32)
    weights = np.concatenate([np.zeros(64, np.uint8), table.view(np.uint8)])
    frames = np.array([[0, 7, -1], [1, 1, 2]]).view(np.uint8)
    found = call.loaded(weights).compute(frames)
    np.testing.assert_array_equal(found, table.reshape(8, 4)[[[0, 7, 7], [1, 1, 2]]])
    fields = {"call": 1, "x_segment": "input", "out_segment": "output", "x": 0, "x_bytes": 24, "out": 0,
              "out_bytes": 48}  # fmt: skip
    assert call_error(fields, [call], 192) is None
    assert "operand 0" in str(call_error(fields, [call], 191))
    assert [a.extent() for a in operand_accesses(fields, call)] == [(0, 24), (64, 192), (0, 48)]
    assert call.placed([None, None]) == Call.of("gather", kinds, {"axis": 0})


@given(st.lists(KINDS, min_size=1, max_size=4), st.data())
def test_operands_are_found_in_the_frame(kinds: list[TensorKind], data: st.DataObject):
    call = Call("any", tuple(kinds))
    frame = np.zeros((2, call.frame_bytes), np.uint8)
    arrays: list[np.ndarray] = []
    for kind, offset in zip(kinds, call.offsets, strict=True):
        number = data.draw(st.integers(0, 1))
        array = np.full((2, *kind.shape), number).astype(dtype_of(kind.storage))
        frame[:, offset : offset + kind.size_bytes] = array.reshape(2, -1).view(np.uint8)
        arrays.append(array)
    for got, wanted in zip(call.in_frame(frame), arrays, strict=True):
        assert got.dtype == wanted.dtype and got.shape == wanted.shape
        assert got.tobytes() == wanted.tobytes()  # NaN is one of the elements


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_written_and_read(name: str):
    operands, attributes = FUNCTIONS[name].example
    call = Call.of(name, operands, attributes)
    text = json.dumps(call.to_json())
    assert Call.from_parts(**json.loads(text)) == call


def test_defaults_are_left_out():
    x = [TensorKind((2, 3), "f32")]
    plain = Call.of("argmax", x)
    assert plain == Call.of("argmax", x, {"axis": 0, "keepdims": True}) and plain.attributes == ()
    assert hash(plain) == hash(Call.of("argmax", x, {"last": False}))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"axis": 1.0}, "attribute 'axis' must be an integer, got 1.0"),
        ({"axis": True}, "attribute 'axis' must be an integer, got True"),
        ({"axis": 2**70}, "must fit 64 bits"),
        ({"keepdims": 1}, "attribute 'keepdims' must be true or false, got 1"),
        ({"count": 1}, "argmax has no attribute 'count'"),
    ],
)
def test_wrong_attributes(given: dict[str, Any], words: str):
    with pytest.raises(FunctionError, match=words):
        Call.of("argmax", [TensorKind((2, 3), "f32")], given)


@pytest.mark.parametrize(
    ("operands", "words"),
    [
        ([("f32", [2, 3])], "it takes 2 operands"),
        ([("f33", [2, 3]), ("f32", [3])], "unknown storage type 'f33'"),
        ([("f32", [2, -3]), ("f32", [3])], "negative size"),
        ([("f32", [2, 3]), ("f32", [4])], "do not broadcast"),
    ],
)
def test_wrong_operands(operands: list[tuple[str, list[int]]], words: str):
    with pytest.raises(FunctionError, match=words):
        Call.from_parts("add", operands, {}, 0)


def test_nothing_is_allocated_for_a_huge_call():
    call = Call.from_parts("one_hot", [("i64", [2**40]), ("f64", [2])], {"depth": 2**40}, 0)
    assert call.result_kind.size_bytes == 2**83


def test_functions_of_plugins():
    scaled = Function(
        "scaled_by",
        "x times the sum of the factors.",
        lambda operands, attributes: list(taken(operands, "x")),
        lambda arrays, attributes: [arrays[0] * np.float32(sum(attributes["factors"]))],
        {"factors": Parameter(float, (1.0,), is_list=True)},
    )
    register_functions([scaled])
    try:
        x = [TensorKind((2,), "f32")]
        assert Call.of("scaled_by", x, {"factors": [1.0]}).attributes == ()
        call = Call.of("scaled_by", x, {"factors": [2.0, 3]})
        assert call.compute([np.ones((1, 2), np.float32)]).tolist() == [[5.0, 5.0]]
        with pytest.raises(FunctionError, match="must be a list, each a real"):
            Call.of("scaled_by", x, {"factors": 2.0})
        with pytest.raises(FunctionError, match="must fit 64 bits"):
            Call.of("scaled_by", x, {"factors": [10**400]})
        with pytest.raises(FunctionError, match="must be finite"):
            Call.of("scaled_by", x, {"factors": [float("inf")]})
        with pytest.raises(FunctionError, match="is taken"):
            register_functions([scaled])
    finally:
        del FUNCTIONS["scaled_by"]
