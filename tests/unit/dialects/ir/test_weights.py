"""The weight store: what goes in comes out, files stay valid, and damaged files are told, not
trusted.
"""

import json
import os

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import deserialize
from safetensors.numpy import load_file, save_file
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.numerics.storage import SMALL_NAMES, dtype_of
from smalti.dialects import top
from smalti.dialects.ir.weights import WeightStore, keys_used, seeded
from smalti.dialects.network.constant import value_of
from smalti.dialects.quant import uniform
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, TensorType, bf16, f32, i1, i8


@pytest.fixture
def store() -> WeightStore:
    filled = WeightStore()
    filled.add("a", np.arange(6, dtype=np.float32).reshape(2, 3))
    filled.add("b", np.array([1, -2], dtype=np.int8))
    filled.add("c", np.array([0.5, 1.5], dtype=ml_dtypes.bfloat16))
    return filled


def test_the_same_value_keeps_its_key_and_another_gets_a_suffix(store: WeightStore):
    assert store.add("b", np.array([1, -2], dtype=np.int8)) == "b"
    assert store.add("b", np.array([1, -2], dtype=np.int16)) == "b_1"
    assert store.add("b", np.array([3, 4], dtype=np.int8)) == "b_2"
    assert store.add("b", np.array([3, 4], dtype=np.int8)) == "b_2"
    assert store.keys() == ["a", "b", "c", "b_1", "b_2"]


def test_values_cannot_be_changed(store: WeightStore, tmp_path):
    given_array = np.zeros(3, np.float32)
    store.add("z", given_array)
    given_array[0] = 1
    assert store.get("z")[0] == 0
    store.save(tmp_path / "w.safetensors")
    opened = WeightStore()
    opened.open(tmp_path / "w.safetensors")
    for values in (store.get("z"), opened.get("z")):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1


def test_files_are_those_of_the_safetensors_library(store: WeightStore, tmp_path):
    path = tmp_path / "w.safetensors"
    assert store.changed
    store.save(path)
    assert not store.changed and store.holds(path, ["a", "b"]) and not store.holds(path, ["d"])
    read = load_file(path)
    assert set(read) == {"a", "b", "c"}
    np.testing.assert_array_equal(read["a"], store.get("a"))
    save_file({"x": np.arange(4, dtype=np.uint16)}, tmp_path / "x.safetensors")
    opened = WeightStore()
    opened.open(tmp_path / "x.safetensors")
    assert opened.info("x") == ("u16", (4,))
    np.testing.assert_array_equal(opened.get("x"), np.arange(4, dtype=np.uint16))


def test_saving_over_the_opened_file_keeps_the_mapped_tensors(store: WeightStore, tmp_path):
    path = tmp_path / "w.safetensors"
    store.save(path)
    opened = WeightStore()
    opened.open(path)
    opened.add("new", np.ones(5, np.float32))
    opened.save(path)
    np.testing.assert_array_equal(opened.get("a"), store.get("a"))
    again = WeightStore()
    again.open(path)
    assert sorted(again.keys()) == ["a", "b", "c", "new"]
    np.testing.assert_array_equal(again.get("a"), store.get("a"))
    assert os.listdir(tmp_path) == ["w.safetensors"]


def test_the_same_tensors_give_the_same_bytes(store: WeightStore, tmp_path):
    other = WeightStore()
    for key in reversed(store.keys()):
        other.add(key, store.get(key))
    store.save(tmp_path / "1")
    other.save(tmp_path / "2")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def header(**table) -> bytes:
    text = json.dumps(table).encode()
    return len(text).to_bytes(8, "little") + text


