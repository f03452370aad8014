"""How fast a host converts inputs and outputs: what `HOST_GIGABYTES_PER_SECOND` stands for.

Nothing is asserted on the clock; the figures stand in `extra_info` and are printed.
"""

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from smalti.backends.numerics.quantization import Quantization
from smalti.backends.program.program import Port
from smalti.backends.simulator.functional.samples import joined, samples_of

from .conftest import Say

SHAPE = (1, 64, 224, 224)


@pytest.mark.parametrize("way", ["f32 to i8", "i8 to f32", "f32 to f16", "copy"])
def test_host_conversion(benchmark: BenchmarkFixture, say: Say, way: str):
    values = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    port = Port("x", SHAPE, "i8", 0, model="f32", quantization=Quantization(0.02, 0))
    if way == "f32 to f16":
        port = Port("x", SHAPE, "f16", 0, model="f32")
    if way == "copy":
        benchmark(np.copyto, np.empty_like(values), values)
    elif way == "i8 to f32":
        benchmark(joined, [port], samples_of([port], {"x": values})[0], 1)
    else:
        benchmark(samples_of, [port], {"x": values})
    if benchmark.stats is not None:
        rate = values.nbytes / benchmark.stats.stats.median / 1e9
        benchmark.extra_info["gigabytes_per_second"] = rate
        say(f"{way}: {rate:.1f} GB/s of f32")
