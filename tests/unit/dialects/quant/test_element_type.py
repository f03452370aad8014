"""Element types and their storage names, both ways."""

import pytest
from smalti.backends.numerics.storage import STORAGE_NAMES
from smalti.dialects.quant import calibrated, uniform
from smalti.dialects.quant.element_type import (
    element_storage,
    expressed,
    is_float,
    is_quantized,
    type_bytes,
    type_of_storage,
)
from xdsl.dialects.builtin import IndexType, IntegerType, MemRefType, TensorType, f32, i8


@pytest.mark.parametrize("name", STORAGE_NAMES)
def test_every_storage_type_has_a_builtin_type(name: str):
    assert element_storage(type_of_storage(name)) == name
    assert element_storage(MemRefType(type_of_storage(name), [2])) == name


def test_quantized_and_calibrated_types():
    quantized, seen = uniform("u8", 0.5), calibrated(f32, 0.0, 1.0)
    assert element_storage(TensorType(quantized, [2])) == "u8" and is_quantized(quantized)
    assert element_storage(seen) == "f32" and is_float(seen)
    assert expressed(seen) == f32 and expressed(quantized) == quantized


@pytest.mark.parametrize("type", [IndexType(), IntegerType(5), uniform("u4", 0.5)])
def test_types_without_storage_are_told(type):
    with pytest.raises(ValueError, match="no storage type"):
        element_storage(type)


def test_bytes():
    assert type_bytes(TensorType(f32, [2, 3])) == 24
    assert type_bytes(MemRefType(i8, [5])) == 5
    with pytest.raises(ValueError, match="is not known"):
        type_bytes(TensorType(f32, [-1]))
    with pytest.raises(ValueError, match="unknown storage type"):
        type_of_storage("i3")
