"""A memory by identity: one call for one object, never a result of another one."""

import gc

import pytest
from smalti.dialects.ir import identity_cache
from smalti.dialects.ir.attribute import integer, ints, real, reals, values_of
from smalti.dialects.ir.identity_cache import by_identity
from smalti.dialects.quant.element_type import element_storage, type_bytes, type_shape
from smalti.dialects.tile import buffer_type
from xdsl.dialects.builtin import IntAttr, TensorType, f16, f32


def test_the_function_is_called_once_for_an_object():
    calls = []

    @by_identity
    def double(attribute: IntAttr) -> int:
        """Twice the number."""
        calls.append(attribute)
        return 2 * attribute.data

    first, second = IntAttr(3), IntAttr(3)
    assert [double(first), double(first), double(second)] == [6, 6, 6]
    assert len(calls) == 2
    assert double.__doc__ == "Twice the number."


def test_an_object_that_takes_the_place_of_a_dead_one_gets_its_own_result(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(identity_cache, "MOST_ENTRIES", 8)
    double = by_identity(lambda attribute: 2 * attribute.data)
    for number in range(1000):
        assert double(IntAttr(number)) == 2 * number
        gc.collect(0)


def test_an_error_is_not_remembered():
    answers = iter([ValueError("no"), 7])

    @by_identity
    def once(attribute: IntAttr) -> int:
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    only = IntAttr(1)
    with pytest.raises(ValueError, match="no"):
        once(only)
    assert once(only) == 7


def test_what_is_known_about_types():
    for _ in range(2):
        for shape, element, storage, size in (((2, 3), f32, "f32", 24), ((5,), f16, "f16", 10)):
            type = TensorType(element, shape)
            assert (type_shape(type), element_storage(type), type_bytes(type)) == (
                shape,
                storage,
                size,
            )


def test_equal_attributes_are_shared():
    assert ints([1, 2]) is ints((1, 2))
    assert integer(5) is integer(5)
    assert buffer_type([1, 4], "i8", "local") is buffer_type((1, 4), "i8", "local")
    assert values_of(ints([1, 2])) == (1, 2)


def test_reals_of_equal_value_and_other_bits_are_not_shared():
    assert [str(v) for v in values_of(reals([0.0, -0.0]))] == ["0.0", "-0.0"]
    assert [str(v) for v in values_of(reals([-0.0, 0.0]))] == ["-0.0", "0.0"]
    assert str(real(-0.0).value.data) == "-0.0"
    nan = float("nan")
    assert reals([nan]) is reals([nan])