DAMAGED = {
    "empty": b"",
    "5 bytes": b"12345",
    "header claims": (1 << 62).to_bytes(8, "little"),
    "no JSON": (4).to_bytes(8, "little") + b"{{{{",
    "no table": (2).to_bytes(8, "little") + b"[]",
    "not complete": header(a={"dtype": "F32"}),
    "no count": header(a={"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}),
    "of type 'F4'": header(a={"dtype": "F4", "shape": [1], "data_offsets": [0, 4]}),
    "its shape": header(a={"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}),
    "ends at byte": header(a={"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}),
}


@pytest.mark.parametrize("message", DAMAGED)
def test_damaged_files_are_told(message: str, tmp_path):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(DAMAGED[message])
    with pytest.raises(DiagnosticError, match="not a valid safetensors file") as caught:
        WeightStore().open(path)
    assert message in str(caught.value) or message in ("empty", "5 bytes")


@settings(max_examples=50)
@given(position=st.integers(0, 300), bit=st.integers(0, 7))
def test_a_flipped_bit_is_told_or_harmless(position, bit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("flipped")
    filled = WeightStore()
    filled.add("a", np.arange(6, dtype=np.float32))
    filled.save(folder / "w")
    data = bytearray((folder / "w").read_bytes())
    data[position % len(data)] ^= 1 << bit
    (folder / "w").write_bytes(bytes(data))
    opened = WeightStore()
    try:
        opened.open(folder / "w")
    except DiagnosticError:
        return
    for key in list(opened.keys()):
        opened.get(key)


def test_missing_files_and_keys_are_told(store: WeightStore, tmp_path):
    with pytest.raises(DiagnosticError, match="cannot read the weights"):
        store.open(tmp_path / "none.safetensors")
    with pytest.raises(DiagnosticError, match="no weight 'none'"):
        store.get("none")
    with pytest.raises(DiagnosticError, match="cannot write"):
        store.save(tmp_path / "nowhere" / "w.safetensors")


def test_seeds_reproduce_their_values():
    first = seeded(7, (3, 2), "f32")
    np.testing.assert_array_equal(first, seeded(7, (3, 2), "f32"))
    assert first.dtype == np.float32 and not np.array_equal(first, seeded(8, (3, 2), "f32"))
    assert seeded(1, (100,), "i8").min() >= -127
    assert seeded(1, (4,), "bool").dtype == np.bool_
    assert seeded(1, (4,), "bf16").dtype == ml_dtypes.bfloat16


def test_values_of_weights(store: WeightStore):
    keyed = top.WeightOp("k", type=TensorType(f32, [2, 3]), key="a")
    np.testing.assert_array_equal(value_of(keyed, store), store.get("a"))
    q = top.WeightOp("q", type=TensorType(uniform("i8", 0.5), [2]), key="b")
    np.testing.assert_array_equal(value_of(q, store), [1, -2])
    half = TensorType(bf16, [2])
    value = DenseIntOrFPElementsAttr.from_list(half, [0.5, 2.0])
    np.testing.assert_array_equal(
        value_of(top.WeightOp("v", type=half, value=value), store).astype(float), [0.5, 2.0]
    )
    truth = TensorType(i1, [3])
    value = DenseIntOrFPElementsAttr.from_list(truth, [1, 0, 1])
    np.testing.assert_array_equal(
        value_of(top.WeightOp("t", type=truth, value=value), store), [True, False, True]
    )
    assert keys_used(iter([keyed, q])) == ["a", "b"]


def test_a_weight_of_another_type_than_the_store_has_is_told(store: WeightStore):
    wrong = top.WeightOp("w", type=TensorType(i8, [2, 3]), key="a")
    with pytest.raises(DiagnosticError, match=r"is f32 \[2, 3\] in the store, the op says i8"):
        value_of(wrong, store)
    missing = top.WeightOp("w", type=TensorType(i8, [2, 3]), key="none")
    with pytest.raises(DiagnosticError, match="no weight 'none'"):
        value_of(missing, store)


def test_only_what_nobody_can_write_to_is_kept_without_a_copy():
    store = WeightStore()

    def kept(name: str, array: np.ndarray) -> bool:
        return np.shares_memory(store.get(store.add(name, array)), array)

    owned = np.arange(6, dtype=np.float32)
    view_of_writable = owned[1:]
    view_of_writable.flags.writeable = False
    assert not kept("writable", owned)
    assert not kept("view", view_of_writable)
    assert not kept("bytearray", np.frombuffer(bytearray(8), np.uint8))
    constant = np.arange(6, dtype=np.float32)
    constant.flags.writeable = False
    assert kept("constant", constant)
    assert kept("view of a constant", constant[2:])
    assert not kept("strided", constant[::2])
    assert kept("bytes", np.frombuffer(b"12345678", np.uint8))
    owned[1] = 7
    assert store.get("view")[0] == 1


def test_small_elements_share_bytes_in_files(store: WeightStore, tmp_path):
    path = tmp_path / "w.safetensors"
    arrays = {
        name: (np.arange(15) % 4).astype(np.float32).astype(dtype_of(name)).reshape(3, 5)
        for name in SMALL_NAMES
    }
    for name, array in arrays.items():
        store.add(name, array)
    store.save(path)
    sizes = {name: len(each["data"]) for name, each in deserialize(path.read_bytes())}
    assert (sizes["i4"], sizes["u2"], sizes["f4E2M1FN"], sizes["f6E2M3FN"]) == (8, 4, 8, 12)
    opened = WeightStore()
    opened.open(path)
    for name, array in arrays.items():
        assert opened.info(name) == (name, (3, 5))
        assert opened.get(name).tobytes() == array.tobytes()
    opened.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        ("7", "no table of tensors"),
        ('{"t": ["f32", [2]]}', "says of 't' no type"),
        ('{"t": ["i4", [2, -1]]}', "says of 't' no type"),
        ('{"t": ["i4", [5]]}', "2 elements of u8, 3 bytes are needed"),
    ],
)
def test_damaged_tables_of_small_elements_are_told(packed: str, message: str, tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"t": np.zeros(2, np.uint8)}, path, {"smalti.packed": packed})
    with pytest.raises(DiagnosticError, match=message):
        WeightStore().open(path)


@pytest.mark.parametrize("name", SMALL_NAMES)
def test_seeds_give_small_elements(name: str):
    values = seeded(3, (50,), name)
    assert values.dtype == dtype_of(name) and len(np.unique(values.astype(np.float32))) > 1
