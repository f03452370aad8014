"""IR as text: what is printed is read back, special floats stay whole, mistakes are diagnostics
with a place.
"""

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects import top
from smalti.dialects.context import make_context
from smalti.dialects.ir.context import SmaltiContext
from smalti.dialects.ir.location import names_of
from smalti.dialects.ir.source_text import SourceText
from smalti.dialects.ir.text.file_metadata import take_metadata
from smalti.dialects.ir.text.module_text import (
    parse_module,
    print_module,
    read_module,
    save_changed_weights,
    verify,
    write_module,
)
from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    ModuleOp,
    StringAttr,
    TensorType,
    bf16,
    f16,
    f32,
    f64,
)

from tests.shared_files import ROOT

LIT = ROOT / "tests" / "lit" / "dialects"
OPS = sorted([*LIT.glob("*/ops.mlir"), *LIT.glob("*/sub_channel.mlir")])
MLIR_OPT = next(filter(None, map(shutil.which, ("mlir-opt", "mlir-opt-19", "mlir-opt-20"))), None)


def parse(text: str, file: str | None = None) -> ModuleOp:
    return parse_module(text, make_context(), file)


@pytest.mark.parametrize("path", OPS, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("generic", [False, True])
def test_every_op_round_trips_to_the_letter(path: Path, generic: bool):
    module = parse(path.read_text())
    text = print_module(module, generic=generic)
    again = parse(text)
    assert again.is_structurally_equivalent(module)
    assert print_module(again, generic=generic) == text
    assert print_module(again) == print_module(module)


@pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt is not installed (Debian: mlir-19-tools)")
@pytest.mark.parametrize("path", [p for p in OPS if p.stem == "ops"], ids=lambda p: p.parent.name)
def test_mlir_reads_the_generic_form_and_gives_it_back(path: Path):
    """MLIR 19 knows no sub-channel types, so those are left out."""
    assert MLIR_OPT is not None
    module = parse(path.read_text())
    done = subprocess.run(
        [MLIR_OPT, "--allow-unregistered-dialect", "--mlir-print-op-generic",
         "--mlir-print-debuginfo"],
        input=print_module(module, generic=True), capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert parse(done.stdout).is_structurally_equivalent(module)
    names = [names_of(op.location) for op in module.walk()]
    assert [names_of(op.location) for op in parse(done.stdout).walk()] == names


FLOATS = {f16: ("<e", "<u2"), bf16: (None, "<u2"), f32: ("<f", "<u4"), f64: ("<d", "<u8")}


@settings(max_examples=50)
@given(type=st.sampled_from(list(FLOATS)), data=st.data(), length=st.integers(1, 6))
def test_every_float_in_a_dense_list_keeps_its_bits(type, data, length):
    dtype = np.dtype(FLOATS[type][1])
    bits = np.array(
        data.draw(st.lists(st.integers(0, np.iinfo(dtype).max), min_size=length, max_size=length)),
        dtype,
    )
    # Python's floats do not keep the payload of a NaN of another width: canonical NaNs only.
    values = list(type.iter_unpack(bits.tobytes()))
    bits = np.where([v != v for v in values], np.frombuffer(type.pack([float("nan")]), dtype), bits)
    attribute = DenseIntOrFPElementsAttr(
        TensorType(type, [length]), DenseArrayBase.from_list(f64, []).data.__class__(bits.tobytes())
    )
    weight = top.WeightOp("w", type=TensorType(type, [length]), value=attribute)
    text = print_module(ModuleOp([weight]))
    read = next(iter(parse(text).ops))
    assert isinstance(read, top.WeightOp) and read.value is not None
    assert read.value.data.data == attribute.data.data


def test_hexadecimal_elements_are_bits_as_in_mlir():
    value = "dense<[0.1, 0x4B800000, 0x7F800000]> : tensor<3xf32>"
    op = next(iter(parse(f'%0 = top.weight "w" value = {value} : tensor<3xf32>').ops))
    assert isinstance(op, top.WeightOp) and op.value is not None
    values = op.value.get_values()
    assert values == (struct.unpack("<f", struct.pack("<f", 0.1))[0], 16777216.0, float("inf"))


def test_aliases_may_stand_at_the_end_and_depend_on_each_other():
    op = 'top.weight "{0}" seed = 1 : tensor<2xf32> loc(#loc{0})'
    text = f"%a = {op.format(1)}\n%b = {op.format(2)}\n" + (
        '#loc2 = loc(fused[#loc1, #loc3])\n#loc1 = loc("first")\n#loc3 = loc("third")\n'
    )
    first, second = parse(text).ops
    assert names_of(first.location) == ["first"]
    assert names_of(second.location) == ["first", "third"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '%0 = top.weight "w" seed = : tensor<2xf32>',
            "m.mlir:1:28: error: a whole number was expected",
        ),
        ("\n\n  %0 = top.nothing", "m.mlir:3:8: error: there is no op 'top.nothing'"),
        (
            '#loc1 = loc("a")\n%0 = top.weight "w"',
            "m.mlir:2:19: error: ':' and the types were expected",
        ),
        ('%0 = top.weight "w" : tensor<2xf32>', "m.mlir:1:1: error: 'top.weight': exactly one of"),
        (
            '%0 = top.relu "r" %x : (tensor<2xf32>) -> tensor<2xf32>',
            "1:19: error: value %x is used",
        ),
        ("", "m.mlir: error: there is no IR in the text"),
        ("func.func @f() { ", "m.mlir:1:"),
        ("%0 = " + "(" * 5000, "m.mlir:1:"),
        ("module attributes {v = 70000.0 : f16} {}", "m.mlir:1:"),
        ('top.weight "w" value = dense<0x1FFFF> : tensor<1xf16> : tensor<1xf16>', "too many bits"),
        ('"top.weight"() : () -> ()', "m.mlir:1:1: error: 'top.weight': "),
        ('#a = loc("x")\n#a = loc("y")\n', "alias '#a' is defined twice"),
        ("#a = loc(#b)\n#b = loc(#a)\nmodule {}", "error"),
        ("\0", "error"),
        ("func.func private @f(i34567890123456789)", "integer types have at most 1024 bits"),
        ("func.func private @f(!quant.uniform<i99999999:f32, 0.5>)", "at most 1024 bits"),
        (
            '%0 = "x.y"() {v = dense<0> : tensor<99999999999xi8>} : () -> ()',
            "there is no dialect 'x'",
        ),
        (
            "module attributes {v = dense<0> : tensor<99999999999xi8>} {}",
            "at most 4194304 elements",
        ),
        ('module {} "' + "a" * 200, "the string is not closed"),
    ],
)
def test_mistakes_are_told_at_their_place(text: str, message: str):
    with pytest.raises(DiagnosticError) as caught:
        parse(text, "m.mlir")
    assert message in str(caught.value)


