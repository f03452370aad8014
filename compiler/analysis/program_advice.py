"""Finds the one piece of advice that the timing of a program calls for, if any."""

from __future__ import annotations

from ...backends.simulator.timing.timing_result import Timing

BATCH_FACTOR = 4
"""The advice is about a batch this many times as large."""
WORTHWHILE = 0.4
"""A larger batch is advised if the work that each sample brings with it fills at most this share of the machine's time.

Measured on the networks of tests/networks on three targets: below 0.4 a sample of a batch of 4 took 32% to 46% of the
time of one alone, at 0.5 about 65%, from 0.7 on up to 102%.
"""


def advice_for(timing: Timing, cores_used: int, batch: int | None) -> str | None:
    """Return one line of advice, or None.

    Args:
        timing: of one inference.
        cores_used: how many cores have work.
        batch: axis 0 of the inputs, None if they have no common one.
    """
    cores = timing.streams.program.target.cores
    idle = f"{cores_used} of {cores} cores are used" if cores_used < cores else ""
    if batch and work_of_samples(timing) <= WORTHWHILE:
        larger = (
            f"a batch would pay: with --batch {BATCH_FACTOR * batch} a sample takes less than two thirds "
            "of the time, if the model takes a batch"
        )
        return f"{idle}; {larger}" if idle else larger
    if idle:
        return f"{idle}: --cores {cores_used} is as fast and leaves the others free"
    return None


def work_of_samples(timing: Timing) -> float:
    """Return the share of the machine's time that the samples' own work fills, on the resource which it fills most.

    That work grows with the batch, whereas waiting and the loading of weights do not. Units count on all cores of the
    target, which a larger batch may use; of the weights, the part that a sample of the larger batch has to pay counts.
    """
    program, cycles = timing.streams.program, max(timing.cycles, 1)
    weights = min(program.weight_bytes.size, timing.memory_bytes["global_bus"])
    moved = timing.memory_bytes["global_bus"] - weights + weights / BATCH_FACTOR
    units = (
        sum(use.busy for use in timing.engines if use.engine == engine) / program.target.cores
        for engine in ("matrix", "vector")
    )
    return max(*units, moved / program.target.global_bytes_per_cycle) / cycles
