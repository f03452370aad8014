"""Target files: the shipped ones, and what a mistake in one is told."""

import json
from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError, Place
from smalti.backends.instructions.instruction_set import (
    INSTRUCTIONS,
    Binary,
    Normalize,
    Pool,
    Reduce,
    Softmax,
    Unary,
)
from smalti.backends.targets.target import Target, load_target, shipped_targets
from smalti.backends.targets.vector_operations import FUNCTIONS

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


HASHES = {
    "bm1684x-1c": "sha256:5b0ace49f5110001",
    "bm1688-2c": "sha256:636998c596100cf5",
    "bm1690-8c": "sha256:ea5b0e3a43714f35",
    "cloud-ai-100-16c": "sha256:fb5a9dcfe9fa2ecb",
    "default-8c": "sha256:d554696df68563fa",
    "edge-1c": "sha256:f987424c11ff92f3",
    "systolic-256": "sha256:9690e77ab970e3b2",
}
"""The hashes of the shipped targets: programs and IR files name them."""


def test_the_hashes_of_the_shipped_targets_stay():
    assert {name: load_target(name).content_hash for name in shipped_targets()} == HASHES


def test_operations_of_the_vector_unit_have_defaults(tmp_path: Path, text: str):
    original = load_target("default-8c")
    assert "operations" not in original.to_json()
    said = "operations = { exponential = 1, select = 2, div = 4, tanh = 7 }\nlanes ="
    changed = load_target(write(tmp_path, text.replace("lanes =", said, 1)))
    assert changed.content_hash != original.content_hash
    # What is said and holds anyway is left out: a division's 4, and a tanh of one exponential.
    assert changed.vector.operations == {"exponential": 1, "select": 2}
    assert Target.from_json(changed.to_json()) == changed
    of, before = changed.vector.operations_of, original.vector.operations_of
    assert [before(f) for f in ("exp", "gelu", "softmax", "select", "div", "add")] == [
        6,
        19,
        8,
        1,
        4,
        1,
    ]
    assert [of(f) for f in ("exp", "gelu", "softmax", "select", "div", "add")] == [1, 9, 3, 2, 4, 1]
    fields = {"type": "f32", "rows": 4, "out_pitch": 64}
    assert Softmax.cycles(fields, original) == 8 + 8 * 4
    assert Softmax.cycles(fields, changed) == 8 + 3 * 4


def test_operations_at_their_defaults_change_no_hash(tmp_path: Path, text: str):
    same = text.replace("lanes =", "operations = { exponential = 6, gelu = 19 }\nlanes =", 1)
    assert load_target(write(tmp_path, same)).content_hash == load_target("default-8c").content_hash


def test_every_kind_of_the_vector_unit_has_operations():
    kinds = {
        name
        for instruction in INSTRUCTIONS
        if instruction.engine == "vector" and instruction not in (Pool, Normalize)
        for field in instruction.fields
        if field.name == "kind"
        for name in field.values
    }
    others = {
        "pool" if each is Pool else each.mnemonic
        for each in INSTRUCTIONS
        if each.engine == "vector" and each not in (Unary, Binary, Reduce)
    }
    assert FUNCTIONS.keys() == kinds | others | {"residual"}


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
        (
            "2.0, i8 = 1.0,",
            "2.0, int8 = 1.0,",
            "matrix.macs_per_cycle",
            "unknown storage type 'int8'",
        ),
        ("lanes = { i8 = 256, ", "lanes = { ", "vector.lanes", "a rate for 'i8' is needed"),
        (
            "size_bytes = 2_097_152",
            "size_bytes = 4_294_967_296",
            "local_memory.size_bytes",
            "less than",
        ),
        ("multicast = true", "multicast = 3", "interconnect.multicast", "bool"),
        (
            "lanes =",
            "operations = { exponent = 1 }\nlanes =",
            "vector.operations",
            "the vector unit has no function 'exponent' (near: exponential)",
        ),
        ("lanes =", "operations = { exp = 0 }\nlanes =", "vector.operations.exp", "greater than"),
    ],
)
def test_a_wrong_field_is_named(
    tmp_path: Path, text: str, old: str, new: str, field: str, said: str
):
    assert old in text
    path = write(tmp_path, text.replace(old, new))
    with pytest.raises(DiagnosticError) as caught:
        load_target(path)
    assert field in caught.value.message and said in caught.value.message
    assert caught.value.place == Place(file=str(path))


def test_every_mistake_is_told_at_once(tmp_path: Path, text: str):
    path = write(tmp_path, text.replace("cores = 8", "cores = 0").replace("rows = 64", "rows = 0"))
    with pytest.raises(DiagnosticError) as caught:
        load_target(path)
    assert "'cores'" in caught.value.message and "'matrix.rows'" in caught.value.message


def test_files_that_are_no_target(tmp_path: Path):
    with pytest.raises(
        DiagnosticError, match="there is no target 'default-9c'\\n  hint: did you mean default-8c"
    ):
        load_target("default-9c")
    with pytest.raises(DiagnosticError, match="cannot read the target: No such file"):
        load_target("absent.toml")
    with pytest.raises(DiagnosticError, match="cannot read the target"):
        load_target(tmp_path)
    with pytest.raises(DiagnosticError, match="not a TOML file"):
        load_target(write(tmp_path, "cores = = 8"))
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DiagnosticError, match="not a TOML file"):
        load_target(path)
    with pytest.raises(DiagnosticError, match="cannot read the target"):
        load_target("a\0b.toml")


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"name": "x"}', "\ud800"])
def test_json_that_is_no_target(text: str):
    with pytest.raises(DiagnosticError, match="program"):
        Target.from_json(text, "program")


def test_json_is_canonical():
    target = load_target("edge-1c")
    table = json.loads(target.to_json())
    shuffled = json.dumps(dict(reversed(table.items())), indent=1)
    assert Target.from_json(shuffled).to_json() == target.to_json()