@settings(max_examples=50)
@given(data=st.data())
def test_damaged_text_never_gives_anything_but_a_diagnostic(data):
    text = (LIT / data.draw(st.sampled_from(["quant", "top"])) / "ops.mlir").read_text()
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    junk = data.draw(st.text(alphabet='%#!<>(){}[]:=,-0x1."abc\n', max_size=4))
    try:
        parse(text[:start] + junk + text[end:], "m.mlir")
    except DiagnosticError as error:
        assert "m.mlir" in str(error)


def test_deep_nesting_is_told():
    with pytest.raises(DiagnosticError, match="nested too deeply"):
        parse("module {" * 2000 + "}" * 2000)


def module_with_weight(ctx: SmaltiContext) -> ModuleOp:
    key = ctx.weights.add("conv.weight", np.arange(4, dtype=np.float32))
    return ModuleOp([top.WeightOp("w", type=TensorType(f32, [4]), key=key)])


def test_weights_travel_beside_the_ir(tmp_path: Path):
    ctx = make_context()
    write_module(module_with_weight(ctx), tmp_path / "m.top.mlir", ctx)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.top.mlir", "m.top.safetensors"]
    assert not ctx.weights.changed
    ctx = make_context()
    module = read_module(tmp_path / "m.top.mlir", ctx)
    np.testing.assert_array_equal(ctx.weights.get("conv.weight"), np.arange(4))
    (tmp_path / "m.top.safetensors").touch()
    before = (tmp_path / "m.top.safetensors").stat().st_mtime_ns
    write_module(module, tmp_path / "n.top.mlir", ctx)
    assert not (tmp_path / "n.top.safetensors").exists(), "unchanged weights are not copied"
    assert (tmp_path / "m.top.safetensors").stat().st_mtime_ns == before


