"""The program file: the same program, the same bytes; whatever is wrong with it, a diagnostic."""

import hashlib
import json
import os
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.numerics.quantization import Quantization
from smalti.backends.program import container
from smalti.backends.program.assemble import assemble, disassemble_module
from smalti.backends.program.lower_bound import LowerBound
from smalti.backends.program.program import Port

from tests.unit.backends.program.sample_program import make_program

DATA = container.write(make_program())


def test_a_file_gives_the_program_back(program, tmp_path):
    path = tmp_path / "p.smalti"
    container.save(program, path)
    loaded = container.load(path)
    assert path.read_bytes() == DATA == container.write(loaded)
    assert os.listdir(tmp_path) == ["p.smalti"]
    assert loaded.target == program.target
    assert loaded.debug == program.debug
    assert bytes(loaded.weight_bytes) == bytes(range(96))
    for a, b in zip(loaded.streams, program.streams, strict=True):
        assert a.tobytes() == b.tobytes()


def test_ports_keep_what_they_hold(program, tmp_path):
    quantization = Quantization(0.1, -128)
    image = Port("image 1", (1, 2, 2, 2), "i8", 0, (0, 2, 3, 1), "f32", quantization)
    scores = Port("scores", (1, 10), "f16", 0, model="f32")
    program.inputs, program.outputs = [image], [scores]
    found = container.read(container.write(program))
    assert (found.inputs, found.outputs) == ([image], [scores])
    assert found.inputs[0].size == 8 and found.outputs[0].size == 20
    again = assemble(disassemble_module(found), weights=found.weight_bytes)
    assert (again.inputs, again.outputs) == ([image], [scores])


def test_the_lower_bound_is_a_remark(program, tmp_path):
    """A file keeps it, and has the same hash without it."""
    plain, noted = tmp_path / "plain.smalti", tmp_path / "noted.smalti"
    container.save(program, plain)
    assert container.load(plain).lower_bound is None
    bound = LowerBound({"matrix unit": 7, "latency": 9})
    container.save(replace(program, lower_bound=bound), noted)
    assert container.load(noted).lower_bound == bound
    assert container.program_hash(noted) == container.program_hash(plain) is not None
    container.save(replace(program, name="other"), noted)
    assert container.program_hash(noted) != container.program_hash(plain)
    sections = manifest_of(noted.read_bytes())
    assert [section["name"] for section in sections][-1] == "weights"


def test_sections_are_aligned():
    for section in manifest_of(DATA):
        assert section["offset"] % 64 == 0


def test_saving_where_one_cannot_leaves_nothing(program, tmp_path):
    with pytest.raises(DiagnosticError, match="cannot write"):
        container.save(program, tmp_path / "missing" / "p.smalti")
    (tmp_path / "p.smalti").mkdir()
    with pytest.raises(DiagnosticError, match="cannot write"):
        container.save(program, tmp_path / "p.smalti")
    assert os.listdir(tmp_path) == ["p.smalti"]


def test_reading_what_is_not_there(tmp_path):
    with pytest.raises(DiagnosticError, match="cannot read the program"):
        container.load(tmp_path / "p.smalti")
    with pytest.raises(DiagnosticError, match="cannot read the program"):
        container.load(tmp_path)


@settings(max_examples=50)
@given(st.data())
def test_damaged_bytes_are_a_diagnostic(data):
    damaged = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(DATA) - 1) | st.integers(0, 3000))
        damaged[position] ^= data.draw(st.integers(1, 255))
    try:
        assert container.write(container.read(damaged)) == DATA
    except DiagnosticError as error:
        assert "compile" in str(error)


