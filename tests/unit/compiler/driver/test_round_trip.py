"""IR that does not survive its text is noticed, and shown where."""

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.driver import round_trip
from smalti.compiler.driver.round_trip import verify_round_trip
from smalti.dialects.context import make_context
from smalti.dialects.ir.text.module_text import parse_module, print_module

TEXT = """
func.func @f(%x: tensor<4xf32>) {
  %a = top.clip "a" %x low = 0.5 : (tensor<4xf32>) -> tensor<4xf32>
  func.return
}
"""


@pytest.fixture
def parsed():
    ctx = make_context()
    return parse_module(TEXT, ctx), ctx


def test_what_survives_is_fine(parsed):
    verify_round_trip(*parsed, "f.mlir")


def test_what_is_read_back_as_something_else_is_shown(parsed, monkeypatch):
    def sloppy(module, **options):
        return print_module(module, **options).replace("low = 0.5", "low = 0.25")

    monkeypatch.setattr(round_trip, "print_module", sloppy)
    printed = iter(["low = 0.5", "low = 0.25"])
    monkeypatch.setattr(
        round_trip,
        "print_module",
        lambda module, **options: print_module(module, **options).replace(
            "low = 0.5", next(printed)
        ),
    )
    with pytest.raises(DiagnosticError) as caught:
        verify_round_trip(*parsed, "f.mlir")
    text = str(caught.value)
    assert "the custom form is read back as something else" in text
    assert '-    %a = top.clip "a" %x low = 0.5' in text and "+    %a = top.clip" in text


def test_what_is_not_read_back_is_told_at_its_place(parsed, monkeypatch):
    monkeypatch.setattr(
        round_trip,
        "print_module",
        lambda module, **options: print_module(module, **options).replace("top.clip", "top.clp"),
    )
    with pytest.raises(DiagnosticError) as caught:
        verify_round_trip(*parsed, "f.mlir")
    assert "<the custom form of f.mlir>:3:10: error: IR does not survive its text" in str(
        caught.value
    )
