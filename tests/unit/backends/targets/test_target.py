"""Target files: the shipped ones, and what a mistake in one is told."""

import json
from pathlib import Path

import pytest
from smalti.backends.targets.target import Target, TargetError, load_target, shipped_targets

from tests.shared_files import ROOT

FOLDER = ROOT / "backends" / "targets"


@pytest.fixture
def text() -> str:
    return (FOLDER / "default-8c.toml").read_text(encoding="utf-8")


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_targets_are_what_they_say():
    assert {"default-8c", "edge-1c", "systolic-256"} <= set(shipped_targets())
    for name in shipped_targets():
        target = load_target(name)
        assert target.name == name
        assert Target.from_json(target.to_json()) == target
    default = load_target("default-8c")
    assert (default.cores, default.matrix.rows, default.vector.lanes["i8"]) == (8, 64, 256)
    assert default.local_memory.size_bytes == 2 << 20
    assert default.global_bytes_per_cycle == 128
    edge = load_target("edge-1c")
    assert (edge.cores, edge.matrix.columns, edge.local_memory.size_bytes) == (1, 32, 512 << 10)
    tpu = load_target("systolic-256")
    assert (tpu.cores, tpu.matrix.rows, tpu.local_memory.size_bytes) == (1, 256, 24 << 20)
    # 92 TOPS, as the paper has it.
    assert 2 * tpu.matrix.cells * tpu.clock_ghz * 1e9 == pytest.approx(92e12, rel=0.01)


def test_the_hash_is_of_the_contents(tmp_path: Path, text: str):
    original = load_target("default-8c")
    copied = load_target(write(tmp_path, "# a comment\n" + text))
    assert copied == original and copied.content_hash == original.content_hash
    assert original.content_hash.startswith("sha256:") and len(original.content_hash) == 7 + 16
    changed = load_target(str(write(tmp_path, text.replace("cores = 8", "cores = 7"))))
    assert changed.content_hash != original.content_hash


@pytest.mark.parametrize(
    "old, new, field, said",
    [
        ("cores = 8", "cores = 0", "cores", "greater than or equal to 1 (got 0)"),
        ("cores = 8", "cores = 65", "cores", "less than or equal to 64"),
        ("cores = 8", 'cores = "eight"', "cores", "got 'eight'"),
        ("cores = 8\n", "", "cores", "'cores' is missing"),
        ("cores = 8", "cores = 8\ncoers = 8", "coers", "unknown field 'coers'"),
        ("rows = 64", "rows = 6.5", "matrix.rows", "integer"),
        ("clock_ghz = 1.0", "clock_ghz = nan", "clock_ghz", "finite"),
        ("overlap = true", "overlap = true\nrow = 3", "matrix.row", "unknown field 'matrix.row'"),
        ('"weight_stationary"', '"weights"', "matrix.dataflow", "weight_stationary"),
        ("{ i8 = 1.0,", "{ int8 = 1.0,", "matrix.macs_per_cycle", "unknown storage type 'int8'"),
        ("lanes = { i8 = 256, ", "lanes = { ", "vector.lanes", "a rate for 'i8' is needed"),
        (
            "size_bytes = 2_097_152",
            "size_bytes = 4_294_967_296",
            "local_memory.size_bytes",
            "less than",
        ),
        ("multicast = true", "multicast = 3", "interconnect.multicast", "bool"),
    ],
)
def test_a_wrong_field_is_named(
    tmp_path: Path, text: str, old: str, new: str, field: str, said: str
):
    assert old in text
    path = write(tmp_path, text.replace(old, new))
    with pytest.raises(TargetError) as caught:
        load_target(path)
    assert field in caught.value.fields
    assert said in str(caught.value) and str(path) in str(caught.value)


def test_every_mistake_is_told_at_once(tmp_path: Path, text: str):
    path = write(tmp_path, text.replace("cores = 8", "cores = 0").replace("rows = 64", "rows = 0"))
    with pytest.raises(TargetError) as caught:
        load_target(path)
    assert set(caught.value.fields) == {"cores", "matrix.rows"}


def test_files_that_are_no_target(tmp_path: Path):
    with pytest.raises(TargetError, match="there is no target 'default-9c'; known are"):
        load_target("default-9c")
    with pytest.raises(TargetError, match="cannot be read: No such file"):
        load_target("absent.toml")
    with pytest.raises(TargetError, match="cannot be read"):
        load_target(tmp_path)
    with pytest.raises(TargetError, match="not a TOML file"):
        load_target(write(tmp_path, "cores = = 8"))
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TargetError, match="not a TOML file"):
        load_target(path)
    with pytest.raises(TargetError, match="cannot be read"):
        load_target("a\0b.toml")


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"name": "x"}', "\ud800"])
def test_json_that_is_no_target(text: str):
    with pytest.raises(TargetError, match="program"):
        Target.from_json(text, "program")


def test_json_is_canonical():
    target = load_target("edge-1c")
    table = json.loads(target.to_json())
    shuffled = json.dumps(dict(reversed(table.items())), indent=1)
    assert Target.from_json(shuffled).to_json() == target.to_json()
