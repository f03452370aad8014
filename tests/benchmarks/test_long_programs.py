"""How passes and the listing reader scale: thousands of buffers, steps, tiles and lines at once.

Benchmarks, not tests of time: nothing is asserted on the clock.
"""

import random

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from smalti.backends.instructions.instruction_set import Access
from smalti.dialects import tile
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, print_module
from smalti.passes.tile.assign_addresses import AssignAddresses
from smalti.passes.tile.order_engines import OrderEngines
from smalti.passes.tile_to_isa.convert_tile_to_isa import ConvertTileToIsa
from smalti.passes.tile_to_isa.waits import Step, derive_waits
from smalti.passes.tiling.allocation import Lifetime, place

from tests.unit.dialects.isa.test_isa import fill, module_of
from tests.unit.passes.tile.test_order_engines import tiles_of
from tests.unit.passes.tile_to_isa.test_waits import interval
from tests.unit.tile_programs import two_layers

LINES = 4000


@pytest.fixture(scope="module")
def listing() -> str:
    """A listing of 4,000 instructions."""
    lines = [fill(f"d{i}", dst=i) for i in range(LINES)]
    return print_module(module_of(lines, counters=0), debug_info=False)


def test_read_a_listing(benchmark: BenchmarkFixture, listing: str):
    module = benchmark.pedantic(
        lambda: parse_module(listing, make_context(), check=False), rounds=3
    )
    assert print_module(module, debug_info=False) == listing


def test_write_a_listing(benchmark: BenchmarkFixture, listing: str):
    module = parse_module(listing, make_context(), check=False)
    assert benchmark.pedantic(print_module, args=(module,), rounds=3)


def test_place_four_thousand_buffers(benchmark: BenchmarkFixture):
    generator = np.random.default_rng(0)
    first = np.sort(generator.integers(0, 8000, 4000))
    sizes, lengths = generator.integers(64, 60000, 4000), generator.integers(1, 12, 4000)
    buffers = [
        Lifetime(int(s), int(f), int(f + d)) for s, f, d in zip(sizes, first, lengths, strict=True)
    ]
    assert benchmark.pedantic(place, args=(buffers, 2 << 20), rounds=3) is not None


def test_order_and_place_two_thousand_tiles(benchmark: BenchmarkFixture):
    def run(module) -> None:
        ctx = make_context()
        OrderEngines().run(ctx, module)
        AssignAddresses().run(ctx, module)

    benchmark.pedantic(run, setup=lambda: ((tiles_of([64] * 2000),), {}), rounds=2)


@pytest.mark.parametrize("cores", [1, 8])
def test_derive_the_waits_of_eight_thousand_steps(benchmark: BenchmarkFixture, cores: int):
    generator = random.Random(0)
    steps = []
    for _ in range(1600):
        core = generator.randrange(cores)
        x, w, out = (64 * generator.randrange(20000) for _ in range(3))
        image = 16 * generator.randrange(100000)
        rows = Access("global", None, 0, image, 64, (28, 28), (192, 192 * 28))
        box = Access("global", None, 0, image, 64, (28, 28), (192, 192 * 28), write=True)
        steps += [
            Step(core, 0, (rows, interval("local", x, 50176, write=True))),
            Step(core, 0, (interval("local", w, 36864, write=True),)),
            Step(core, 2, (interval("local", x, 50176), interval("local", w, 36864),
                           interval("acc", 0, 200704, write=True))),
            Step(core, 3, (interval("acc", 0, 200704), interval("local", out, 50176, write=True))),
            Step(core, 1, (interval("local", out, 50176), box)),
        ]  # fmt: skip
    plan = benchmark.pedantic(derive_waits, args=(steps,), rounds=2)
    assert len(plan.waits) == len(steps)


def test_convert_a_long_tile_program(benchmark: BenchmarkFixture):
    def program():
        module, ctx = two_layers(cores=8, tiles=1)
        only = next(iter(module.ops))
        assert isinstance(only, tile.ProgramOp)
        AssignAddresses().run(ctx, module)
        block = only.body.block
        steps = [op for op in block.ops if isinstance(op, tile.CoreOp)]
        for _ in range(49):
            block.add_ops([op.clone({o: o for o in op.operands}) for op in steps])
        return (ctx, module), {}

    benchmark.pedantic(
        lambda ctx, module: ConvertTileToIsa().run(ctx, module), setup=program, rounds=2
    )
