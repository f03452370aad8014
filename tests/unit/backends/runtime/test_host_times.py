"""The host's part of a run on the card, and how a second run under way hides it."""

import pytest
from smalti.backends.numerics.quantization import Quantization
from smalti.backends.program.program import Port
from smalti.backends.runtime.batching.fixed_size import FixedSize
from smalti.backends.runtime.clocks.clock import SECOND
from smalti.backends.runtime.devices.host_times import HOST_GIGABYTES_PER_SECOND, host_nanoseconds

from .timed_model import traffic

QUANTIZED = Port("x", (1, 3, 100), "i8", 0, model="f32", quantization=Quantization(0.1, 0))


def test_conversions_and_copies():
    """1200 bytes of f32 become i8; 1200 of f32 stay so, and are copied eight times as fast."""
    plain = Port("x", (1, 3, 100), "f32", 0)
    assert host_nanoseconds([QUANTIZED], 1.0) == 1200
    assert host_nanoseconds([plain], 1.0) == 150
    turned = Port("x", (1, 3, 100), "f32", 0, order=(0, 2, 1))
    assert host_nanoseconds([QUANTIZED, plain, turned], 2.0) == 600 + 75 + 600
    assert host_nanoseconds([QUANTIZED], HOST_GIGABYTES_PER_SECOND) == 480
    assert host_nanoseconds([], 1.0) == 0


@pytest.mark.parametrize(
    ("host", "device", "alone", "hidden"),
    [
        # Both host stages and the device one after the other; hidden behind the device of 1000.
        (300, 1000, 1600, 1000),
        # The host's stages share one lane, so with little to compute the host is what bounds.
        (700, 1000, 2400, 1400),
    ],
)
def test_a_second_run_under_way_hides_the_host(host: int, device: int, alone: int, hidden: int):
    for set_size, period in ((1, alone), (2, hidden), (3, hidden)):
        found = traffic(FixedSize(1, SECOND), {1: device}, [0] * 30, set_size=set_size, host=host)
        ends = sorted(each.ended or 0 for each in found.inferences)
        # Of three under way the ends come in a pattern of three or four.
        assert ends[-6] - ends[-18] == 12 * period
