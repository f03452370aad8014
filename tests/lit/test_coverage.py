"""Every op and every pass has a golden test: ops in both forms of the text, passes in the folder of passes."""

import re
from pathlib import Path

import pytest
from smalti.dialects.context import DIALECTS
from smalti.dialects.isa import InstructionOp
from smalti.passes.registry import PASSES
from xdsl.ir import Operation

from tests.lit.test_lit import FILES, HERE

OURS = [name for name in DIALECTS if name not in ("builtin", "func")]
OPS = [op for name in OURS for op in DIALECTS[name]().operations]
_EXPECTED = re.compile(r"^// *(?!RUN|NOTE)[A-Z][A-Z0-9_-]*(?:\{LITERAL\})?:(.*)$", re.MULTILINE)
_RUN = re.compile(r"^// *RUN: (.*)$", re.MULTILINE)


def golden(pattern: re.Pattern[str], below: Path) -> str:
    """What the pattern finds in the golden tests below a folder, line by line."""
    files = [path for path in FILES if path.is_relative_to(below)]
    return "\n".join(
        line for path in files for line in pattern.findall(path.read_text(encoding="utf-8"))
    )


@pytest.fixture(scope="module")
def expected() -> str:
    """All lines that golden tests of dialects expect."""
    return golden(_EXPECTED, HERE / "dialects")


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_every_op_has_a_golden_test_in_both_forms(op: type[Operation], expected: str):
    assert f'"{op.name}"(' in expected, "no golden test expects the generic form"
    # A line of a listing has the mnemonic alone, after the name of the instruction.
    custom = op.name.removeprefix("isa.") if issubclass(op, InstructionOp) else op.name
    assert re.search(rf"(?<![\w.\"]){re.escape(custom)}(?!\w)", expected), "none the custom form"


@pytest.mark.parametrize("name", PASSES)
def test_every_pass_has_a_golden_test(name: str):
    commands = golden(_RUN, HERE / "passes")
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", commands)
