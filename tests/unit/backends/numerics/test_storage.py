"""The table of storage types, and the lists that are derived from it."""

from smalti.backends.numerics import storage
from smalti.passes.top_to_tpu.precision.schemes import QUANTIZE


def test_lists_of_types_are_in_the_order_of_their_codes():
    assert storage.OPERAND_NAMES == ("i8", "u8", "i16", "f16", "bf16", "f32")
    assert storage.ACCUMULATOR_NAMES == ("i32", "i64", "f32")
    assert storage.LOOKUP_NAMES == ("i8", "u8")


def test_the_option_quantize_has_every_type_of_floats_that_networks_compute_with():
    assert set(QUANTIZE) == {"int8", *storage.NETWORK_FLOAT_NAMES}
