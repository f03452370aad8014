"""Large initializers stay in the model's file; whatever is not laid out as models are goes through protobuf whole."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.onnx_import.model.large_tensors import (
    LEAST_BYTES,
    OWN_FILE,
    without_large_tensors,
)

from tests.unit.compiler.onnx_import.onnx_models import (
    imported,
    model_of,
    random_input,
    run_imported,
)

SIZE = 160


def large_model() -> ModelProto:
    """A product of a large and an addition of a small constant."""
    constants = {"w": random_input(SIZE, SIZE), "b": random_input(SIZE)}
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Add", ["h", "b"], ["y"]),
    ]
    return model_of(nodes, {"x": (2, SIZE)}, constants=constants)


def outlined(model: ModelProto) -> ModelProto:
    small = without_large_tensors(memoryview(model.SerializeToString()))
    assert small is not None
    return onnx.load_from_string(small)


def test_large_data_are_left_in_the_file():
    model = large_model()
    data = model.SerializeToString()
    small = outlined(model)
    (kept,) = [tensor for tensor in small.graph.initializer if tensor.external_data]
    entries = {entry.key: entry.value for entry in kept.external_data}
    start, length = int(entries["offset"]), int(entries["length"])
    (whole,) = [tensor for tensor in model.graph.initializer if tensor.name == "w"]
    assert data[start : start + length] == whole.raw_data
    assert (kept.name, kept.dims, kept.data_type) == ("w", whole.dims, TensorProto.FLOAT)
    assert small.ByteSize() < 5000
    # All else is as it was.
    kept.CopyFrom(whole)
    assert small == model


def test_the_result_is_the_same(tmp_path: Path):
    model = large_model()
    onnx.save(model, tmp_path / "m.onnx")
    x = {"x": random_input(2, SIZE)}
    got = run_imported(tmp_path / "m.onnx", x)["y"]
    np.testing.assert_array_equal(got, run_imported(model, x)["y"])
    np.testing.assert_allclose(got, run_onnx(model, x)["y"], atol=1e-4)


def test_weights_of_a_file_are_not_copied(tmp_path: Path):
    onnx.save(large_model(), tmp_path / "m.onnx")
    _, ctx = imported(tmp_path / "m.onnx")
    base = ctx.weights.get("w")
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


def test_a_link_to_the_model(tmp_path: Path):
    """As in the caches of model hubs: the file that the link leads to is in another folder."""
    (tmp_path / "store").mkdir()
    (tmp_path / "model").mkdir()
    onnx.save(large_model(), tmp_path / "store" / "blob")
    (tmp_path / "model" / "m.onnx").symlink_to(tmp_path / "store" / "blob")
    assert run_imported(tmp_path / "model" / "m.onnx", {"x": random_input(2, SIZE)})["y"].any()


@pytest.mark.parametrize(
    ("data_type", "size"), [(TensorProto.FLOAT, -4), (TensorProto.FLOAT, 4), (99, 0)]
)
def test_wrong_data_are_diagnosed(tmp_path: Path, data_type: int, size: int):
    model = large_model()
    weight = model.graph.initializer[0]
    weight.raw_data = (weight.raw_data + bytes(4))[: len(weight.raw_data) + size]
    weight.data_type = data_type
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(DiagnosticError, match=r"'w'|element type") as caught:
        imported(tmp_path / "m.onnx")
    assert "external" not in str(caught.value)


def test_a_model_that_claims_to_hold_its_own_data(tmp_path: Path):
    """The key is ours, but a file may have it: what it asks for is checked as any external data are."""
    model = large_model()
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in {OWN_FILE: "1", "offset": "10", "length": str(4 * SIZE**2)}.items():
        weight.external_data.add(key=key, value=value)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(DiagnosticError, match="needs bytes 10 to"):
        imported(tmp_path / "m.onnx")
    with pytest.raises(DiagnosticError, match="no folder"):
        imported(model)


def test_what_stays_in_the_model():
    small = model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": (2,)})
    assert without_large_tensors(memoryview(small.SerializeToString())) is None
    packed = numpy_helper.from_array(np.zeros(1, np.float32), "w")
    packed.data_type, packed.raw_data = TensorProto.INT4, bytes(LEAST_BYTES)
    small.graph.initializer.append(packed)
    assert without_large_tensors(memoryview(small.SerializeToString())) is None
    small.graph.initializer[0].ClearField("raw_data")
    small.graph.initializer[0].float_data.extend([0.5] * LEAST_BYTES)
    assert without_large_tensors(memoryview(small.SerializeToString())) is None


DATA = large_model().SerializeToString()


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), max_size=6),
    st.integers(0, len(DATA)),
)
def test_damaged_bytes_never_raise(changes: list[tuple[int, int]], length: int):
    data = bytearray(DATA)
    for index, value in changes:
        # The tags and lengths stand at the start and behind the data; those bytes are what matters.
        data[index if index % 2 else index % 200] = value
    without_large_tensors(memoryview(data))
    without_large_tensors(memoryview(data)[:length])
