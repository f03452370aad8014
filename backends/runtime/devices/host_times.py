"""How long a card's host takes for the inputs and outputs of a run, in simulated time."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from ...numerics.storage import bytes_of
from ...program.program import Port

HOST_GIGABYTES_PER_SECOND = 2.5
"""How many bytes of the model's arrays a host converts in a nanosecond unless told otherwise.

This is about what NumPy takes to quantize f32 to i8 on one core of a server (2.1 to 2.5 on an AMD EPYC, arrays of
13 MB): the conversion that most programs ask for. `tests/benchmarks/test_host_conversion.py` measures it.
"""
COPIES_PER_CONVERSION = 8
"""How many times as fast the host copies what needs no conversion: 20 GB/s beside 2.5, by the same benchmark."""


def host_nanoseconds(ports: Iterable[Port], gigabytes_per_second: float) -> float:
    """Return how long the host converts or copies the arrays of ports, between the model's form and that of the ports.

    `gigabytes_per_second`: of conversions, in bytes as the model has them (1 GB has 10^9 bytes).
    """
    work = 0.0
    for port in ports:
        model_bytes = bytes_of(prod(port.shape), port.model or port.storage)
        work += model_bytes if is_converted(port) else model_bytes / COPIES_PER_CONVERSION
    return work / gigabytes_per_second


def is_converted(port: Port) -> bool:
    """Return whether a port holds other numbers than the model's tensor, or holds them in another order."""
    return port.model is not None or port.quantization is not None or port.order is not None
