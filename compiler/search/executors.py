"""Chooses where points are measured: in this process, in several, or on a cluster."""

from __future__ import annotations

from ...backends.diagnostics.diagnostic import DiagnosticError
from .executor import Executor, InProcess


def executor_at(
    jobs: int = 1, scheduler: str | None = None, timeout_seconds: float | None = None
) -> Executor:
    """Return the executor of so many processes, or that of the Dask scheduler at an address.

    Raises DiagnosticError if both are asked for, or if the scheduler does not answer.
    """
    if scheduler is not None:
        from .dask_cluster import DaskCluster

        if jobs > 1:
            raise DiagnosticError(
                "--jobs and --scheduler are two places to measure at", hint="leave one of them out"
            )
        return DaskCluster(scheduler, timeout_seconds)
    if jobs == 1 and timeout_seconds is None:
        return InProcess()
    from .process_pool import ProcessPool

    return ProcessPool(jobs, timeout_seconds)
