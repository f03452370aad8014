"""Every command and option is seen to work, judged by what it prints and by the files that it leaves."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from smalti.backends.cpu.session import run_onnx
from smalti.backends.targets import target as targets
from smalti.dialects.level import NETWORK_LEVELS
from smalti.tools import opt
from smalti.tools.main import COMMANDS

from tests.unit.backends.runtime.served_network import network

from .conftest import Ran, small_model, without_bound

Smalti = Callable[..., Ran]
LEVELS = ("top", "tpu", "tile", "isa")


def ok(ran: Ran) -> str:
    """The output of a command that must have gone well."""
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    return ran.out


def outputs(path: Path) -> np.ndarray:
    with np.load(path, allow_pickle=False) as data:
        return data["y"]


@pytest.fixture
def reference(small_onnx: Path, small_data: Path, tmp_path: Path) -> Path:
    """ONNX Runtime's outputs of the small model for its data."""
    with np.load(small_data) as data:
        values = run_onnx(small_onnx, {"x": data["x"]})
    np.savez(tmp_path / "reference.npz", **values)  # pyright: ignore[reportArgumentType]
    return tmp_path / "reference.npz"


@pytest.fixture
def edited_target(tmp_path: Path) -> Path:
    """A copy of edge-1c with 16 rows, as a researcher would make one."""
    shipped = (Path(targets.__file__).parent / "edge-1c.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(re.sub(r"(?m)^rows = \d+", "rows = 16", shipped), encoding="utf-8")
    return path


# import


def test_import_says_what_it_wrote(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    out = ok(smalti("import", small_onnx, "-o", tmp_path / "m.top.mlir"))
    assert "7 ops, 5 weights with 845 elements" in out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.top.mlir", "m.top.safetensors"]
    assert 'loc("classifier")' in (tmp_path / "m.top.mlir").read_text()


@pytest.mark.parametrize(
    ("option", "shape"),
    [(("--input-shape", "x=2,3,9,10"), "2x3x9x10"), (("--batch", "4"), "4x3x12x12")],
)
def test_import_shapes(smalti: Smalti, small_onnx: Path, tmp_path: Path, option, shape: str):
    ok(smalti("import", small_onnx, *option, "-o", tmp_path / "m.top.mlir"))
    assert f"@main(%x: tensor<{shape}xf32>" in (tmp_path / "m.top.mlir").read_text()


# compile


@pytest.mark.parametrize("stage", [*LEVELS, "program", "isa,top"])
def test_emit_writes_what_is_asked_for(
    smalti: Smalti, small_onnx: Path, tmp_path: Path, stage: str
):
    out = ok(
        smalti("compile", small_onnx, "--calibration", "random:1", "--emit", stage,
               "-o", tmp_path / "m.smalti")
    )  # fmt: skip
    expected = {"m.calibration"}
    for each in stage.split(","):
        level = {f"m.{each}.mlir", f"m.{each}.safetensors"}
        expected |= {"m.smalti"} if each == "program" else level
    assert {p.name for p in tmp_path.iterdir()} == expected
    for name in expected:
        assert name.endswith(".safetensors") or name in out


def test_table_that_compile_wrote_is_taken_back(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    """Even beside the program that it was written with; it is read, not written."""
    words = ("compile", small_onnx, "-o", tmp_path / "m.smalti", "--calibration")
    ok(smalti(*words, "random:1"))
    program, table = (tmp_path / "m.smalti"), (tmp_path / "m.calibration")
    expected, ranges = program.read_bytes(), table.read_bytes()
    program.unlink()
    out = ok(smalti(*words, table))
    assert "calibration" not in out
    assert program.read_bytes() == expected and table.read_bytes() == ranges


def test_default_output_stands_beside_the_model(smalti: Smalti, tmp_path: Path):
    onnx.save(small_model(), tmp_path / "net.onnx")
    ok(smalti("compile", tmp_path / "net.onnx", "--quantize", "f32"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.onnx", "net.smalti"]


@pytest.mark.parametrize("level", LEVELS)
def test_compile_from_every_level_gives_the_same_program(
    smalti: Smalti, small_files: Path, tmp_path: Path, level: str
):
    splits = ["-O1"] if level in NETWORK_LEVELS else []
    words = ["compile", small_files / f"small.{level}.mlir", *splits]
    ok(smalti(*words, "-o", tmp_path / "again.smalti"))
    program, again = small_files / "small.smalti", tmp_path / "again.smalti"
    assert without_bound(again) == without_bound(program)
    assert (again.read_bytes() == program.read_bytes()) == (level in NETWORK_LEVELS)


def test_pipeline_is_reproduced_by_smalti_opt(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    """From the imported model, byte for byte; the folder's name has a blank and is not ASCII."""
    folder = tmp_path / "größe 日本"
    folder.mkdir()
    pipeline = ok(
        smalti("compile", small_onnx, "--calibration", "random:1", "--cores", 3, "--emit", "isa",
               "--print-pipeline", "-o", folder / "m.smalti")
    ).strip()  # fmt: skip
    ok(smalti("import", small_onnx, "-o", folder / "m.top.mlir"))
    (folder / "again").mkdir()
    again = folder / "again" / "m.isa.mlir"
    assert opt.main([str(folder / "m.top.mlir"), "-p", pipeline, "-o", str(again)]) == 0
    for name in ("m.isa.mlir", "m.isa.safetensors"):
        assert again.with_name(name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("quantize", ["int8", "f32"])
def test_targets_and_cores(
    smalti: Smalti, small_onnx: Path, small_data: Path, edited_target: Path, tmp_path: Path, quantize: str
):  # fmt: skip
    """Every target, by name and as a file, with any number of cores, gives the same int8 numbers."""
    seen = []
    cases = [("edge-1c",), ("default-8c",), ("default-8c", "--cores", 1), ("systolic-256",)]
    for case in (*cases, (edited_target,)):
        program, result = tmp_path / "m.smalti", tmp_path / "out.npz"
        ok(
            smalti("compile", small_onnx, "--target", *case, "--quantize", quantize,
                   "--calibration", small_data, "-o", program)
        )  # fmt: skip
        ok(smalti("run", program, "--inputs", small_data, "--sanitize", "--outputs", result))
        seen.append(outputs(result))
    for value in seen[1:]:
        if quantize == "int8":
            np.testing.assert_array_equal(value, seen[0])
        np.testing.assert_allclose(value, seen[0], atol=1e-4)


# run


def test_run_modes(smalti: Smalti, small_files: Path, small_data: Path, tmp_path: Path):
    program = small_files / "small.smalti"
    out = ok(smalti("run", program, "--inputs", small_data, "--outputs", tmp_path / "out.npz"))
    assert "y: 8x5 float32" in out and "cycles" not in out
    assert outputs(tmp_path / "out.npz").shape == (8, 5)
    timing = ok(smalti("run", program, "--mode", "timing"))
    for word in ("cycles", " ms", "%", " bytes", "classifier"):
        assert word in timing
    both = ok(smalti("run", program, "--inputs", small_data, "--mode", "both", "--sanitize"))
    assert both == out.replace(f"outputs written to {tmp_path / 'out.npz'}\n", "") + timing


@pytest.mark.parametrize("level", LEVELS)
def test_run_ir(smalti: Smalti, small_files: Path, small_data: Path, tmp_path: Path, level: str):
    for name in (f"small.{level}.mlir", "small.smalti"):
        result = tmp_path / f"{name}.npz"
        ok(smalti("run", small_files / name, "--inputs", small_data, "--outputs", result))
    got, program = (outputs(tmp_path / f"{n}.npz") for n in (f"small.{level}.mlir", "small.smalti"))
    if level == "top":
        np.testing.assert_allclose(got, program, atol=0.05)
    else:
        np.testing.assert_array_equal(got, program)


def test_run_compare(smalti: Smalti, small_files: Path, small_data: Path, reference: Path):
    out = ok(
        smalti("run", small_files / "small.smalti", "--inputs", small_data, "--compare", reference)
    )
    header, row, summary = out.splitlines()[:3]
    assert header.split() == [
        "output",
        "cosine",
        "SNR",
        "[dB]",
        "largest",
        "error",
        "range",
        "error/range",
    ]
    name, cosine, snr, largest, spread, share = row.split()
    assert name == "y" and float(cosine) > 0.999 and float(snr) > 30
    assert 0 < float(largest) < 0.05 * float(spread)
    assert float(share) == pytest.approx(float(largest) / float(spread), rel=0.01)
    assert summary == f"1 output, worst {snr} dB (y)"


def test_repeat_shows_the_steady_state(smalti: Smalti, small_files: Path):
    def cycles(*options: object) -> dict[str, int]:
        out = ok(smalti("run", small_files / "small.smalti", "--mode", "timing", *options))
        return {
            k: int(v.replace(",", ""))
            for k, v in re.findall(r"(?m)^(\w[\w ]+?) {2,}([\d,]+)$", out)
        }

    once, many = cycles(), cycles("--repeat", 3)
    assert many["inferences"] == 3
    assert once["cycles"] < many["cycles"] <= 3 * once["cycles"]
    assert many["cycles of the last one"] <= once["cycles"]


# compare


@pytest.mark.parametrize(("level", "least_snr"), [("top", 100), ("tpu", 25), ("tile", 25)])
def test_compare_levels(
    smalti: Smalti, small_onnx: Path, small_data: Path, level: str, least_snr: float
):
    """The output comes first, then every tensor that survives under its ONNX name, worst first, and a summary."""
    out = ok(smalti("compare", small_onnx, "--level", level, "--calibration", small_data))
    lines = [line.split() for line in out.splitlines()]
    assert lines[1] == ["outputs"] and lines[2][0] == "y"
    assert lines[3] == ["other", "tensors,", "worst", "first"]
    rows = [line for line in lines[4:] if len(line) == 6]
    snrs = [float(row[2]) for row in rows]
    assert snrs == sorted(snrs) and snrs[0] > least_snr < float(lines[2][2])
    names = {row[0] for row in rows}
    assert {"r1", "a", "g"} <= names and "y" not in names
    assert out.splitlines()[-1].startswith(
        f"1 output, worst {lines[2][2]} dB (y); {len(rows)} other tensors"
    )
    if level == "top":
        assert {"c1", "c2"} <= names
    else:
        assert "not values of this level (folded or fused): c1, c2" in out
        assert out.endswith("; 2 folded or fused\n")


@pytest.mark.parametrize("level", ["tpu", "tile"])
def test_compare_what_is_pooled_in_integers(smalti: Smalti, tmp_path: Path, level: str):
    """What is quantized before the pool instead of after it is compared under the pool's name."""
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, size, size])
        for name, size in (("x", 16), ("y", 8))
    )
    weights = np.random.default_rng(0).standard_normal((4, 4, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("LRN", ["x"], ["normal"], size=3),
        helper.make_node("MaxPool", ["normal"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["pooled", "w"], ["y"], pads=[1] * 4),
    ]
    graph = helper.make_graph(nodes, "g", [x], [y], [numpy_helper.from_array(weights, "w")])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "m.onnx"
    )
    words = ("compare", tmp_path / "m.onnx", "--calibration", "random:0", "--level", level)
    out = ok(smalti(*words))
    (pooled,) = [line.split() for line in out.splitlines() if line.startswith("  pooled ")]
    assert 35 < float(pooled[2]) < 60 and "folded or fused" not in out


def test_compare_with_infinities_and_constants(smalti: Smalti, tmp_path: Path):
    """A mask of -inf makes equal infinities on both sides; a tensor made of constants is not missing."""
    mask = np.triu(np.full((4, 4), -np.inf, np.float32), 1)
    nodes = [
        helper.make_node("Constant", [], ["half"], value_float=0.5),
        helper.make_node("Add", ["half", "half"], ["one"]),
        helper.make_node("Mul", ["x", "one"], ["scaled"]),
        helper.make_node("Add", ["scaled", "mask"], ["t"]),
        helper.make_node("Softmax", ["t"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 4])],
        [numpy_helper.from_array(mask, "mask")],
    )  # fmt: skip
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "m.onnx"
    )
    ran = smalti("compare", tmp_path / "m.onnx", "--quantize", "f32", "--min-snr", 100)
    out = ok(ran)
    assert re.search(r"(?m)^  t +1\.000000 +equal ", out) and "nan" not in out
    assert "Warning" not in ran.err and "half" not in out and "one" not in out.split()


@pytest.mark.parametrize("options", [["--quantize", "f32"], ["--level", "top"]], ids=["f32", "top"])
def test_compare_floats_on_data_that_calibrate_nothing(
    smalti: Smalti, tmp_path: Path, options: list[str]
):
    """One sample, on which a tensor is infinite: INT8 would refuse it."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Log", ["x"], ["y"])], "g", [x], [y])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "m.onnx"
    )
    np.savez(tmp_path / "x.npz", x=np.array([[0, 1, 2]], np.float32))
    words = ("compare", tmp_path / "m.onnx", "--calibration", tmp_path / "x.npz")
    ran = smalti(*words, *options)
    assert "1 output" in ok(ran) and not ran.err


def test_compare_tile_is_as_good_as_tpu(smalti: Smalti, small_onnx: Path, small_data: Path):
    tpu, tile = (
        ok(smalti("compare", small_onnx, "--level", level, "--calibration", small_data))
        for level in ("tpu", "tile")
    )
    assert tpu == tile


def test_compare_on_the_ranges_of_a_table(smalti: Smalti, small_onnx: Path, tmp_path: Path):
    ok(smalti("compile", small_onnx, "-o", tmp_path / "m.smalti", "--calibration", "random:1"))
    ok(smalti("compare", small_onnx, "--calibration", tmp_path / "m.calibration", "--min-snr", 10))


def test_compare_samples_limit_and_inputs(smalti: Smalti, small_onnx: Path, small_data: Path):
    words = ("compare", small_onnx, "--quantize", "f32")
    out = ok(smalti(*words, "--inputs", small_data, "--samples", 2, "--limit", 2))
    assert len(out.splitlines()) == 9 and "(--limit 0 shows all)" in out
    assert ok(smalti(*words, "--inputs", small_data, "--samples", 3, "--limit", 2)) != out
    assert "y" in ok(smalti(*words))


def test_compare_in_order_of_execution_to_files(
    smalti: Smalti, small_onnx: Path, small_data: Path, tmp_path: Path
):
    """In bf16; the files hold all tensors, whatever is printed."""
    words = ("compare", small_onnx, "--quantize", "bf16", "--inputs", small_data)
    out = ok(smalti(*words, "--order", "execution", "--limit", 2, "-o", tmp_path / "d.json"))
    assert [line.split()[0] for line in out.splitlines()[2:6]] == ["y", "other", "r1", "a"]
    table = json.loads((tmp_path / "d.json").read_text())
    assert [row["tensor"] for row in table["rows"]] == ["y", "r1", "a", "g", "f"]
    assert [row["output"] for row in table["rows"]] == [True, False, False, False, False]
    assert table["summary"] in out and table["parts"] == []
    assert all(25 < row["snr_db"] < 70 for row in table["rows"])
    assert all(0 < row["largest_error_range_share"] < 0.01 for row in table["rows"])
    assert table["missing"] == ["c1", "c2"]
    ok(smalti(*words, "-o", tmp_path / "d.csv"))
    assert len((tmp_path / "d.csv").read_text().splitlines()) == 6
    ran = smalti(*words, "-o", tmp_path / "d.txt")
    assert ran.code == 1 and "end the file's name in .json or .csv" in ran.err


def test_compare_with_a_least_ratio(smalti: Smalti, small_onnx: Path, small_data: Path):
    words = ("compare", small_onnx, "--quantize", "f16", "--inputs", small_data, "--min-snr")
    ok(smalti(*words, 40))
    ran = smalti(*words, 90)
    assert ran.code == 1 and "below 90 dB" in ran.err and "r1" in ran.err


# assemble, disassemble


def test_disassembly_assembles_to_the_same_bytes(smalti: Smalti, small_files: Path, tmp_path: Path):
    program, listing = small_files / "small.smalti", tmp_path / "d.isa.mlir"
    ok(smalti("disassemble", program, "-o", listing))
    out = ok(smalti("assemble", listing, "-o", tmp_path / "d.smalti"))
    assert "instructions on" in out
    assert (tmp_path / "d.smalti").read_bytes() == without_bound(program)
    printed = ok(smalti("disassemble", program))
    assert "m0: conv2d x=0x" in printed and 'loc("' in printed


# targets, ops, demo


def test_targets(smalti: Smalti, edited_target: Path):
    table = ok(smalti("targets"))
    for name in ("edge-1c", "default-8c", "systolic-256", "GHz", "GB/s", "KiB"):
        assert name in table
    shown = json.loads(ok(smalti("targets", "systolic-256")))
    assert (shown["matrix"]["rows"], shown["clock_ghz"]) == (256, 0.7)
    assert json.loads(ok(smalti("targets", edited_target)))["matrix"]["rows"] == 16


def test_ops(smalti: Smalti):
    table = ok(smalti("ops")).splitlines()
    column = table[0].index("versions")
    rows = table[1 : table.index("")]
    assert all(re.match(r"\d", row[column:]) and row[column - 1] == " " for row in rows)
    listed = {entry["operator"]: entry for entry in json.loads(ok(smalti("ops", "--json")))}
    assert len(listed) == len(rows)
    assert "matrix" in listed["Conv"]["runs"] and listed["Sigmoid"]["runs"] == "vector"
    assert 13 in listed["Relu"]["since"]


def test_demo(smalti: Smalti, tmp_path: Path):
    out = ok(smalti("demo", "-o", tmp_path / "demo", "--json", tmp_path / "demo.json"))
    figures = json.loads((tmp_path / "demo.json").read_text())
    assert {
        "float_accuracy_onnxruntime", "float_accuracy_top", "int8_accuracy_simulator", "cycles",
        "milliseconds", "utilization", "bytes_read", "bytes_written", "files", "nodes",
    } <= figures.keys()  # fmt: skip
    assert figures["int8_accuracy_simulator"] >= figures["float_accuracy_onnxruntime"] - 0.01
    assert len(figures["nodes"]) == 5 and f"{figures['cycles']:,}" in out
    for stage in (*LEVELS, "program"):
        assert Path(figures["files"][stage]).is_file() and figures["files"][stage] in out


# help and exit codes


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help(smalti: Smalti, command: str):
    out = ok(smalti(*([command] if command else []), "--help"))
    assert out.startswith(f"usage: smalti {command}".rstrip())
    described = out.partition("options:")[2].splitlines()
    for line, following in zip(described, [*described[1:], ""], strict=True):
        if line.startswith("  -"):
            assert re.search(r"\S {2,}\S", line) or following.startswith(" " * 20), line


def test_progress_goes_to_standard_error(smalti: Smalti, small_files: Path, small_data: Path):
    ran = smalti("run", small_files / "small.smalti", "--inputs", small_data)
    assert ran.err == ""


def test_instances_of_a_program(smalti: Smalti, tmp_path: Path):
    program = tmp_path / "p.smalti"
    onnx.save(network(), tmp_path / "m.onnx")
    words = ("--batch", "1", "--quantize", "f16", "--cores", "2", "-o", program)
    assert smalti("compile", tmp_path / "m.onnx", *words).code == 0
    ran = smalti("run", program, "--mode", "timing", "--instances", "4", "--repeat", "3")
    assert ran.code == 0 and "instances                             4" in ran.out
    assert "runs of all in a second" in ran.out
    assert "bytes, one inference of each instance" in ran.out
    ran = smalti("run", program, "--mode", "timing", "--instances", "9")
    assert ran.code == 1 and "9 instances need 9 cores, default-8c has 8" in ran.err
    ran = smalti("run", program, "--instances", "2", "--inputs", "x.npz")
    assert ran.code == 1 and "use --mode timing" in ran.err
