"""A search gives one result, whatever runs it and however often it is killed."""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.search.executor import Executor, InProcess
from smalti.compiler.search.process_pool import ProcessPool
from smalti.compiler.search.search import Search, SearchResult
from smalti.compiler.search.space import Space
from smalti.compiler.search.strategy import exhaustive, random_sample

from .evaluators import SPACE, Parabola, Unsteady, Wrong, loss

ROOT = Path(__file__).resolve().parents[4]
MADE_OF = {"model": "parabola"}


def searched(folder: Path, executor: Executor | None = None) -> SearchResult:
    evaluator = Parabola(folder / "log")
    with executor or InProcess() as chosen:
        return Search(evaluator, loss, executor=chosen).run(exhaustive(SPACE))


def test_the_best_point_is_found(tmp_path: Path):
    found = searched(tmp_path)
    assert found.best == ({"x": 3, "y": 0.25}, {"loss": 0.25})
    assert len(found.measured) == found.new == len(SPACE) == 12


def test_processes_give_the_same_result(tmp_path: Path):
    assert searched(tmp_path, ProcessPool(2)) == searched(tmp_path)


@pytest.mark.share(3)
@pytest.mark.parametrize("fault", ["dies", "hangs"])
def test_points_of_workers_that_fail_are_measured_again(tmp_path: Path, fault: str):
    (tmp_path / "log.faults").touch()
    evaluator = Unsteady(tmp_path / "log", fault=fault, most_faults=1)
    with ProcessPool(2, timeout_seconds=6 if fault == "hangs" else None) as pool:
        found = Search(evaluator, loss, executor=pool).run(
            exhaustive(Space({"x": [1, 2, 3], "y": [0]}))
        )
    assert [each["loss"] for _, each in found.measured] == [4, 1, 0]
    counts = Counter((tmp_path / "log").read_text().splitlines())
    assert counts["2 0"] >= 2
    if fault == "dies":
        assert counts == {"1 0": 1, "2 0": 2, "3 0": 1}


def test_a_point_that_kills_every_worker_is_told(tmp_path: Path):
    (tmp_path / "log.faults").touch()
    points = exhaustive(Space({"x": [2], "y": [0]}))
    search = Search(Unsteady(tmp_path / "log", most_faults=9), loss, executor=ProcessPool(1))
    with search.executor, pytest.raises(DiagnosticError) as told:
        search.run(points)
    assert 'a worker crashed in each of 3 attempts at {"x":2,"y":0}' in str(told.value)
    assert (tmp_path / "log.faults").read_text() == "xxx"


def test_an_error_ends_the_search_with_all_that_it_says():
    with ProcessPool(1) as pool, pytest.raises(DiagnosticError) as told:
        Search(Wrong(), executor=pool).run(exhaustive(SPACE))
    assert str(told.value) == "here: error: this cannot be\n  note: a note\n  hint: do better"


def test_a_pool_is_of_use_after_an_error(tmp_path: Path):
    with ProcessPool(2) as pool:
        with pytest.raises(DiagnosticError):
            Search(Wrong(), executor=pool).run(exhaustive(SPACE))
        found = Search(Parabola(tmp_path / "log"), loss, executor=pool).run(exhaustive(SPACE))
    assert found.best == ({"x": 3, "y": 0.25}, {"loss": 0.25})


def test_a_killed_search_goes_on(tmp_path: Path):
    record, log = tmp_path / "search.jsonl", tmp_path / "log"
    command = [sys.executable, "-m", "tests.unit.compiler.search.evaluators", record, log]
    process = subprocess.Popen(command, cwd=ROOT)
    while not record.exists() or record.read_bytes().count(b"\n") < 5:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    kept = record.read_bytes().count(b"\n") - 1
    with record.open("ab") as file:
        file.write(b'{"point": {"x": 5, "y": 0.5}, "measu')
    again = Search(Parabola(log), loss, record, MADE_OF).run(exhaustive(SPACE))
    assert again.measured == searched(tmp_path / "..", None).measured
    assert again.new == len(SPACE) - kept
    assert Search(Parabola(log), loss, record, MADE_OF).run(exhaustive(SPACE)).new == 0


def test_progress_tells_the_best(tmp_path: Path):
    told: list[tuple[str, int, int]] = []
    search = Search(Parabola(tmp_path / "log"), loss, progress=lambda *each: told.append(each))
    search.run(exhaustive(SPACE))
    assert told[0] == ("search", 0, 12)
    assert told[-2] == ("search: best 0.25", 12, 12)


def test_random_samples_are_those_of_their_seed():
    one, same, other = (random_sample(SPACE, 5, seed).points for seed in (1, 1, 2))
    assert one == same != other
    assert len(random_sample(SPACE, 100, 0).points) == 12
    assert [SPACE.point(number) for number in range(12)] == list(SPACE)


def test_a_space_with_nothing_in_it_is_told():
    with pytest.raises(DiagnosticError, match="'x' has no value"):
        Space({"x": []})
