"""`smalti experiments auto-batching`: nine experiments on one page, always the same, and what each is to show."""

import json
from pathlib import Path

import pytest
from smalti.backends.runtime.clocks.clock import MILLISECOND
from smalti.compiler.serving.experiments import (
    BATCH_TIME,
    CPU_TIME,
    EXPERIMENTS,
    LOAD,
    SAMPLE_TIME,
    run_experiment,
)

OUTCOMES = {each.name: run_experiment(each) for each in EXPERIMENTS}
SINGLE = BATCH_TIME + SAMPLE_TIME


def latencies(name: str) -> list[int]:
    records = OUTCOMES[name].records
    assert not any(each.error for each in records)
    return [each.latency for each in records]


@pytest.mark.parametrize("hint", ["THROUGHPUT", "LATENCY"])
def test_auto_goes_over_without_a_peak(hint: str):
    records = OUTCOMES[f"AUTO under {hint}"].records
    devices = [each.device for each in records]
    switch = devices.index("TPU")
    assert devices == ["CPU"] * switch + ["TPU"] * (len(devices) - switch)
    assert records[switch].arrived >= LOAD > records[switch - 1].arrived
    before = [each.latency for each in records[:switch]]
    after = [each.latency for each in records[switch:]]
    assert before == [CPU_TIME] * switch
    assert max(after[:5]) <= max(CPU_TIME, *after[5:])


def test_without_batching_each_is_done_at_once():
    assert latencies("20 at 30 ms, no batching") == [SINGLE] * 20


def test_a_full_batch_does_not_wait_for_the_timeout():
    found = latencies("200 at 30 ms, pool of 16")
    work = BATCH_TIME + 16 * SAMPLE_TIME
    for start in range(0, 192, 16):
        assert found[start : start + 16] == [
            (15 - place) * 30 * MILLISECOND + work for place in range(16)
        ]


def test_the_timeout_counts_from_an_arrival():
    found = latencies("200 at 300 ms, timeout 1000 ms, pool of 64")
    assert max(found) <= 1000 * MILLISECOND + BATCH_TIME + 64 * SAMPLE_TIME
    assert found[0] == 1000 * MILLISECOND + BATCH_TIME + 64 * SAMPLE_TIME
    alone = latencies("200 at 300 ms, timeout 100 ms, pool of 16")
    assert {*alone[:-1]} == {100 * MILLISECOND + SINGLE}


@pytest.mark.parametrize("size", [1, 16, 64])
def test_inferences_end_in_order(size: int):
    outcome = OUTCOMES[f"order of completion, pool of {size}"]
    assert outcome.is_in_order and len(outcome.records) == 192
    assert {each.batch for each in outcome.records} == {size}


def test_the_command_writes_one_page_and_always_the_same(smalti, tmp_path: Path):
    contents = []
    for name in ("a", "b"):
        ran = smalti("experiments", "auto-batching", "-o", tmp_path / name)
        assert ran.code == 0, ran.err
        assert "order of completion, pool of 64" in ran.out
        files = sorted(path.name for path in (tmp_path / name).iterdir())
        assert files == ["index.html", "results.json"]
        contents.append((tmp_path / name / "index.html").read_text())
    assert contents[0] == contents[1]
    assert contents[0].count("<svg") == len(EXPERIMENTS) == 9
    assert "http-equiv" not in contents[0] and "<script" not in contents[0]
    told = json.loads((tmp_path / "a" / "results.json").read_text())
    assert [each["experiment"] for each in told] == [each.name for each in EXPERIMENTS]


def test_mistakes(smalti, tmp_path: Path):
    (tmp_path / "file").write_text("")
    ran = smalti("experiments", "auto-batching", "-o", tmp_path / "file" / "x")
    assert ran.code == 1 and "cannot make the folder" in ran.err
    ran = smalti("experiments", "auto-batching", "-o", tmp_path / "file")
    assert ran.code == 1 and "Traceback" not in ran.err
    assert smalti("experiments", "other", "-o", tmp_path / "y").code == 2
    assert not (tmp_path / "y").exists()
