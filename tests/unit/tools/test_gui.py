"""`smalti-gui`, without a screen."""

import asyncio
import io

import pytest

pytest.importorskip("textual", reason="the interactive app is an extra: pip install 'smalti[gui]'")

from smalti.passes.registry import PASSES
from smalti.tools.gui import main, make_app

from tests.shared_files import ROOT

CONV = ROOT / "tests" / "data" / "conv.top.mlir"


def test_app_offers_smaltis_passes_and_runs_them():
    async def session() -> tuple[str, set[str]]:
        app = make_app(passes="convert-top-to-tpu{quantize=f32}")
        async with app.run_test() as pilot:
            await pilot.pause()
            offered = {str(node.label) for node in app.passes_tree.root.children}
            return app.output_text_area.text, offered

    text, offered = asyncio.run(session())
    assert 'tpu.conv2d "c"' in text
    assert set(PASSES) <= offered


def test_app_shows_a_file_and_follows_what_is_typed():
    async def session() -> tuple[str, str]:
        app = make_app(str(CONV))
        async with app.run_test() as pilot:
            await pilot.pause()
            before = app.output_text_area.text
            app.input_text_area.text = "builtin.module { top.nothing }"
            await pilot.pause()
            return before, app.output_text_area.text

    before, after = asyncio.run(session())
    assert 'top.conv2d "conv"' in before
    assert "top.nothing" in after and "top.conv2d" not in after


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.mlir"], "absent.mlir"),
        (["-p", "top-fold-shape"], "did you mean top-fold-shapes"),
    ],
)
def test_mistakes_are_diagnostics(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_without_a_terminal_it_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main([str(CONV)]) == 1
    assert "needs a terminal" in capsys.readouterr().err
