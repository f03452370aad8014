"""Options of passes of the default pipeline, and passes that are left out."""

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.pass_change import PassChange
from smalti.compiler.compilation.pipelines import Insertion, passes_into

TPU = ["convert-top-to-tpu{target=edge-1c quantize=f16}", "cse", "tpu-fuse-lookup"]


def test_an_option_is_set_beside_those_of_the_pipeline():
    texts = passes_into("tile", target="edge-1c", quantize="int8", cores=2)
    for change in PassChange.all_of({"tile-order-engines": {"prefetch": 2}, "cse": True}):
        texts = change.applied(texts)
    assert "tile-split-over-cores{cores=2}" in texts
    assert "tile-order-engines{prefetch=2}" in texts
    assert len(texts) == len(passes_into("tile", target="edge-1c", quantize="int8", cores=2))


def test_a_later_change_takes_the_place_of_an_earlier_one():
    texts = ["tile-order-engines"]
    for text in ("tile-order-engines{prefetch=2}", "tile-order-engines{prefetch=3}"):
        texts = PassChange.parse(text).applied(texts)
    assert texts == ["tile-order-engines{prefetch=3}"]


def test_a_pass_is_left_out():
    (change,) = PassChange.all_of({"cse": False})
    assert change.applied(TPU) == [TPU[0], TPU[2]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tile-order-engine{prefetch=2}", "did you mean tile-order-engines"),
        ("tile-order-engines{prefech=2}", "did you mean prefetch"),
        ("tile-order-engines{prefetch=much}", "expected int"),
        ("tile-order-engines", "sets no option"),
        ("tile-order-engines{prefetch=2},cse", "2 passes, not one"),
        ("tile-order-engines{prefetch=", "does not parse"),
        ("convert-top-to-tpu{quantize=f16}", "--quantize"),
        ("top-annotate-calibration{table=t}", "not in the default pipeline"),
    ],
)
def test_what_cannot_be_set(text: str, told: str):
    with pytest.raises(DiagnosticError) as caught:
        PassChange.parse(text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("csee", "did you mean cse"),
        ("convert-tpu-to-tile", "cannot be left out"),
        ("top-annotate-calibration", "not in the default pipeline"),
    ],
)
def test_what_cannot_be_left_out(name: str, told: str):
    with pytest.raises(DiagnosticError) as caught:
        PassChange.disabling(name)
    assert told in str(caught.value)


def test_no_pass_stands_beside_one_that_is_left_out():
    with pytest.raises(DiagnosticError, match="'cse' is left out"):
        CompileOptions(
            insertions=(Insertion.parse("before=cse:canonicalize"),),
            changes=(PassChange.disabling("cse"),),
        )
