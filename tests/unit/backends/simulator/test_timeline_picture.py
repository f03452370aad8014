"""The picture of a run has a bar where and while each instruction runs, and tells what it is."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.simulator import timeline_picture as module
from smalti.backends.simulator.timeline_picture import timeline_picture
from smalti.backends.simulator.timing.timing_result import Timing

from tests.unit.backends.simulator.test_profile import (
    DRAIN,
    ISSUE,
    LATENCY,
    LOAD,
    PRODUCT,
    chain,
)
from tests.unit.backends.simulator.test_trace import timing

SVG = "{http://www.w3.org/2000/svg}"


def bars(picture: str) -> dict[str, ElementTree.Element]:
    """What has a title, by it."""
    root = ElementTree.fromstring(picture)
    return {
        title.text: each
        for each in root.iter()
        if (title := each.find(f"{SVG}title")) is not None and title.text
    }


def cycles(run: Timing, bar: ElementTree.Element) -> tuple[float, float]:
    """From where to where a bar reaches, read off the axis."""
    scale = module._Scale(float(run.cycles))
    pixels = (scale(1000) - scale(0)) / 1000
    left, width = float(bar.attrib["x"]), float(bar.attrib["width"])
    return (left - scale(0)) / pixels, (left + width - scale(0)) / pixels


def test_a_chain():
    run = timing(chain())
    found = bars(timeline_picture(run))
    assert len([name for name in found if " of " in name]) == len(run.streams)
    (load,) = [each for name, each in found.items() if name.startswith("load of ")]
    assert cycles(run, load) == pytest.approx((ISSUE + LATENCY, LOAD), abs=1)
    (matmul,) = [each for name, each in found.items() if name.startswith("matmul of ")]
    assert cycles(run, matmul) == pytest.approx((LOAD, LOAD + PRODUCT - DRAIN), abs=1)
    assert matmul.attrib["y"] > load.attrib["y"]
    assert f"waits: latency, 0 to {ISSUE + LATENCY:,}" in found


def test_repetitions_follow_each_other():
    run = timing(chain(), repeat=2)
    loads = [name for name in bars(timeline_picture(run)) if name.startswith("load of ")]
    assert len(loads) == 2


def test_the_axis_has_round_numbers_up_to_the_end():
    run = timing(chain())
    texts = re.findall(r'text-anchor="\w+">([\d,]+)</text>', timeline_picture(run))
    marks = [int(text.replace(",", "")) for text in texts]
    assert marks[0] == 0 and marks == list(range(0, run.cycles + 1, marks[1]))
    assert 4 <= len(marks) <= 14


@pytest.mark.parametrize(
    ("most", "step"), [(0, 1), (12, 1), (13, 2), (60, 5), (61, 10), (3_500, 500), (10**6, 10**5)]
)
def test_marks_stand_at_round_numbers(most: int, step: int):
    assert module._tick_step(most) == step


def test_a_picture_of_too_many_instructions_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST_INSTRUCTIONS", 2)
    with pytest.raises(DiagnosticError, match="would be too large, the limit is 2") as error:
        timeline_picture(timing(chain()))
    assert "--trace" in (error.value.hint or "")
