"""The targets built from published figures have the published peaks and sizes."""

import pytest
from smalti.backends.targets.target import Target, load_target


def peak_tops(target: Target, storage: str) -> float:
    """10^12 operations a second on the matrix units, two for a multiply-accumulate."""
    macs = target.cores * target.matrix.cells * target.matrix.macs_per_cycle[storage]
    return 2 * macs * target.clock_ghz / 1e3


@pytest.mark.parametrize(
    "name, cores, int8, float16, float32, gigabytes_per_second, on_chip_mebibytes",
    [
        ("cloud-ai-100-16c", 16, 400, 200, 50, 137, 144),
        ("bm1684x-1c", 1, 32, 16, 2.2, 64, 17),
        ("bm1688-2c", 2, 14.4, 7.2, 0.45, 64, 8.5),
        ("bm1690-8c", 8, 256, 128, 16, 546, 136),
    ],
)
def test_published_peaks(
    name: str,
    cores: int,
    int8: float,
    float16: float,
    float32: float,
    gigabytes_per_second: float,
    on_chip_mebibytes: float,
):
    target = load_target(name)
    assert target.cores == cores
    assert peak_tops(target, "i8") == pytest.approx(int8, rel=0.03)
    assert peak_tops(target, "f16") == pytest.approx(float16, rel=0.03)
    assert peak_tops(target, "f32") == pytest.approx(float32, rel=0.08)
    bandwidth = target.global_memory.gigabytes_per_second
    assert bandwidth == pytest.approx(gigabytes_per_second, rel=0.01)
    per_core = target.local_memory.size_bytes + target.matrix.accumulator_bytes
    assert cores * per_core / 2**20 == on_chip_mebibytes


@pytest.mark.parametrize("name, lanes", [("bm1684x-1c", 64), ("bm1688-2c", 32), ("bm1690-8c", 64)])
def test_lanes_of_the_tpu_mlir_chips(name: str, lanes: int):
    """A lane is a column of the array and a group of channels."""
    target = load_target(name)
    assert target.vector.lane_group == target.matrix.columns == lanes
