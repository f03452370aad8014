"""Matching diagnostics with what comments expect."""

import pytest
from smalti.backends.diagnostics.diagnostic import Diagnostic, DiagnosticError, Note, Place
from smalti.compiler.driver.expected_diagnostics import read_expectations, unmatched

TEXT = """// expected-error @+1 {{first}}
one
two // expected-warning {{second}}
// expected-remark @-1 {{third}}
three
// expected-error @above {{fourth}}
// expected-note @below {{fifth}}

four // expected-error-re @unknown {{a {{[0-9]+}} (b)}}
"""


def at(line: int | None) -> Place:
    return Place("f", line, 1)


PRODUCED = [
    DiagnosticError("the first one", at(2)),
    Diagnostic("warning", "second", at(3)),
    Diagnostic("remark", "third", at(3)),
    DiagnosticError("fourth", at(5), [Note("fifth", at(8)), "a detail that nobody expects"]),
    DiagnosticError("a 12 (b)", Place(name="Conv_0")),
]


def test_lines_are_counted_as_in_mlir():
    expectations = read_expectations(TEXT, "f")
    assert [(each.severity, each.line) for each in expectations] == [
        ("error", 2),
        ("warning", 3),
        ("remark", 3),
        ("error", 5),
        ("note", 8),
        ("error", None),
    ]
    assert read_expectations(TEXT, "f", first_line=101)[0].line == 102


def test_all_that_is_expected_and_nothing_else():
    assert unmatched(read_expectations(TEXT, "f"), PRODUCED) == []


@pytest.mark.parametrize("missing", range(len(PRODUCED)))
def test_what_is_not_produced_is_told_where_it_was_expected(missing):
    produced = PRODUCED[:missing] + PRODUCED[missing + 1 :]
    wrong = unmatched(read_expectations(TEXT, "f"), produced)
    assert wrong and all("was not produced" in each.message for each in wrong)
    assert all(each.place is not None and each.place.line is not None for each in wrong)


@pytest.mark.parametrize(
    "surprise",
    [
        DiagnosticError("the first one", at(2)),
        DiagnosticError("the first one", at(1)),
        Diagnostic("warning", "first", at(2)),
        DiagnosticError("a b (b)", None),
        Diagnostic("remark", "fifth", at(8)),
    ],
)
def test_what_is_not_expected_is_told(surprise):
    wrong = unmatched(read_expectations(TEXT, "f"), [*PRODUCED, surprise])
    assert len(wrong) == 1 and wrong[0].message.startswith("unexpected ")


def test_a_note_with_a_place_has_to_be_expected():
    error = DiagnosticError("first", at(2), [Note("see there", at(9)), "plain"])
    (wrong,) = unmatched(read_expectations("//\none // expected-error {{first}}", "f"), [error])
    assert wrong.message == "unexpected note: see there"


@pytest.mark.parametrize("text", ["// expected-error {x}", "// expected-error-re {{ {{(}} }}"])
def test_comments_that_expect_nothing_are_mistakes(text):
    with pytest.raises(DiagnosticError):
        read_expectations(text, "f")