def test_new_weights_of_ir_for_standard_output_go_to_a_file(tmp_path: Path):
    ctx = make_context()
    module = module_with_weight(ctx)
    save_changed_weights(module, ctx, tmp_path / "w.safetensors")
    assert module.attributes["smalti.weights"] == StringAttr("w.safetensors")
    assert (tmp_path / "w.safetensors").exists()


@pytest.mark.parametrize("path", ["../w.safetensors", "/etc/w.safetensors", "a/../../w"])
def test_weights_outside_the_folder_are_refused(path: str, tmp_path: Path):
    file = tmp_path / "inner" / "m.mlir"
    file.parent.mkdir()
    file.write_text(f'module attributes {{smalti.weights = "{path}"}} {{}}')
    with pytest.raises(DiagnosticError, match="outside the folder of the IR file"):
        read_module(file, make_context())


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret").write_bytes(b"")
    (tmp_path / "inner" / "w").symlink_to(tmp_path / "secret")
    file = tmp_path / "inner" / "m.mlir"
    file.write_text('module attributes {smalti.weights = "w"} {}')
    with pytest.raises(DiagnosticError, match="outside the folder"):
        read_module(file, make_context())


def test_files_that_are_no_text_are_told(tmp_path: Path):
    (tmp_path / "m.mlir").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DiagnosticError, match="not a text file"):
        read_module(tmp_path / "m.mlir", make_context())
    with pytest.raises(DiagnosticError, match="cannot read"):
        read_module(tmp_path / "none.mlir", make_context())
    with pytest.raises(DiagnosticError, match="cannot write"):
        write_module(ModuleOp([]), tmp_path / "none" / "m.mlir", make_context())


def test_a_wrong_op_is_told_in_a_few_lines():
    weights = [top.WeightOp(f"w{i}", type=TensorType(f32, [4]), seed=i) for i in range(300)]
    del weights[200].properties["seed"]
    with pytest.raises(DiagnosticError) as caught:
        verify(ModuleOp(weights))
    text = str(caught.value)
    assert "exactly one of key, seed and value" in text and '> %1 = top.weight "w200"' in text
    assert len(text) < 500


def test_weights_of_another_compilation_are_told(tmp_path: Path):
    """As a run that is killed between two renames leaves them."""

    def written(name: str, value: float) -> Path:
        ctx = make_context()
        ctx.weights.add("w", np.full((4,), value, np.float32))
        text = (
            "func.func @main() -> tensor<4xf32> {\n"
            '  %w = top.weight "w" key = "w" : tensor<4xf32>\n  func.return %w : tensor<4xf32>\n}'
        )
        folder = tmp_path / name
        folder.mkdir()
        write_module(parse_module(text, ctx), folder / "m.mlir", ctx)
        return folder

    old, new, same = written("old", 1), written("new", 2), written("same", 1)
    weights = "m.safetensors"
    assert (old / weights).read_bytes() == (same / weights).read_bytes()
    read_module(old / "m.mlir", make_context())
    (old / weights).write_bytes((new / weights).read_bytes())
    with pytest.raises(DiagnosticError, match=r"'m.safetensors' does not belong to this IR"):
        read_module(old / "m.mlir", make_context())
    # Weights that another tool wrote carry no hash.
    save_file({"w": np.full((4,), 3, np.float32)}, old / weights)
    read_module(old / "m.mlir", make_context())
    save_file({"w": np.full((4,), 3, np.float32)}, old / weights, metadata={"format": "np"})
    read_module(old / "m.mlir", make_context())


def test_comments_may_hold_the_metadata_of_other_files():
    """Golden tests have expected texts in their comments, and those of IR with new weights end in metadata."""
    ir = "builtin.module {\n}\n"
    comments = "// CHECK: {-#\n// CHECK-NEXT:   external_resources: {\n// CHECK-NEXT: #-}\n"
    own = '{-#\n  external_resources: {\n    mine: {\n      key: "value"\n    }\n  }\n#-}\n'
    assert print_module(parse(ir + comments), debug_info=False) == ir
    metadata = take_metadata(SourceText(ir + comments + own, "a.mlir"))
    assert metadata == (ir + comments, {"mine": {"key": "value"}})
    same_line = SourceText(f"builtin.module {{}} {own}", "a.mlir")
    assert take_metadata(same_line).external == metadata.external
