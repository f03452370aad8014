"""Chooses how many queues of its DMA engines a program uses, by timing it.

Transfers of an engine that move at the same time share the bandwidth, so that with more queues the first one ends
later, and what waits for it begins later. Whether that costs more than it gains, no estimate tells.
"""

from __future__ import annotations

from ...backends.program.program import Program
from ...backends.simulator.simulate import time_program
from ...backends.simulator.streams.streams import decode_program


def choose_queues(program: Program) -> int:
    """Let a program use as many queues as take the fewest cycles, and return the cycles. Tried are 1, 2, 4 and so on,
    and all that the target has.
    """
    most = program.target.dma.queues
    counts = [most, *(2**i for i in range(most.bit_length()) if 2**i < most)]
    cycles: dict[int, int] = {}
    for count in counts:
        program.dma_queues = count
        cycles[count] = time_program(decode_program(program)).cycles
    best = min(counts, key=lambda count: cycles[count])
    program.dma_queues = None if best == most else best
    return cycles[best]
