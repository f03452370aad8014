"""The table of schemes, and which one the options of a network choose."""

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.numerics.storage import STORAGE_NAMES
from smalti.compiler.calibration.clipping.method import method_named
from smalti.passes.top_to_tpu.precision.schemes import (
    QUANTIZE,
    SCHEMES,
    chosen_scheme,
    scheme_named,
)


@pytest.mark.parametrize("name", SCHEMES)
def test_schemes_are_of_known_parts(name: str):
    scheme = SCHEMES[name]
    assert scheme.name == name == name.lower() and scheme.description
    assert {scheme.activations, scheme.weights} <= set(STORAGE_NAMES)
    assert scheme.calibration is None or method_named(scheme.calibration)


def test_options():
    assert chosen_scheme(None).name == "int8"
    assert [chosen_scheme(None, each).name for each in QUANTIZE] == list(QUANTIZE)
    assert chosen_scheme("F16", "int8").name == "f16"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("int1", "of one bit no network that was trained in floats keeps anything"),
        ("LOG8", "no target's units decode numbers of sign and exponent"),
    ],
)
def test_schemes_that_are_refused(name: str, why: str):
    with pytest.raises(DiagnosticError, match=f"scheme '{name}' is not offered: {why}"):
        scheme_named(name)


def test_mistakes():
    with pytest.raises(DiagnosticError, match="there is no scheme 'int88'") as caught:
        scheme_named("int88")
    assert caught.value.hint == "did you mean int8?"
    with pytest.raises(DiagnosticError, match="option 'quantize' is int3, expected one of int8"):
        chosen_scheme(None, "int3")
