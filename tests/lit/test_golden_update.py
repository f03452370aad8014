"""--update-golden writes the expected text of generated tests, and only theirs."""

from pathlib import Path

import pytest
from smalti.tools.lit_runner.golden_update import (
    NOTE,
    CannotUpdate,
    check_lines,
    update,
    with_checks,
)
from smalti.tools.lit_runner.shell import run, run_lines, substituted

RUN = '// RUN: smalti-opt %s -p "cse" | filecheck %s'
MODULE = "builtin.module {\n}\n"
CHECKS = "// CHECK:      builtin.module {\n// CHECK-NEXT: }\n"


@pytest.fixture
def golden(tmp_path: Path):
    """A function from the text of a golden test to its path."""

    def write(text: str) -> Path:
        path = tmp_path / "golden.mlir"
        path.write_text(text)
        return path

    return write


def refreshed(path: Path) -> bool:
    return update(path, path.with_name("file_of_a_golden_test"))


def passes(path: Path) -> bool:
    return all(
        run(substituted(line, path, path.with_suffix(".t")))[0] == 0 for line in run_lines(path)
    )


def test_a_new_test_gets_its_expected_text(golden):
    path = golden(f"{NOTE}\n{RUN}\n{MODULE}")
    assert refreshed(path)
    assert path.read_text() == f"{NOTE}\n{RUN}\n{MODULE}\n{CHECKS}"
    assert passes(path) and not refreshed(path)


def test_text_that_changed_is_replaced_in_its_place(golden):
    stale = "// CHECK: builtin.module {\n// CHECK-NEXT: an_op\n// CHECK-NEXT: }\n"
    path = golden(f"{NOTE}\n{RUN}\n\n// About it.\n{stale}\n// The input.\n{MODULE}")
    assert not passes(path) and refreshed(path) and passes(path)
    assert path.read_text() == f"{NOTE}\n{RUN}\n\n// About it.\n{CHECKS}\n// The input.\n{MODULE}"


@pytest.mark.parametrize(
    "hand",
    [
        "// CHECK: builtin{{.*}}\n",
        "// CHECK: [[NAME:builtin]]\n",
        "// CHECK: builtin\n// CHECK-NOT: func\n",
        "// CHECK: builtin\n// CHECK: }\n",
        "// CHECK-LABEL: builtin\n",
        "// CHECK-COUNT-2: builtin\n",
        "// CHECK: builtin\n\n// And then:\n// CHECK: }\n",
    ],
)
def test_what_is_written_by_hand_stays(hand: str):
    text = f"{NOTE}\n{RUN}\n{MODULE}{hand}"
    assert with_checks(text, "CHECK", "another text") == text


def test_a_file_without_the_note_stays(golden):
    path = golden(f"{RUN}\n{MODULE}// CHECK: another text\n")
    assert not refreshed(path) and not passes(path)


def test_prefixes_are_refreshed_one_by_one(golden):
    lines = [NOTE, RUN, f"{RUN} --check-prefix=OTHER", MODULE, "// OTHER: builtin.{{m.*}}"]
    path = golden("\n".join(lines) + "\n")
    assert refreshed(path) and passes(path)
    assert path.read_text().endswith("// OTHER: builtin.{{m.*}}\n\n" + CHECKS)


def test_brackets_and_empty_lines_are_no_patterns(golden):
    printed = "a = dense<[[x, y]]>\n\nb {{c}}\n"
    assert check_lines("P", printed) == [
        "// P{LITERAL}: a = dense<[[x, y]]>",
        "// P-EMPTY:",
        "// P-NEXT{LITERAL}: b {{c}}",
    ]
    source = golden(printed)
    path = source.with_name("brackets.mlir")
    path.write_text(
        with_checks(f"// RUN: cat {source} | filecheck %s --check-prefix P\n", "P", printed)
    )
    assert passes(path)
    assert with_checks(path.read_text(), "P", printed) == path.read_text()


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (["// RUN: smalti-opt none.mlir | filecheck %s"], "exit code 1"),
        (["// RUN: not smalti-opt %s.none 2>&1 | filecheck %s"], "name of a file of this machine"),
        ([RUN, f"{RUN.replace('cse', 'no-such')} "], "exit code 1"),
        ([RUN, RUN.replace("%s -p", "--mlir-print-op-generic %s -p")], "print different texts"),
    ],
)
def test_what_cannot_be_written(runs: list[str], message: str, golden):
    path = golden("\n".join([NOTE, *runs, MODULE]))
    with pytest.raises(CannotUpdate, match=message):
        refreshed(path)
