"""The Python API as notebooks use it: passes, plugins and targets as objects, completion, reprs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
import smalti
import smalti.compiler
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.simulator.profile import profile
from smalti.backends.targets.target import load_target
from smalti.compiler import CompiledModel, Plugin, compare_model, compile_model, import_model
from smalti.compiler.analysis.comparison import worst_first
from smalti.compiler.analysis.program_difference import compare_programs
from smalti.compiler.plugins.plugin import _LOADED  # pyright: ignore[reportPrivateUsage]
from smalti.passes.registry import PASSES
from smalti.passes.smalti_pass import SmaltiPass

from .conftest import small_model

DATA = {"x": np.random.default_rng(4).normal(size=(2, 3, 12, 12)).astype(np.float32)}
SEEN: list[int] = []


def notebook_plugin(number: int) -> Plugin:
    """Define a pass and a plugin as a cell does; run again, it defines them anew."""

    @dataclass(frozen=True)
    class Watch(SmaltiPass):
        """Note that it ran."""

        name = "top-watch-of-a-notebook"
        more: int = 0

        def run(self, ctx: Any, module: Any) -> None:
            SEEN.append(number + self.more)

    return Plugin(passes={"top-watch-of-a-notebook": Watch})


@pytest.fixture(scope="module")
def compiled() -> CompiledModel:
    return compile_model(small_model(), calibration=DATA, target="edge-1c")


def test_passes():
    model = compile_model(
        small_model(), quantize="f32", passes={"tile-order-engines": {"prefetch": 2}, "cse": False}
    )
    passes = model.pipeline.split(",")
    assert "tile-order-engines{prefetch=2}" in passes
    assert "cse" not in passes and "canonicalize" in passes
    with pytest.raises(DiagnosticError, match="no option 'prefech'"):
        compile_model(small_model(), passes={"tile-order-engines": {"prefech": 2}})


@pytest.fixture
def registered_for_a_while() -> Iterator[None]:
    """Forget the plugin of the test, which other tests would find in the lists of passes."""
    loaded = dict(_LOADED)
    yield
    PASSES.pop("top-watch-of-a-notebook", None)
    _LOADED.clear()
    _LOADED.update(loaded)


@pytest.mark.usefixtures("registered_for_a_while")
def test_plugins_and_passes_of_ones_own():
    for number in (1, 2, 2):
        compile_model(
            small_model(),
            quantize="f32",
            plugins=notebook_plugin(number) if number == 1 else [notebook_plugin(number)],
            insert_pass=["top:top-watch-of-a-notebook", "before=cse:top-watch-of-a-notebook{more=5}"],
        )  # fmt: skip
    # Beside cse it runs at top and at tpu.
    assert SEEN == [6, 1, 6, 7, 2, 7, 7, 2, 7]


def test_a_target_as_an_object():
    edge = load_target("edge-1c")
    slower = edge.model_copy(update={"clock_ghz": edge.clock_ghz / 2})
    own, other = (compile_model(small_model(), quantize="f32", target=t) for t in (edge, slower))
    assert own.program.target == edge and own.program.target_reference == "edge-1c"
    assert other.program.target == slower != edge
    assert other.run(DATA)["y"].tobytes() == own.run(DATA)["y"].tobytes()
    assert "smalti.target_hash" in other.ir("tpu")
    report = compare_model(small_model(), quantize="f32", target=slower, inputs=DATA)
    assert report.worst.snr_db > 80


def test_names_can_be_completed():
    assert set(smalti.compiler.__all__) <= set(dir(smalti.compiler))
    assert {"compiler", "__version__"} <= set(dir(smalti))


def test_reprs_are_short(compiled: CompiledModel):
    report = compare_model(small_model(), target="edge-1c", calibration=DATA)
    difference = compare_programs(compiled.program, compiled.program)
    timing = compiled.profile()
    shown = [
        import_model(small_model()), compiled, compiled.program, timing, profile(timing), report,
        replace(report, differences=[], outputs=[]), difference, load_target("edge-1c"),
    ]  # fmt: skip
    for each in shown:
        text = repr(each)
        assert re.fullmatch(rf"<{type(each).__name__}\b.*>", text), text
        assert len(text) < 300, text
    assert "edge-1c" in repr(compiled) and "x: 1x3x12x12 f32 -> y: 1x5 f32" in repr(compiled)
    assert f"{timing.cycles:,} cycles" in repr(timing)


class Tables(HTMLParser):
    """Reads tables: their rows of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open, "every tag is closed"

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def test_html_of_profiles_and_comparisons(compiled: CompiledModel):
    timing = compiled.profile()
    rows = Tables(timing._repr_html_()).rows
    assert ["cycles", f"{timing.cycles:,}"] in rows
    found = profile(timing, ["node", "engine"])
    head, *rows = Tables(found._repr_html_()).rows
    assert head[:3] == ["node", "engine", "cycles"]
    assert len(rows) == min(len(found.rows), 20)
    report = compare_model(small_model(), target="edge-1c", calibration=DATA)
    head, output, second, first, *_ = Tables(report._repr_html_()).rows
    assert head[0] == "output" and output[0] == "y" == report.outputs[0].whole.name
    assert second[0] == "other tensor" and first[0] == worst_first(report.tensors)[0].name
    assert report.summary in report._repr_html_() and report.summary in repr(report)
    difference = compare_programs(compiled.program, compiled.program, ("a<b", "c"))
    head, total = Tables(difference._repr_html_()).rows
    assert head[1] == "cycles a<b" and total[0] == "(all)" and total[-1] == "+0"
