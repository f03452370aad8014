"""`smalti bench`: the report of traffic, in virtual and in real time, and mistakes."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.unit.backends.runtime.served_network import network

from .conftest import Ran


@pytest.fixture
def bench(smalti, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs `smalti bench` beside a model and a program of it."""
    monkeypatch.chdir(tmp_path)
    onnx.save(network(), "m.onnx")
    np.savez("wrong.npz", x=np.ones((3, 5), np.float32))
    np.savez("text.npz", x=np.array([["a"] * 6]))
    np.savez("more.npz", x=np.ones((1, 6), np.float32), z=np.ones(1))
    assert smalti("compile", "m.onnx", "--batch", "1", "--quantize", "f16").code == 0

    def run(*words: object) -> Ran:
        return smalti("bench", *words)

    return run


VIRTUAL = ("--clock", "virtual")


def test_a_program_in_virtual_time(bench, tmp_path: Path):
    first = bench(
        "m.smalti", *VIRTUAL, "--count", "50", "--profile", "latency", "--profile", "stats"
    )
    assert first.code == 0, first.err
    for line in (
        "requests under way",
        "throughput",
        "first inference",
        "TPU.0",
        "host before",
        "by node",
    ):
        assert line in first.out
    again = bench(
        "m.smalti", *VIRTUAL, "--count", "50", "--profile", "latency", "--profile", "stats"
    )
    assert again.out == first.out


def test_two_instances_do_twice_as_much(bench):
    rates = []
    for instances in (1, 2):
        ran = bench("m.smalti", *VIRTUAL, "--instances", instances, "--set-size", 2, "--json")
        told = json.loads(ran.out)
        assert told["requests"] == 2 * instances and told["count"] == 1000
        rates.append(told["inferences_per_second"])
    assert rates[1] == pytest.approx(2 * rates[0], rel=0.02)
    ran = bench("m.smalti", *VIRTUAL, "--stats-batchsize", "4", "--set-size", 2, "--json")
    assert json.loads(ran.out)["inferences_per_second"] == pytest.approx(4 * rates[0])


def test_batches_by_a_policy(bench):
    words = ("--batch", 4, "--rate", 2_000_000, "--duration", "1ms", "--quantize", "f16", "--json")
    told = json.loads(bench("m.onnx", *VIRTUAL, *words).out)
    assert told["batches"]["4"] > 0.9 * told["count"]
    assert 1500 < told["count"] < 2500


def test_files_that_are_written(bench, tmp_path: Path):
    words = ("--profile", "trace", "--profile-output", "t.json", "--plot", "p.html", "--count", 5)
    ran = bench("m.smalti", *VIRTUAL, *words)
    assert ran.code == 0, ran.err
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert sum(each["name"] == "batch of 1" for each in events) == 5
    assert "<svg" in (tmp_path / "p.html").read_text()
    assert "written: p.html" in ran.out and "written: t.json" in ran.out


def test_real_time_and_given_inputs(bench):
    np.savez("x.npz", x=np.ones((3, 6), np.float32))
    ran = bench(
        "m.onnx", "--device", "CPU", "--count", 6, "--requests", 2, "--inputs", "x.npz", "--json"
    )
    told = json.loads(ran.out)
    assert told["count"] == 6 and told["failed"] == 0 and told["devices"].keys() == {"CPU"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("m.onnx", "--rate", "-1"), 2, "'-1' is no number above 0"),
        (("m.onnx", "--rate", "1e30"), 2, "at most a billion"),
        (("m.onnx", "--rate", "abc"), 2, "'abc' is no number above 0"),
        (("m.onnx", "--interval", "0"), 2, "'0' is no number above 0"),
        (("m.onnx", "--requests", "100000000"), 2, "is more than 2,000,000"),
        (("m.smalti", "--set", "TARGET=edge-1c"), 1, "give the ONNX model"),
        (("m.smalti", "--instances", "2", "--set", "INSTANCES=4"), 1, "given twice"),
        (("m.smalti", "--set", "MAX_QUEUE=1", "--inputs", "wrong.npz"), 1, "has shape [1, 5]"),
        (("m.smalti", "--inputs", "text.npz"), 1, "has type"),
        (("m.smalti", "--inputs", "more.npz"), 1, "there is no input 'z'"),
        (("m.onnx", "--count", "0"), 2, "0 is not at least 1"),
        (("m.onnx", "--duration", "soon"), 2, "'soon' is no time such as 10s"),
        (("m.onnx", "--set", "X"), 2, "not of the form NAME=VALUE"),
        (("m.onnx", "--count", "1", "--duration", "1s"), 1, "contradict each other"),
        (("m.onnx", "--rate", "1", "--requests", "1"), 1, "contradict each other"),
        (("m.onnx", "--profile", "trace"), 1, "name it: --profile-output FILE"),
        (("m.onnx", "--profile", "stats"), 1, "smalti compile makes one"),
        (("m.onnx", "--profile-output", "t.json"), 1, "leave it out"),
        (("m.onnx", "--cache-size", "1G"), 1, "give --cache DIR"),
        (("m.onnx", "--plot", "p.txt"), 1, "end the file's name in"),
        (("m.onnx", "--device", "GPU"), 1, "there is no device GPU"),
        (("m.onnx", "--set", "FOO=1"), 1, "there is no property FOO"),
        (("m.onnx", "--set", "AUTO_BATCH_TIMEOUT=-1"), 1, "AUTO_BATCH_TIMEOUT cannot be"),
        (("m.onnx", "--quantize", "f17"), 1, "f17"),
        (("none.onnx",), 1, "none.onnx"),
        (("m.smalti", "--batch", "4"), 1, "give the ONNX model"),
        (("m.smalti", "--target", "edge-1c"), 1, "give the ONNX model"),
        (("m.smalti", "--instances", "99"), 1, "99 instances need 99 cores, default-8c has 8"),
        (("m.smalti", "--set", "VALUES=CPU"), 1, "no model that the CPU could run"),
        (("m.smalti", "--inputs", "m.onnx"), 1, "m.onnx"),
    ],
)
def test_mistakes(bench, words: tuple[str, ...], code: int, message: str):
    ran = bench(*words, *VIRTUAL)
    assert ran.code == code and message in ran.err, ran.err
    assert "Traceback" not in ran.err and ran.out == ""
