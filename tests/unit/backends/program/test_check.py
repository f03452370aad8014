"""The check of programs: what is wrong, in which instruction, from which node."""

import numpy as np
import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.instructions.instruction_set import BY_MNEMONIC
from smalti.backends.program.check import check_program
from smalti.backends.program.encoding import WORD, encode, encode_stream, select, word_dtype


def test_the_sample_is_valid(program):
    check_program(program)


def test_a_mistake_is_told_with_its_place(program):
    indices, words = select(program.streams[0], BY_MNEMONIC["conv2d"])
    words["x"] = 2 * 2**20 - 1
    program.streams[0][indices] = words.view(WORD)
    with pytest.raises(DiagnosticError) as error:
        check_program(program, "net.smalti")
    assert str(error.value) == (
        "net.smalti: core 0, instruction 3 (conv2d): error: field 'x': it reads bytes 0x1fffff to "
        "0x20063f of local memory, of which the program uses 0x200000\n"
        "  note: it computes 'y'\n"
        '  note: ONNX node a "b", c\\d\n\n'
        "  hint: compile the program again"
    )


HEADER = [
    ("opcode", 0, "no such instruction, got 0"),
    ("engine", 4, "no such engine, got 4"),
    ("engine", 2, "it runs on vector, got matrix"),
    ("reserved", 1, "'reserved' is not 0, got 1"),
    ("wait_vector", 1, "though the instruction runs there itself"),
    ("wait_matrix", 2, "waits for more matrix instructions than stand before it, got 2"),
    ("wait_value", 1, None),
    ("wait_counter", 1, "'wait_counter' names no counter"),
    ("signal_cores", 4, "names a core beyond the last (2 cores), got 4"),
    ("signal_cores", 2**63, "names a core beyond the last"),
    ("signal_counter", 1, "'signal_counter' names no counter"),
    ("debug", 3, "names no entry of the debug map (it has 3), got 3"),
]


@pytest.mark.parametrize(("field", "value", "message"), HEADER)
def test_headers(program, field, value, message):
    stream = program.streams[0]
    assert stream["opcode"][4] == BY_MNEMONIC["epilogue"].opcode
    stream[field][4] = value
    if message is None:
        check_program(program)
        return
    with pytest.raises(DiagnosticError) as error:
        check_program(program)
    assert "core 0, instruction 4" in str(error.value)
    assert message in str(error.value)


FIELDS = [
    ("conv2d", {"block": 0}, "'block' is 1 to 4294967295"),
    ("conv2d", {"groups": 0}, "'groups' is 1 to"),
    ("conv2d", {"type": 0}, "'type' is one of i8,"),
    ("conv2d", {"type": 200}, "'type' is one of i8,"),
    ("conv2d", {"accumulate": 2}, "'accumulate' is 0 to 1"),
    ("conv2d", {"groups": 3}, "in_channels a multiple of groups, got in_channels=16, groups=3"),
    ("conv2d", {"in_channels": 17}, "in_channels <= in_pitch, got in_channels=17, in_pitch=16"),
    ("conv2d", {"in_height": 65535, "in_width": 65535}, "field 'x': it reads bytes"),
    ("conv2d", {"w": 0xFFFFFFFF}, "field 'w': it reads bytes"),
    ("conv2d", {"acc": 2**18 - 1}, "of acc memory, of which the program uses 0x40000"),
    ("conv2d", {"acc_type": 10}, "type and acc_type both integer or both float"),
    ("epilogue", {"residual": 5}, "channels <= residual_pitch when there is a residual"),
    ("epilogue", {"clamp_low": float("nan")}, "'clamp_low' is a number"),
    ("epilogue", {"clamp_low": 1.0}, "clamp_low <= clamp_high"),
    ("load", {"src": 2**63}, "'src' is 0 to"),
    ("load", {"src": 97}, "of segment 'weights', which has 0x60"),
    ("load", {"dst_space": 0}, "dst_space one of local, got dst_space=global"),
    ("load", {"count0": 2**32 - 1}, "runs overlap"),
    ("load", {"src_stride1": -65, "count1": 2}, "it reads bytes -0x41"),
    ("load", {"peer_core": 1}, "peer_core 0 unless both memories are local"),
    ("store", {"dst_segment": 0}, "dst_segment output or scratch"),
    ("store", {"group": 1}, "group 0"),
    ("store", {"dst": 21}, "of segment 'output', which has 0x28"),
    ("convert", {"scale": 0.0}, "scale > 0"),
    ("convert", {"shift": 63}, "shift <= 62"),
    ("binary", {"kind": 99}, "'kind' is one of add, sub, mul, div"),
    ("binary", {"kind": 3}, "a type that its kind has"),
    ("unary", {"kind": 99}, "'kind' is one of abs"),
    ("unary", {"type": 1}, "type bool where its kind is not , and a float type otherwise"),
    ("unary", {"columns": 17}, "columns <= in_pitch"),
    ("lookup", {"in_type": 10}, "in_type one of i8, u8"),
    ("select", {"condition": 0xFFFFFF}, "'condition'"),
    ("reduce", {"length": 2**32 - 1, "length_stride": 0}, "runs overlap"),
    ("gather", {"row_offset": 9}, "row_offset + row_bytes <= pitch"),
    ("gather", {"index_space": 2}, "index_space one of global, local"),
    ("gather", {"table_rows": 2**20}, "of segment 'weights'"),
    ("resample", {"gather": 1}, "taps 1 to gather"),
    ("softmax", {"type": 1}, "type one of f16"),
    ("normalize", {"length": 9}, "length * inner <= pitch"),
    ("normalize", {"epsilon": -1.0}, "epsilon >= 0"),
    ("normalize", {"parameter_rows": 3}, "rows a multiple of parameter_rows"),
    ("normalize", {"parameter_length": 2}, "length a multiple of parameter_length"),
    ("normalize", {"parameter_inner": 3}, "parameter_inner 1 or inner"),
    ("local_response_norm", {"alpha": float("inf")}, "finite alpha"),
    ("local_response_norm", {"type": 1}, "type one of f16"),
    ("matmul", {"k": 5, "x_pitch": 8}, "k <= block when transpose_w"),
]


