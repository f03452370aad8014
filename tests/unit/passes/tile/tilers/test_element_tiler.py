"""Functions and look-ups at a network's borders, where rows become pixels or pixels rows, compute what they did."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from smalti.dialects import tpu
from smalti.dialects.quant import uniform

from .test_tiling_equivalence import SETTINGS, Network, check, networks, sizes
from .test_tiling_equivalence import tiny as tiny


@SETTINGS
@given(networks(), st.data())
def test_function_or_lookup(tiny: str, case: tuple[Network, int], data: st.DataObject) -> None:
    network, count = case
    x = network.input(*[data.draw(sizes(1, 12)) for _ in range(data.draw(sizes(1, 5)))])
    if network.quantized:
        entries = network.rng.integers(-128, 128, 256).astype(np.int8)
        table = network.weight(entries, uniform("i8", 0.05, 3))
        result = network.add(tpu.LookupOp("looked_up", x, table))
    else:
        result = network.add(tpu.UnaryOp("function", x, kind="hard_swish"))
    check(network, result, tiny, count)
