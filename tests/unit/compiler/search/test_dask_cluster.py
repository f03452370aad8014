"""A Dask cluster gives the same result as this process, also while its workers are killed."""

import os
import signal
import time
from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.search import dask_cluster
from smalti.compiler.search.dask_cluster import DaskCluster
from smalti.compiler.search.search import Search
from smalti.compiler.search.space import Space
from smalti.compiler.search.strategy import exhaustive

from .evaluators import SPACE, Parabola, Unsteady, Wrong, loss

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def address():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def test_a_cluster_gives_the_same_result(address: str, tmp_path: Path):
    here = Search(Parabola(tmp_path / "log"), loss).run(exhaustive(SPACE))
    with DaskCluster(address) as cluster:
        there = Search(Parabola(tmp_path / "log"), loss, executor=cluster).run(exhaustive(SPACE))
    assert here == there


def test_a_search_outlives_its_workers(address: str, tmp_path: Path):
    (tmp_path / "log.faults").touch()
    evaluator = Unsteady(tmp_path / "log")
    with DaskCluster(address) as cluster:
        with distributed.Client(address, set_as_default=False) as client:
            victim = next(iter(client.run(os.getpid).values()))
        os.kill(victim, signal.SIGKILL)
        found = Search(evaluator, loss, executor=cluster).run(
            exhaustive(Space({"x": [1, 2, 3], "y": [0]}))
        )
    assert [each["loss"] for _, each in found.measured] == [4, 1, 0]


def test_an_error_on_a_worker_is_told(address: str):
    with DaskCluster(address) as cluster, pytest.raises(DiagnosticError, match="cannot be"):
        Search(Wrong(), executor=cluster).run(exhaustive(SPACE))


def test_a_scheduler_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch):
    assert dask_cluster.CONNECT_SECONDS < 9
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 1.0)
    before = time.monotonic()
    with pytest.raises(DiagnosticError, match="no scheduler of Dask answers"):
        DaskCluster("tcp://127.0.0.1:9")
    assert time.monotonic() - before < 5


def test_what_is_no_address_is_told():
    with pytest.raises(DiagnosticError, match=r"--scheduler nothing://"):
        DaskCluster("nothing://here")
