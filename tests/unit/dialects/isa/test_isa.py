"""The isa dialect: both readers of lines, mistakes explained at their place, streams verified."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.instructions.field_range import bounds
from smalti.backends.instructions.instruction_set import BY_MNEMONIC, INSTRUCTIONS, Field
from smalti.backends.targets.target import load_target
from smalti.dialects import isa
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, print_module
from smalti.dialects.isa.grammar import LineError, read_line
from smalti.dialects.isa.line import NAME, Line, line_format, quoted, unquoted
from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, ModuleOp, StringAttr, i64
from xdsl.utils.exceptions import VerifyException

HASH = load_target("default-8c").content_hash


def codes_of(field: Field) -> st.SearchStrategy:
    if field.kind == "real":
        return st.floats(allow_nan=False, width=32 if field.dtype == "<f4" else 64)
    low, high = bounds(field)
    values = st.integers(low, high) | st.sampled_from([low, high])
    return values if field.default is None else values | st.just(int(field.default))


def numbers(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


@st.composite
def lines(draw: Any) -> Line:
    instruction = draw(st.sampled_from(INSTRUCTIONS))
    names = st.from_regex(NAME, fullmatch=True).filter(lambda name: name.isascii())
    signal = draw(
        st.none() | st.tuples(numbers(2**16), st.sets(numbers(64), min_size=1, max_size=4))
    )
    return Line(
        draw(names),
        instruction,
        tuple(draw(codes_of(f)) for f in instruction.fields if f.kind != "real"),
        tuple(float(draw(codes_of(f))) for f in instruction.fields if f.kind == "real"),
        None
        if instruction.engine
        else draw(st.sampled_from(["dma_in", "dma_out", "matrix", "vector"])),
        tuple(draw(st.lists(names, max_size=3))),
        draw(st.none() | st.tuples(numbers(2**16), st.integers(1, 2**32 - 1))),
        None if signal is None else (signal[0], *sorted(signal[1])),
        draw(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)),
        draw(
            st.none() | st.sampled_from(['loc("x")', 'loc(fused["a (b)", "c//"])', 'loc("f":1:2)'])
        ),
    )


@pytest.mark.share(3)
@settings(max_examples=50)
@given(lines())
def test_both_readers_read_what_is_written(line):
    text = line_format(line.instruction).write(line)
    for indent in ("", "    "):
        fast = line_format(line.instruction).read(indent + text)
        assert fast is not None
        assert repr(fast) == repr(line)
    assert repr(read_line(text)) == repr(line)
    loose = text.replace(": ", "  :\t", 1).replace("=", " = ", 1)
    assert repr(read_line(f"\t {loose}  // said so")) == repr(line)


@settings(max_examples=50)
@given(st.data())
def test_bad_lines_are_explained(data):
    """Whatever is done to a line: it is read, or a LineError points into it."""
    line = data.draw(lines())
    text = line_format(line.instruction).write(line)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(position, min(len(text), position + 6)))
        text = (
            text[:position]
            + data.draw(st.sampled_from(["", "x", "=", ",", '"', "9" * 30, "{", " "]))
            + text[end:]
        )
    try:
        read_line(text)
    except LineError as error:
        assert 0 <= error.start <= len(text)
        assert error.message


@settings(max_examples=50)
@given(st.text())
def test_any_text_is_read_or_explained(text):
    try:
        read_line(text.replace("\n", " "))
    except LineError as error:
        assert error.message


@settings(max_examples=50)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_strings_come_back(text):
    assert unquoted(quoted(text)) == text
    assert quoted(text).isascii()


MISTAKES = [
    ("v0: softmx x=1", 4, "there is no instruction 'softmx'", "did you mean 'softmax'?"),
    ("v0 softmax x=1", 2, "expected ':'", ""),
    ("v0:", 3, "expected an instruction", ""),
    ("= 3", 0, "expected an instruction: NAME: MNEMONIC", ""),
    ("v0: softmax x=1, typ=f32", 17, "unexpected 'typ', expected", "did you mean 'type'?"),
    ("v0: softmax x=1, type=f31", 22, "unexpected 'f31', expected none, i8", ""),
    ("v0: softmax x=1 out=2", 16, "unexpected 'out', expected", "','"),
    ("v0: softmax x=", 14, "the line ends too early, expected an integer", ""),
    ("v0: softmax x=1, x=2", 17, "field 'x' is there twice", ""),
    ("v0: softmax x=1", 4, "out= is missing (byte address)", ""),
    (
        "d0: fill dst=0x1ffffffff, count=1, type=i8",
        13,
        "'dst' is 0 to 4294967295",
        "got 8589934591",
    ),
    ("d0: fill dst=0, count=0, type=i8", 22, "'count' is 1 to", ""),
    ("d0: fill dst=0, count=1, type=none", 30, "'type' is one of i8", ""),
    ("d0: fill dst=0, count=1, type=i8, value=nan", 40, "unexpected 'nan', expected a number", ""),
    ("m0: sync after d0", 4, "engine= is missing", ""),
    ("m0: sync engine=cpu", 16, "unexpected 'cpu', expected dma_in", ""),
    (
        "m0: sync engine=matrix after",
        28,
        "the line ends too early, expected an instruction's name",
        "",
    ),
    ("m0: sync engine=matrix wait 5>=1", 28, "expected a counter", ""),
    ("m0: sync engine=matrix signal c1@{}", 34, "expected a number", ""),
    ('m0: sync engine=matrix for "\\FF"', 27, "not UTF-8", ""),
    ("m0: sync engine=matrix loc", 23, "expected", ""),
]


@pytest.mark.parametrize(("text", "start", "message", "more"), MISTAKES)
def test_mistakes_are_explained_at_their_place(text, start, message, more):
    with pytest.raises(LineError) as error:
        read_line(text)
    assert message in error.value.message
    assert more in error.value.message
    assert error.value.start == start


def test_a_mistake_in_a_file_is_told_with_line_and_column():
    text = print_module(module_of([sync("m0")])).replace("engine=matrix", "engine=matrx")
    with pytest.raises(DiagnosticError) as error:
        parse_module(text, make_context(), "net.isa.mlir")
    place = error.value.place
    assert place is not None
    row = text.splitlines().index("      m0: sync engine=matrx") + 1
    assert (place.file, place.line, place.column) == ("net.isa.mlir", row, 23)


def test_a_listing_without_end():
    text = print_module(module_of([sync("m0")]), debug_info=False)
    with pytest.raises(DiagnosticError, match="the listing has no end"):
        parse_module(text[: text.index("m0: sync") + 22], make_context())


def sync(name: str, **more: Any) -> isa.InstructionOp:
    return isa.instruction_op("sync", name, {}, engine="matrix", **more)


def module_of(
    instructions: list[isa.InstructionOp], streams: int = 1, counters: int = 2, **more: Any
) -> ModuleOp:
    listings = [
        isa.StreamOp.get(core, 64, 0, instructions if core == 0 else []) for core in range(streams)
    ]
    settings: dict[str, Any] = {"segments": {"input": 64}, "inputs": [], "outputs": []} | more
    return ModuleOp(
        [
            isa.ProgramOp.get(
                "p", "default-8c", HASH, counters=counters, streams=listings, **settings
            )
        ]
    )


def test_free_spacing_and_comments_are_read():
    text = print_module(
        module_of([sync("m0"), sync("m1", wait=(1, 2), signal=(0, [0]))]), debug_info=False
    )
    loose = text.replace(
        "m1: sync engine=matrix", "\n // about m1\n  m1 :sync  engine = matrix // so\n\n"
    ).replace(" wait c1>=2", "")
    assert loose != text
    with pytest.raises(DiagnosticError):
        parse_module(loose, make_context())
    loose = text.replace(
        "m1: sync engine=matrix wait c1>=2", "\n // m1\n m1 :sync  engine = matrix  wait c1 >= 2"
    )
    assert print_module(parse_module(loose, make_context()), debug_info=False) == text
    assert (
        print_module(parse_module(text.replace("\n", "\r\n"), make_context()), debug_info=False)
        == text
    )


def test_other_kinds_of_location():
    text = print_module(module_of([sync("m0")]))
    for location in ('"net.onnx":3:14', 'callsite("a" at fused["b", "c"])', '"a"("b")', "unknown"):
        located = text.replace("engine=matrix", f"engine=matrix loc({location})")
        again = print_module(parse_module(located, make_context()))
        assert again == (text if location == "unknown" else located)


def test_an_instruction_that_stands_alone_reads_back():
    op = isa.instruction_op(
        "fill", "d0", {"dst": 64, "count": 2, "type": "i8", "value": 1.0}, after=["m3"]
    )
    text = print_module(ModuleOp([op]))
    assert "isa.fill d0: dst=0x40, count=2, type=i8, value=1.0 after m3" in text
    assert print_module(parse_module(text, make_context(), check=False)) == text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dst": 0, "count": 1}, "'d0' (fill) needs its field 'type'"),
        ({"dst": 0, "count": 1, "type": "i8", "size": 3}, "has no field 'size'"),
        ({"dst": 0, "count": -1, "type": "i8"}, "'count' is 1 to 4294967295 (elements), got -1"),
        ({"dst": 0, "count": 1, "type": "int8"}, "'type' is one of i8"),
    ],
)
def test_building_an_instruction_checks_its_fields(fields, message):
    with pytest.raises(DiagnosticError) as error:
        isa.instruction_op("fill", "d0", fields)
    assert message in str(error.value)


def test_an_f32_field_is_rounded_when_built_and_checked_when_read():
    fields = {"kind": "add", "type": "f32", "a": 0, "b": 0, "out": 0, "clamp_high": 0.1}
    op = isa.instruction_op("binary", "v0", fields)
    assert op.values()["clamp_high"] == 0.10000000149011612
    line = line_format(BY_MNEMONIC["binary"]).write(op.line())
    with pytest.raises(LineError, match=r"stored as f32, which cannot hold 0\.1"):
        read_line(line.replace("0.10000000149011612", "0.1"))


def fill(name: str, **fields: Any) -> isa.InstructionOp:
    return isa.instruction_op("fill", name, {"dst": 0, "count": 1, "type": "i8"} | fields)


def changed(op: isa.InstructionOp, **properties: Any) -> isa.InstructionOp:
    for name, value in properties.items():
        if value is None:
            del op.properties[name]
        else:
            op.properties[name] = value
    return op


def ints(*values: int) -> DenseArrayBase:
    return DenseArrayBase.from_list(i64, list(values))


INVALID: list[tuple[list[isa.InstructionOp], str]] = [
    ([sync("a"), sync("a")], "two instructions are called 'a'"),
    (
        [sync("a", after=["b"]), sync("b")],
        "'a' is after 'b', which is not an instruction that stands earlier",
    ),
    ([sync("a", wait=(2, 1))], "'wait' names counter 2, the program has 2"),
    ([sync("a", signal=(5, [0]))], "'signal' names counter 5, the program has 2"),
    ([sync("a", signal=(0, [1]))], "'signal' names core 1, the program has 1"),
    ([changed(sync("a"), engine=None)], "engine is one of dma_in"),
    (
        [changed(sync("a"), engine=StringAttr("cpu"))],
        "engine is one of dma_in, dma_out, matrix, vector, got cpu",
    ),
    ([changed(fill("a"), engine=StringAttr("vector"))], "always runs on engine dma_in"),
    ([changed(fill("a"), name=StringAttr("a b"))], "letters, digits and underscores"),
    ([changed(fill("a"), fields=ints(1, 2))], "it has 3 integer fields, got 2 values"),
    ([changed(fill("a"), fields=ints(1, 2, 99))], "'type' is one of i8, .* got 99"),
    ([changed(fill("a"), fields=ints(-1, 2, 1))], "'dst' is 0 to 4294967295"),
    ([changed(fill("a"), wait=ints(1))], "wait is a counter and a value of at least 1"),
    ([changed(fill("a"), wait=ints(1, 0))], "wait is a counter and a value of at least 1"),
    ([changed(fill("a"), signal=ints(1))], "signal is a counter and one or more"),
    (
        [changed(fill("a"), signal=ints(1, 3, 2))],
        "signal is a counter and one or more different cores, ascending",
    ),
    ([changed(fill("a"), after=ArrayAttr([]))], "'after' names no instruction"),
    (
        [fill("a", dst=64)],
        "'dst': it writes bytes 0x40 to 0x41 of local memory, of which the program uses 0x40",
    ),
]


@pytest.mark.parametrize(
    ("instructions", "message"), INVALID, ids=[message for _, message in INVALID]
)
def test_wrong_streams(instructions, message):
    with pytest.raises(VerifyException, match=message):
        module_of([op.clone() for op in instructions]).verify()


INVALID_PROGRAMS = [
    ({"segments": {"weights": 1}}, "'weights' has 1 bytes, and there is no key"),
    ({"key": "w"}, "'weights' has 0 bytes, and there is a key"),
    ({"segments": {"input": -1}}, "segments are 4 sizes"),
    ({"segments": {"scratch": 2**50}}, "the target's global memory has"),
    (
        {"inputs": [isa.PortAttr.get("x", "f32", (17,), 0)]},
        "input 'x' ends at byte 68 of segment 'input', which has 64",
    ),
    ({"outputs": [isa.PortAttr.get("y", "i8", (1,), 0)]}, "output 'y' ends at byte 1"),
    ({"streams": 0}, "one stream for each core"),
    ({"streams": 9}, "target 'default-8c' has 8 cores, got 9 streams"),
    ({"counters": 2**17}, "at most 65536 counters"),
]


@pytest.mark.parametrize(("more", "message"), INVALID_PROGRAMS)
def test_wrong_programs(more, message):
    with pytest.raises(VerifyException, match=message):
        module_of([], **more).verify()


def test_wrong_ports():
    with pytest.raises(VerifyException, match="no storage type 'f31'"):
        isa.PortAttr.get("x", "f31", (1,), 0)
    with pytest.raises(VerifyException, match="negative"):
        isa.PortAttr.get("x", "f32", (-1,), 0)