@pytest.mark.parametrize(
    "length", [0, 1, 8, 63, 64, 65, 100, 1000, 2000, len(DATA) // 2, len(DATA) - 1]
)
def test_truncated_files_are_a_diagnostic(length):
    with pytest.raises(DiagnosticError):
        container.read(DATA[:length])


def test_every_single_truncation():
    for length in range(0, len(DATA), 7):
        with pytest.raises(DiagnosticError):
            container.read(DATA[:length])


def test_trailing_bytes_are_a_diagnostic():
    with pytest.raises(DiagnosticError, match="damaged"):
        container.read(DATA + b"\0")


def test_messages_name_file_and_section():
    section = next(s for s in manifest_of(DATA) if s["name"] == "stream1")
    damaged = bytearray(DATA)
    damaged[section["offset"] + 50] ^= 1
    with pytest.raises(DiagnosticError) as error:
        container.read(damaged, "net.smalti")
    assert str(error.value).startswith("net.smalti: error: section 'stream1' is damaged")


def manifest_of(data: bytes) -> list[dict]:
    length = struct.unpack_from("<Q", data, 16)[0]
    return json.loads(data[64 : 64 + length])


def with_manifest(text: bytes) -> bytes:
    """The file with another manifest, whose checksum is right, before the same sections."""
    first = min(section["offset"] for section in manifest_of(DATA))
    body = text.ljust(first - 64) if len(text) <= first - 64 else text
    data = bytearray(DATA[:64] + body + DATA[first:])
    struct.pack_into("<QQ32s", data, 16, len(body), len(data), hashlib.sha256(body).digest())
    return bytes(data)


def with_section(name: str, content: bytes) -> bytes:
    """The file with another section, its checksums right."""
    sections = {
        s["name"]: memoryview(DATA)[s["offset"] : s["offset"] + s["size"]]
        for s in manifest_of(DATA)
    }
    sections[name] = memoryview(content)
    return b"".join(container._pack(sections))


def test_the_helpers_make_valid_files():
    assert (
        container.write(container.read(with_manifest(json.dumps(manifest_of(DATA)).encode())))
        == DATA
    )
    assert with_section("weights", bytes(range(96))) == DATA


MANIFESTS = {
    "no JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "no list": b"{}",
    "deep": b"[" * 5000,
    "empty": b"[]",
    "long number": b'[{"name": "program", "offset": '
    + b"9" * 5000
    + b', "size": 1, "sha256": ""}]',
    "other keys": b'[{"name": "program", "offset": 64, "size": 1, "sha256": "", "more": 1}]',
}


@pytest.mark.parametrize("text", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_bad_manifests(text):
    with pytest.raises(DiagnosticError):
        container.read(with_manifest(text))


@pytest.mark.parametrize("key", ["offset", "size"])
@pytest.mark.parametrize(
    "value", [-1, -64, 2**40, 2**62, 2**63, 2**64, 2**200, 1.5, True, "1", None, [], 0]
)
def test_bad_sizes_in_the_manifest(key, value):
    sections = manifest_of(DATA)
    sections[1][key] = value
    with pytest.raises(DiagnosticError):
        container.read(with_manifest(json.dumps(sections).encode()))


@pytest.mark.parametrize("change", ["reverse", "drop", "twice", "rename"])
def test_bad_sections(change):
    sections = manifest_of(DATA)
    if change == "reverse":
        sections.reverse()
    elif change == "drop":
        del sections[-1]
    elif change == "twice":
        sections.append(sections[-1])
    else:
        sections[3]["name"] = "stream9"
    with pytest.raises(DiagnosticError):
        container.read(with_manifest(json.dumps(sections).encode()))


SECTIONS = [
    ("program", b""),
    ("program", b"null"),
    ("program", b"[[[["),
    ("program", b"{}"),
    ("target", b"{}"),
    ("target", b"\xff"),
    ("target", b"[" * 5000),
    ("debug", b"[]"),
    ("debug", b'[["x", []]]'),
    ("debug", b'[["", [1]]]'),
    ("stream0", b"\0" * 127),
    ("stream0", b"\0" * 128),
    ("stream0", b"\xff" * 256),
    ("weights", b"1"),
    ("other", b""),
]


@pytest.mark.parametrize(("name", "content"), SECTIONS)
def test_bad_contents(name, content):
    with pytest.raises(DiagnosticError):
        container.read(with_section(name, content))


DESCRIPTIONS = [
    ("counters", -1),
    ("counters", 2**17),
    ("counters", "1"),
    ("local_bytes", [2**40, 1]),
    ("local_bytes", [1]),
    ("local_bytes", []),
    ("acc_bytes", [-1, 0]),
    ("segment_sizes", {"weights": 96, "input": 2**62, "output": 40, "scratch": 0}),
    ("segment_sizes", {"weights": 95, "input": 64, "output": 40, "scratch": 0}),
    ("segment_sizes", {"weights": 96, "input": 63, "output": 40, "scratch": 0}),
    ("segment_sizes", {"weights": 96, "input": 64, "output": 40, "scratch": 0, "more": 0}),
    ("segment_sizes", {"weights": 96, "input": -1, "output": 40, "scratch": 0}),
    ("inputs", [{"name": "x", "shape": [2**31, 2**31, 2**31], "storage": "f32", "offset": 0}]),
    ("inputs", [{"name": "x", "shape": [-1, -16], "storage": "f32", "offset": 0}]),
    ("inputs", [{"name": "x", "shape": [1], "storage": "f31", "offset": 0}]),
    ("inputs", [{"name": "x", "shape": [1], "storage": "none", "offset": 0}]),
    ("inputs", [{"name": "x", "shape": [1], "storage": "f32", "offset": -4}]),
    ("inputs", 2 * [{"name": "x", "shape": [1], "storage": "f32", "offset": 0}]),
    *(
        ("inputs", [{"name": "x", "shape": [2, 2], "storage": "i8", "offset": 0, **wrong}])
        for wrong in (
            {"order": [0, 0]},
            {"order": [0]},
            {"model": "f32"},
            {"model": "f99"},
            {"model": "f32", "scale": 0.5},
            {"model": "f32", "zero_point": 0},
            {"model": "f32", "scale": -1.0, "zero_point": 0},
            {"model": "f32", "scale": 0.5, "zero_point": 300},
            {"layout": "nhwc"},
        )
    ),
    ("name", 3),
]


@pytest.mark.parametrize(("key", "value"), DESCRIPTIONS)
def test_bad_descriptions(key, value):
    section = next(s for s in manifest_of(DATA) if s["name"] == "program")
    description = json.loads(DATA[section["offset"] : section["offset"] + section["size"]])
    assert key in description
    description[key] = value
    if key == "local_bytes" and value == []:
        # Left out means all of it, for each core.
        container.read(with_section("program", json.dumps(description).encode()))
        return
    with pytest.raises(DiagnosticError):
        container.read(with_section("program", json.dumps(description).encode()))


@settings(max_examples=50)
@given(st.data())
def test_any_words_are_a_program_or_a_diagnostic(data):
    """With checksums that are right: what the checks of instructions have to stop."""
    stream = make_program().streams[0].copy().view(np.uint8)
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    try:
        container.read(with_section("stream0", stream.tobytes()))
    except DiagnosticError as error:
        assert ", instruction " in str(error)
