"""How an incomplete batch is run: one by one, by a smaller compiled batch, or padded."""

from __future__ import annotations

from collections.abc import Mapping


def cheapest_runs(count: int, times: Mapping[int, int]) -> list[int]:
    """Return the compiled batches, in the order in which they run, that take `count` samples in the least time.

    `times`: the time of a run of each compiled batch. The last run may be padded. Of equal times the fewest runs win.
    The sizes are found by dynamic programming over how many samples are done.
    """
    best: list[tuple[int, int, list[int]]] = [(0, 0, [])]
    for done in range(1, count + 1):
        best.append(
            min(
                (
                    (before[0] + time, before[1] + 1, [*before[2], batch])
                    for batch, time in times.items()
                    for before in [best[max(done - batch, 0)]]
                ),
                key=lambda option: option[:2],
            )
        )
    return sorted(best[count][2], reverse=True)
