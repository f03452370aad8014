"""Tile sizes: they fit, fill what there is, and leave room for the next tile where they can."""

from smalti.backends.targets.target import load_target
from smalti.passes.tiling.cost import (
    CostModel,
    Work,
    address_count,
    pipeline_cycles,
    runs_of,
    split_cycles,
)
from smalti.passes.tiling.layout import channel_last, row_major
from smalti.passes.tiling.tile_sizes import (
    Footprint,
    Product,
    ProductTiling,
    Reach,
    product_footprint,
    row_tiles,
    tile_box,
    tile_product,
    tile_sizes,
)

COSTS = CostModel(load_target("default-8c"))


def convolution(**changes: object) -> Product:
    """A 3x3 convolution of 56 x 56 pixels, 64 to 64 channels."""
    fields: dict[str, object] = {
        "engine": "matrix", "storage": "i8", "acc_storage": "i32", "rows": (1, 56, 56),
        "reach": (Reach(1, 1, 1), Reach(1, 3, 56), Reach(1, 3, 56)), "channels": 64, "unit": 64,
        "block": 64, "taps": 9, "depth": 64, "fan_in": 0, "groups": 1,
        "out_storage": "i8", "residual": False, "table_rows": 3, "can_split_depth": True,
    }  # fmt: skip
    return Product(**(fields | changes))  # pyright: ignore[reportArgumentType]


def test_sizes_are_balanced_multiples():
    assert list(tile_sizes(10)) == [10, 5, 4, 3, 2, 1]
    assert list(tile_sizes(70, 16)) == [70, 48, 32, 16]
    assert list(tile_sizes(16, 16)) == [16]


def test_rows_divide_the_outermost_axis_first():
    tiles = list(row_tiles((2, 4, 3)))
    assert tiles[:3] == [(2, 4, 3), (1, 4, 3), (1, 2, 3)]
    assert tiles[-1] == (1, 1, 1) and len(set(tiles)) == len(tiles)


def test_a_product_leaves_half_of_the_memories_free():
    product = convolution()
    tiling = tile_product(COSTS, product)
    assert isinstance(tiling, ProductTiling)
    footprint = product_footprint(COSTS, product, tiling.rows, tiling.channels, tiling.depth)
    assert footprint.fits(COSTS, 0.5)
    assert tiling.depth == 64 and tiling.channels == 64
    assert tiling.rows[2] == 56, "rows stay whole while they fit"


def test_the_depth_is_divided_only_where_it_must_and_may_be():
    deep = convolution(depth=100_000, taps=1, rows=(1, 1, 1), reach=(Reach(1, 1, 1),) * 3)
    tiling = tile_product(COSTS, deep)
    assert isinstance(tiling, ProductTiling) and tiling.depth < 100_000
    undivided = convolution(
        depth=100_000, taps=1, rows=(1, 1, 1), reach=(Reach(1, 1, 1),) * 3, can_split_depth=False
    )
    failed = tile_product(COSTS, undivided)
    assert isinstance(failed, Footprint) and failed.local > COSTS.local_bytes


def test_instructions_count_no_more_rows_than_their_fields_hold():
    costs = CostModel(load_target("default-8c"))
    costs.local_bytes = costs.acc_bytes = 2**40  # only the instruction's fields bind
    product = convolution(
        rows=(1, 1, 100_000), reach=(Reach(1, 1, 1), Reach(1, 1, 1), Reach(1, 1, 100_000)), taps=1,
        depth=1, channels=4, unit=4, block=4, row_limit=65_535,
    )  # fmt: skip
    tiling = tile_product(costs, product)
    assert isinstance(tiling, ProductTiling) and tiling.rows[2] <= 65_535


