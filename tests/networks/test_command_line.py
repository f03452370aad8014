"""The networks as files on the command line: written, compiled at sizes given for their symbols, run."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.tools.main import main as smalti

from . import cycles, estimates, mechanisms, report
from .__main__ import main as write_network
from .accuracy import Case
from .catalog import NETWORKS
from .figures import Figures
from .transformer import GPT_HIDDEN


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("networks") / "gpt2.onnx"
    assert write_network(["gpt2_block", str(path)]) == 0
    return path


def test_a_seed_makes_one_model(gpt2: Path, tmp_path: Path):
    for name, seed in (("same", "0"), ("other", "1")):
        assert write_network(["gpt2_block", str(tmp_path / name), "--seed", seed]) == 0
    assert (tmp_path / "same").read_bytes() == gpt2.read_bytes()
    assert (tmp_path / "other").read_bytes() != gpt2.read_bytes()
    onnx.checker.check_model(str(gpt2), full_check=True)


@pytest.mark.parametrize(
    "sizes",
    [
        ("--define-symbol", "batch=2", "--define-symbol", "sequence=16"),
        ("--batch", "2", "--define-symbol", "sequence=16"),
    ],
    ids=["symbols", "batch"],
)
def test_sizes_of_symbols(gpt2: Path, tmp_path: Path, sizes: tuple[str, ...]):
    rng = np.random.default_rng(0)
    x = {"embedding": rng.standard_normal((2, 16, GPT_HIDDEN)).astype(np.float32)}
    np.savez(tmp_path / "x.npz", **x)
    program, outputs = str(tmp_path / "m.smalti"), str(tmp_path / "y.npz")
    assert smalti(["compile", str(gpt2), "--quantize", "f32", *sizes, "-o", program]) == 0
    assert smalti(["run", program, "--inputs", str(tmp_path / "x.npz"), "--outputs", outputs]) == 0
    with np.load(outputs) as found:
        expected = run_onnx(gpt2, x)["logits"]
        np.testing.assert_allclose(found["logits"], expected, atol=1e-4 * np.ptp(expected))


def test_symbols_are_listed(gpt2: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    words = ["compile", str(gpt2), "--quantize", "f32", "-o", str(tmp_path / "m.smalti")]
    assert smalti(words) == 1
    assert "--define-symbol batch=1 --define-symbol sequence=1" in capfd.readouterr().err
    assert smalti([*words, "--define-symbol", "tokens=16"]) == 1
    error = capfd.readouterr().err
    assert "'tokens'" in error and "'batch', 'sequence'" in error
    assert not list(tmp_path.iterdir())


def test_figures_of_other_networks_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = tmp_path / "README.md"
    page.write_text(f"before\n{report.FIGURES.begin}\n{report.FIGURES.end}\nafter\n")
    monkeypatch.setattr(report, "README", page)
    for cells in (["mnist", "f32", "1"], ["digits", "int8", "2"], ["mnist", "f32", "3"]):
        report.write([cells])
    lines = page.read_text().splitlines()
    assert lines[0] == "before" and lines[-1] == "after"
    assert [line for line in lines if line.startswith(("| mnist", "| digits"))] == [
        "| digits | int8 | 2 |",
        "| mnist | f32 | 3 |",
    ]


def test_a_new_column_is_blank_in_old_rows(tmp_path: Path):
    page = tmp_path / "README.md"
    old, new = (Figures("f", header, keys=1, words=1) for header in (("n", "b"), ("n", "a", "b")))
    page.write_text(f"{old.begin}\n{old.text([['x', '1'], ['y', '2']])}\n{old.end}\n")
    new.write([["y", "3", "4"]], [("x",), ("y",)], page)
    rows = [line for line in page.read_text().splitlines() if line.startswith("|")]
    assert rows == ["| n | a | b |", "| :--- | ---: | ---: |", "| x |  | 1 |", "| y | 3 | 4 |"]


@pytest.mark.share(3)
def test_a_network_is_measured(capsys: pytest.CaptureFixture[str]):
    assert report.main(["gpt2_block", "--format", "int8"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "gpt2" in line]
    cells = [cell.strip() for cell in line.split("|")[1:-1]]
    assert len(cells) == len(report.HEADER)
    assert float(cells[report.HEADER.index("least SNR [dB]")]) > 20


@pytest.mark.share(4)
def test_cycles_are_measured_against_the_bound(capsys: pytest.CaptureFixture[str]):
    words = ["digits", "digits:2", "--target", "edge-1c", "--target", "default-8c"]
    assert cycles.main(words) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| digits")]
    rows = [
        dict(zip(cycles.HEADER, (cell.strip() for cell in line.split("|")[1:-1]), strict=True))
        for line in lines
    ]
    assert [(row["network"], row["target"]) for row in rows] == [
        ("digits", "edge-1c"),
        ("digits", "default-8c"),
        ("digits:2", "edge-1c"),
        ("digits:2", "default-8c"),
    ]
    for row in rows:
        found, least = (int(row[name].replace(",", "")) for name in ("cycles", "lower bound"))
        assert row["cycles ÷ bound"] == f"{found / least:.2f}" and found > least
        assert float(row["÷ weights, inputs, outputs"]) >= 1
        # Two samples on eight cores are planned otherwise.
        most = (
            1.01 * found if (row["network"], row["target"]) == ("digits:2", "default-8c") else found
        )
        assert int(row["cycles with --io-quantized"].replace(",", "")) <= most


def test_networks_that_cannot_be_measured(capsys: pytest.CaptureFixture[str]):
    for words in (["digit"], ["digits:0"], ["digits", "--format", "f32", "--write"]):
        with pytest.raises(SystemExit):
            cycles.main(words)
    error = capsys.readouterr().err
    assert "no network digit;" in error and "'0' is no batch" in error and "for int8" in error


def test_an_error_is_a_share_of_the_simulated_cycles():
    ends = {"a": (90, 100), "b": (300, 200), "c": (400, 400)}
    layers = tuple(estimates.LayerError(name, *each) for name, each in ends.items())
    found = estimates.Comparison(layers, 400, 500)
    assert [layer.error for layer in layers] == pytest.approx([0.1, 0.5, 0])
    assert found.worst.name == "b"
    assert found.percentile(50) == pytest.approx(0.1)
    assert found.percentile(90) == pytest.approx(0.42)
    cells = dict(zip(estimates.HEADER, estimates.row("made_up", found), strict=True))
    assert (cells["worst layer"], cells["its error"]) == ("`b`", "50.0%")
    assert (cells["median error"], cells["error in all"]) == ("10.0%", "20.0%")


@pytest.mark.share(3)
def test_estimates_are_compared_with_the_simulator(capsys: pytest.CaptureFixture[str]):
    assert estimates.main(["digits", "--layers"]) == 0
    printed = capsys.readouterr().out.splitlines()
    (line,) = [line for line in printed if line.startswith("| digits")]
    cells = [cell.strip() for cell in line.split("|")[1:-1]]
    row = dict(zip(estimates.HEADER, cells, strict=True))
    # Layers are listed in the order in which the planner has them.
    listed = [line.split() for line in printed if line.endswith(("image_i8", "logits_f32"))]
    assert [each[-1] for each in listed] == ["image_i8", "logits_f32"]
    planned, ran = (float(each.replace(",", "")) for each in listed[-1][:2])
    assert 0.5 < planned / ran < 2
    assert row["estimated cycles in all"] == listed[-1][0]
    assert int(row["simulated cycles in all"].replace(",", "")) >= ran


def test_cells_that_are_blank_keep_what_stood_there(tmp_path: Path):
    page, table = tmp_path / "README.md", Figures("f", ("n", "a", "b"), 1, 1, keeps_cells=True)
    page.write_text(
        f"{table.begin}\n{table.text([['x', '1', '2'], ['z', '7', '8']])}\n{table.end}\n"
    )
    table.write([["x", "", "3"], ["y", "4", ""]], [("x",), ("y",)], page)
    rows = [
        line for line in page.read_text().splitlines() if line.startswith(("| x", "| y", "| z"))
    ]
    assert rows == ["| x | 1 | 3 |", "| y | 4 |  |"]


@pytest.mark.share(4)
def test_mechanisms_are_switched_off_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    page = tmp_path / "README.md"
    page.write_text(f"{mechanisms.FIGURES.begin}\n{mechanisms.FIGURES.end}\n")
    monkeypatch.setattr(mechanisms, "README", page)
    assert mechanisms.main(["digits", "--write"]) == 0
    rows = [
        dict(zip(mechanisms.HEADER, (cell.strip() for cell in line.split("|")[1:-1]), strict=True))
        for line in page.read_text().splitlines()
        if line.startswith("|") and ":---" not in line
    ][1:]
    cells = {row["without"]: row["digits"] for row in rows}
    assert [*cells] == [mechanisms.DEFAULT, *(each.name for each in mechanisms.MECHANISMS)]
    assert len(cells) >= 12 and {row["resnet50"] for row in rows} == {""}
    ratios = {name: float(cell.partition(" (")[2][:-1]) for name, cell in cells.items()}
    cycles = {name: int(cell.partition(" ")[0].replace(",", "")) for name, cell in cells.items()}
    usual = cycles[mechanisms.DEFAULT]
    assert ratios == {name: pytest.approx(n / usual, abs=0.005) for name, n in cycles.items()}
    assert ratios[mechanisms.DEFAULT] == 1 and ratios["tensors on chip"] > 1.5


@pytest.mark.share(3)
def test_what_is_lowered_again_without_a_change_is_the_usual_program():
    usual, compiled, _ = Case(NETWORKS["digits"]).compile("int8", mechanisms.TARGET)
    unchanged = CompileOptions(mechanisms.TARGET)
    for start in ("top", "tpu"):
        again = mechanisms.Mechanism("a name", "", unchanged, start).cycles(usual)
        assert again == compiled.profile().cycles


def test_mechanisms_of_networks_that_are_not_measured(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        mechanisms.main(["vgg19"])
    assert "no network vgg19; there are digits" in capsys.readouterr().err
