"""Pass names, pipelines as text, and running them."""

import importlib.util
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.passes import registry
from smalti.passes.registry import PASSES, get_pass, parse_pipeline, print_pipeline
from smalti.passes.smalti_pass import SmaltiPass


@dataclass(frozen=True)
class Sample(SmaltiPass):
    """A pass with an option of each type."""

    name = "sample"

    text: str
    number: int = 3
    real: float = 0.5
    flag: bool = False
    list: tuple[int, ...] = ()
    maybe: str | None = None

    def run(self, ctx, module):
        self.count("run")


@pytest.fixture(autouse=True)
def sample(monkeypatch):
    monkeypatch.setattr(
        registry, "get_pass", lambda name: Sample if name == "sample" else get_pass(name)
    )


def test_every_registered_pass_can_be_loaded_and_is_called_so():
    for name, location in PASSES.items():
        module = location.partition(":")[0]
        if importlib.util.find_spec(f"smalti.passes{module}") is None:
            continue
        cls = get_pass(name)
        assert cls.name == name
        assert (cls.__doc__ or "").strip()


def test_an_unknown_pass_is_named_with_the_nearest_ones():
    with pytest.raises(DiagnosticError, match="no pass 'top-fold-shape'") as caught:
        parse_pipeline("top-fold-shape")
    assert "top-fold-shapes" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample{txt=a}", "no option 'txt' (there is: text, number, real, flag, list, maybe)"),
        ("sample", "option 'text' is missing"),
        ("sample{text=a number=b}", "option 'number' is b, expected int"),
        ("sample{text=a flag=3}", "option 'flag' is 3, expected bool"),
        ("sample{text=a real=x}", "option 'real' is x, expected float"),
        ("sample{text=a number=1,2}", "option 'number' is 1,2, expected int"),
        ("sample{text=a", "does not parse"),
        ("sample{text=}", "does not parse"),
        ("sample sample", "does not parse"),
        ("{", "does not parse"),
        ('sample{text="a', "does not parse"),
        ("canonicalize{x=1}", "no option 'x' (there is: none)"),
    ],
)
def test_mistakes_are_diagnostics(text, message):
    with pytest.raises(DiagnosticError) as caught:
        parse_pipeline(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sample{text=a}", Sample("a")),
        ("sample{text=/tmp/a.b/c-1.json}", Sample("/tmp/a.b/c-1.json")),
        ("sample{text=8}", Sample("8")),
        ('sample{text="a, {b} = c"}', Sample("a, {b} = c")),
        ("sample{text=a number=-4 real=2 flag=true}", Sample("a", -4, 2.0, True)),
        ("sample{text=a real=1e-5}", Sample("a", real=1e-5)),
        ("  sample{ text=a   list=1,2,3 }  ", Sample("a", list=(1, 2, 3))),
        ("sample{text=random:7 maybe=x}", Sample("random:7", maybe="x")),
    ],
)
def test_options_are_read(text, expected):
    assert parse_pipeline(text) == [expected]


def test_several_passes_with_spaces_between():
    names = [each.name for each in parse_pipeline("cse, canonicalize ,\n sample{text=a}")]
    assert names == ["cse", "canonicalize", "sample"]
    assert parse_pipeline("") == []


@settings(max_examples=50)
@given(
    st.builds(
        Sample,
        st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=12),
        number=st.integers(-(2**31), 2**31),
        real=st.floats(allow_nan=False, allow_infinity=False),
        flag=st.booleans(),
        list=st.lists(st.integers(0, 9), min_size=2, max_size=3).map(tuple),
        maybe=st.sampled_from([None, "true", "3", "x y", 'q"\\']),
    )
)
def test_what_is_printed_is_read_back(sample):
    registry_get, registry.get_pass = registry.get_pass, lambda name: Sample
    try:
        assert parse_pipeline(print_pipeline([sample, sample])) == [sample, sample]
    finally:
        registry.get_pass = registry_get


def test_defaults_are_not_printed():
    assert (
        print_pipeline([Sample("a"), Sample("a.b", 4)])
        == 'sample{text=a},sample{text="a.b" number=4}'
    )


def test_cse_merges_ops_that_differ_in_name_only_and_keeps_locations(piped, network):
    body = """
    %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32> loc("A")
    %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32> loc("B")
    %c = top.add "c" %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("C")
    """
    result = piped(network({"x": "4xf32"}, body, "%c", "4xf32"), "cse")
    assert result.names() == ["top.relu", "top.add", "func.return"]
    assert 'loc(fused["A", "B"])' in result.located
    assert result.passes[0].statistics == {"merged": 1}


def test_the_name_of_a_switch_alone_is_true(monkeypatch: pytest.MonkeyPatch):
    @dataclass(frozen=True)
    class Switched(SmaltiPass):
        name = "switched"
        fast: bool = False

        def run(self, ctx: object, module: object) -> None:
            """Do nothing."""

    monkeypatch.setitem(PASSES, "switched", Switched)
    for text, fast in [
        ("{fast}", True),
        ("{fast=true}", True),
        ("{fast=false}", False),
        ("", False),
    ]:
        (made,) = parse_pipeline(f"switched{text}")
        assert isinstance(made, Switched) and made.fast is fast
        assert parse_pipeline(print_pipeline([made])) == [made]