def test_boxes_stay_whole_when_small_and_never_divide_a_fixed_axis():
    def footprint(tile: tuple[int, ...]) -> Footprint:
        return Footprint(tile[0] * tile[1] * 64, 0)

    assert tile_box(COSTS, (4, 64), (1, 16), footprint, (10.0, 10.0)) == (4, 64)
    big = tile_box(COSTS, (1000, 640), (1, 0), footprint, (1e6, 1e6, 1e6))
    assert isinstance(big, tuple) and big[1] == 640 and 1 <= big[0] < 1000
    failed = tile_box(COSTS, (1, 10**6), (1, 0), footprint, (1.0,))
    assert isinstance(failed, Footprint)


def test_runs():
    layout = channel_last((1, 3, 4, 5), 16)
    assert runs_of(layout, ((0, 1), (0, 3), (0, 4), (0, 5))) == (320, 1)
    assert runs_of(layout, ((0, 1), (0, 3), (1, 3), (0, 5))) == (160, 1)
    assert runs_of(layout, ((0, 1), (0, 2), (1, 3), (0, 5))) == (2, 10)


def test_more_cores_pay_where_computation_binds():
    heavy = Work(matrix_cycles=80_000, load_bytes=1000)
    half = Work(matrix_cycles=40_000, load_bytes=1000)
    assert split_cycles(COSTS, [half, half]) < split_cycles(COSTS, [heavy])
    small = Work(vector_cycles=10, load_bytes=64)
    assert split_cycles(COSTS, [small, small]) > split_cycles(COSTS, [small])


def test_a_pipeline_pays_for_filling():
    assert pipeline_cycles((1000, 1000, 1000), 4) < pipeline_cycles((1000, 1000, 1000), 1)
    assert pipeline_cycles((10, 10), 8) > pipeline_cycles((10, 10), 1)


def test_what_parts_load_at_once_crosses_the_bus_once_but_as_fast_as_one_port():
    size = 1 << 16
    bus, port = size / COSTS.bytes_per_cycle, size / COSTS.port_bytes_per_cycle
    assert port == 2 * bus
    parts = split_cycles(COSTS, [Work()] * 8)
    alone = [Work(load_bytes=size)] * 8
    assert split_cycles(COSTS, alone) - parts == 8 * bus
    for groups in (1, 2, 4):
        together = [Work(shared_load_bytes=size, shared=core % groups) for core in range(8)]
        assert split_cycles(COSTS, together) - parts == max(groups * bus, port)


def test_addresses_of_what_is_gathered():
    """A DMA engine makes the address of each run: of each element, where neighbors in a tile lie apart in memory."""
    image, pixels = row_major((1, 32, 4, 5)), (0, 2, 3, 1)
    box = ((0, 1), (0, 32), (0, 4), (0, 5))
    assert address_count(COSTS, image, box, pixels) == 640
    assert address_count(COSTS, channel_last((1, 32, 4, 5), 16), box, pixels) == 1
    assert (
        address_count(
            COSTS, row_major((1, 32, 4, 16)), ((0, 1), (0, 2), (1, 3), (0, 16)), (0, 1, 2, 3)
        )
        == 2
    )


def test_only_more_cores_make_addresses_faster():
    gathered = Work(load_bytes=64_000, load_runs=16_000)
    assert COSTS.dma_cycles(gathered) == 16_000
    half = Work(load_bytes=32_000, load_runs=8_000)
    assert split_cycles(COSTS, [half, half]) < 0.6 * split_cycles(COSTS, [gathered])
    both = Work(load_bytes=64_000, load_runs=16_000, store_runs=16_000)
    assert 16_000 < COSTS.dma_cycles(both) < 32_000


def test_tiles_of_what_is_gathered_read_few_elements_twice():
    """Where memory is short, tiles of more rows and fewer channels have fewer rows of the input in common."""
    costs = CostModel(load_target("edge-1c"))
    plain, gathered = (
        tile_product(costs, convolution(channels=128, unit=32, block=32, gathers_input=gathers))
        for gathers in (False, True)
    )
    assert isinstance(plain, ProductTiling) and isinstance(gathered, ProductTiling)
    assert gathered.rows[1] > plain.rows[1] and gathered.channels < plain.channels