@pytest.mark.parametrize(("mnemonic", "values", "message"), FIELDS)
def test_fields(program, mnemonic, values, message):
    indices, words = select(program.streams[0], BY_MNEMONIC[mnemonic])
    for name, value in values.items():
        words[name][0] = value
    program.streams[0][indices] = words.view(WORD)
    with pytest.raises(DiagnosticError) as error:
        check_program(program)
    assert f"core 0, instruction {indices[0]} ({mnemonic})" in str(error.value)
    assert message in str(error.value)


def test_the_other_core_has_to_be_there(program):
    indices, words = select(program.streams[0], BY_MNEMONIC["load"])
    words["peer_core"][1] = 9
    program.streams[0][indices] = words.view(WORD)
    with pytest.raises(DiagnosticError, match="'peer_core' names core 8, there are 2"):
        check_program(program)


def test_bytes_after_the_fields_are_zero(program):
    dtype = word_dtype(BY_MNEMONIC["softmax"])
    indices, words = select(program.streams[0], BY_MNEMONIC["softmax"])
    assert words.dtype == dtype
    words["padding"][0, 3] = 1
    program.streams[0][indices] = words.view(WORD)
    with pytest.raises(DiagnosticError, match="bytes after its last field"):
        check_program(program)


def test_loads_of_a_multicast_group_agree(program):
    words = program.streams[1][:1].view(word_dtype(BY_MNEMONIC["load"])).copy()
    words["src"] = 16
    program.streams[1][:1] = words.view(WORD)
    with pytest.raises(DiagnosticError, match="multicast group 7 read different bytes"):
        check_program(program)


def test_a_core_loads_once_in_a_multicast_group(program):
    program.streams[1][1] = program.streams[1][0]
    with pytest.raises(DiagnosticError, match="a load to core 1 is in multicast group 7 already"):
        check_program(program)


def sent(core: int = 0, **fields: int | str) -> tuple[str, dict]:
    """A store of multicast group 8 to the local memory of a core; 0: its own."""
    spaces = {"src_space": "local", "dst_space": "local", "peer_core": core}
    return "store", spaces | {"src": 0, "dst": 256, "run": 64, "group": 8} | fields


STORES = [
    ([sent(), sent(2)], [], None),
    ([sent(), sent(2, run=32)], [], "field 'group': the stores of multicast group 8 read different bytes"),
    ([sent(), sent(2, pad=32)], [],
     "field 'pad': the stores of multicast group 8 differ in it, got 0 and 32"),
    ([sent(), sent(2, dst_stride0=64)], [],
     "field 'dst_stride0': the stores of multicast group 8 differ in it, got 0 and 64"),
    ([sent(2), sent(2)], [], "field 'group': a store to core 1 is in multicast group 8 already"),
    ([sent(), sent(1)], [], "field 'group': a store to core 0 is in multicast group 8 already"),
    ([sent(), ("sync", {"engine": "dma_out"}), sent(2)], [],
     "field 'group': the stores of multicast group 8 do not stand side by side in dma_out"),
    ([sent(), ("sync", {"engine": "vector"}), sent(2)], [], None),
    ([sent(2)], [sent(0)], "field 'group': the stores of multicast group 8 stand on core 0: one sends to all"),
    ([sent(group=7)], [], "field 'group': multicast group 7 has loads and stores"),
    ([sent(dst_space="global", dst_segment="output")], [], "group 0 unless it writes local memory"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "message"), STORES)
def test_stores_of_a_multicast_group_agree(program, first, second, message):
    """The sample program has loads in group 7."""
    for core, words in enumerate((first, second)):
        program.streams[core] = np.concatenate([program.streams[core], encode_stream(words)])
    if message is None:
        check_program(program)
        return
    with pytest.raises(DiagnosticError) as error:
        check_program(program)
    assert message in str(error.value)


def test_more_cores_than_the_target_has(program):
    program.streams = [encode("sync", {"engine": "vector"})] * 9
    with pytest.raises(DiagnosticError, match="for 9 cores, target 'default-8c' has 8"):
        check_program(program)
    program.streams = []
    with pytest.raises(DiagnosticError, match="for 0 cores"):
        check_program(program)
