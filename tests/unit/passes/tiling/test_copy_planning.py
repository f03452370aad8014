"""Copy plans: they move every element, and write the padding, whatever the two layouts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from smalti.passes.tiling.copy_planning import Padding, plan
from smalti.passes.tiling.layout import Layout, channel_last, row_major
from smalti.passes.tiling.strided_copy import StridedCopy


def run(copies: list[StridedCopy], source: np.ndarray, target: np.ndarray) -> None:
    """Executes the copies element by element, as tile.copy is defined; padding gets -1."""
    for copy in copies:
        assert copy.source_strides[-1] == copy.target_strides[-1] == 1
        for index in np.ndindex(*copy.sizes):
            come = copy.source_offset + int(np.dot(index, copy.source_strides))
            go = copy.target_offset + int(np.dot(index, copy.target_strides))
            target[go] = source[come]
            if index[-1] == copy.sizes[-1] - 1:
                target[go + 1 : go + 1 + copy.pad] = -1


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(1, 4),
    st.booleans(),
    st.randoms(),
)
def test_any_layout_to_any(shape: list[int], pad_from: int, pad_to: int, spare: bool, random):
    def layout(multiple: int) -> Layout:
        order = list(range(len(shape)))
        random.shuffle(order)
        last = shape[order[-1]]
        return Layout(tuple(shape), tuple(order), -(-last // multiple) * multiple)

    source, target = layout(pad_from), layout(pad_to)
    last = target.order[-1]
    defined = source.padding if spare and source.order[-1] == last else 0
    values = np.arange(1, source.size + 1)
    out = np.zeros(target.size, dtype=int)
    padding = Padding(last, target.padding, defined)
    run(plan(shape, source.strides, target.strides, padding=padding), values, out)

    def logical(flat: np.ndarray, of: Layout) -> np.ndarray:
        cut = flat.reshape(of.physical)[..., : of.extent]
        return cut.transpose(np.argsort(of.order))

    np.testing.assert_array_equal(logical(out, target), logical(values, source))
    assert (out != 0).all(), "the padding is written, too"


def test_equal_layouts_are_one_run():
    layout = channel_last((1, 3, 4, 4), 16)
    (copy,) = plan((1, 3, 4, 4), layout.strides, layout.strides, padding=Padding(1, 13, 13))
    assert copy.sizes == (256,) and copy.pad == 0


def test_a_transposed_row_is_padded_after_its_last_element():
    source, target = row_major((1, 3, 4, 4)), channel_last((1, 3, 4, 4), 16)
    body, tail = plan((1, 3, 4, 4), source.strides, target.strides, padding=Padding(1, 13))
    assert body.sizes == (16, 2, 1) and body.pad == 0
    assert tail.sizes == (16, 1) and tail.pad == 13 and tail.target_offset == 2
