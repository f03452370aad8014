"""Running a pipeline: verification between passes, and the hooks that instruments get."""

from dataclasses import dataclass

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects.ir.location import place_of
from smalti.passes.instrument import PassInstrument
from smalti.passes.pipeline import run_pipeline
from smalti.passes.smalti_pass import SmaltiPass

RELU = '%a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>'


@dataclass(frozen=True)
class Idle(SmaltiPass):
    """Does nothing."""

    name = "idle"

    def run(self, ctx, module):
        pass


@dataclass(frozen=True)
class Breaks(SmaltiPass):
    """Leaves IR that does not verify."""

    name = "breaks"

    def run(self, ctx, module):
        for op in module.walk():
            if op.name == "top.relu":
                del op.properties["name"]


@dataclass(frozen=True)
class Raises(SmaltiPass):
    """Has a mistake in it."""

    name = "raises"

    def run(self, ctx, module):
        raise KeyError("lost")


@dataclass(frozen=True)
class Refuses(SmaltiPass):
    """Wants no relu."""

    name = "refuses"

    def run(self, ctx, module):
        relu = next(op for op in module.walk() if op.name == "top.relu")
        raise DiagnosticError("no relu, please", place_of(relu))


class Recorder(PassInstrument):
    """Writes down what is called; leaves out passes named `skipped`."""

    def __init__(self, name="", log=None, skipped=()):
        self.name, self.log, self.skipped = name, [] if log is None else log, skipped

    def enter(self, ctx, module, passes):
        self.log.append(f"{self.name}enter {len(passes)}")

    def should_run(self, each, module):
        return each.name not in self.skipped

    def before(self, each, module):
        self.log.append(f"{self.name}before {each.name}")

    def after(self, each, module):
        self.log.append(f"{self.name}after {each.name}")

    def failed(self, each, module, error):
        self.log.append(f"{self.name}failed {each.name} {type(error).__name__}")

    def before_verification(self, module):
        self.log.append(f"{self.name}verify")

    def leave(self, module, error):
        self.log.append(f"{self.name}leave {type(error).__name__}")


@pytest.fixture
def result(piped, network):
    return piped(network({"x": "4xf32"}, RELU, "%a", "4xf32"))


def test_hooks_come_in_order_around_passes_and_verifications(result):
    recorder = Recorder()
    run_pipeline(result.ctx, result.module, [Idle()], instruments=[recorder])
    assert recorder.log == [
        "enter 1",
        "verify",
        "before idle",
        "verify",
        "after idle",
        "leave NoneType",
    ]


def test_instruments_nest(result):
    outer = Recorder("outer ")
    inner = Recorder("inner ", outer.log)
    run_pipeline(result.ctx, result.module, [Idle()], verify=False, instruments=[outer, inner])
    assert [line for line in outer.log if "idle" in line] == [
        "outer before idle",
        "inner before idle",
        "inner after idle",
        "outer after idle",
    ]


def test_a_pass_that_an_instrument_refuses_is_left_out(result):
    recorder = Recorder(skipped=("breaks",))
    run_pipeline(result.ctx, result.module, [Breaks(), Idle()], instruments=[recorder])
    assert "before breaks" not in recorder.log and "after idle" in recorder.log


def test_ir_that_a_pass_broke_is_noticed_and_the_pass_named(result):
    recorder = Recorder()
    with pytest.raises(DiagnosticError, match="after pass 'breaks'"):
        run_pipeline(result.ctx, result.module, [Breaks()], instruments=[recorder])
    assert recorder.log[-2:] == ["failed breaks DiagnosticError", "leave DiagnosticError"]


def test_what_a_pass_refuses_is_shown_among_its_neighbors(result):
    with pytest.raises(DiagnosticError) as caught:
        run_pipeline(result.ctx, result.module, [Refuses()])
    assert str(caught.value).splitlines() == [
        "<text>:2:1: error: no relu, please",
        RELU,
        "^",
        "  note: see current operation:",
        f"    > {RELU}",
        "      func.return %a : tensor<4xf32>",
    ]


def test_a_mistake_of_a_pass_comes_out_with_its_name(result):
    with pytest.raises(KeyError) as caught:
        run_pipeline(result.ctx, result.module, [Idle(), Raises()])
    assert caught.value.__notes__ == ["in pass 'raises'"]
