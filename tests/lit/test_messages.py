"""Every message of a verifier, and every rule of an instruction, has a golden case in an `invalid.mlir`."""

import ast
import re
from pathlib import Path

import pytest
from smalti.backends.instructions.instruction_set import INSTRUCTIONS, Instruction
from smalti.tools.lit_runner.shell import smalti_opt

HERE = Path(__file__).parent
DIALECTS = HERE.parents[1] / "dialects"
RAISED = {"VerifyException", "ShapeError"}
"""Exceptions whose first argument is a verifier's message."""
CHECKS = {"fail_unless"}
"""Functions whose second argument is one."""

_READER = "the reader of the type's text makes them fit"
_BEFORE = "another check of the same op comes first"
UNREACHED = {
    "{} scales but {} zero points": _READER,
    "{} scales without an axis": _READER,
    "a quantized axis is negative": _READER,
    "{} scales do not fill a grid of {}": _READER,
    "requantization is between quantized types, got {} and {}": _BEFORE,
    "requantization is between types with one scale each": _BEFORE,
    "a buffer was expected, got {}": _BEFORE,
}
"""Messages that no text can bring about, each with the reason."""


def messages(path: Path) -> dict[str, int]:
    """The verifier messages in a module, {} for what is put into them, each with its line."""
    found: dict[str, int] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        place = 0 if node.func.id in RAISED else 1 if node.func.id in CHECKS else None
        if place is not None and len(node.args) > place:
            message = message_of(node.args[place])
            if message is not None:
                found[message] = node.lineno
    return found


def message_of(argument: ast.expr) -> str | None:
    """The text of a (formatted) string; None for what is none."""
    match argument:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts)
    return None


def is_shown(message: str, printed: str) -> bool:
    """Whether the message stands in a text, anything in place of each {}."""
    return re.search(".*".join(map(re.escape, message.split("{}"))), printed) is not None


@pytest.fixture(scope="module")
def printed() -> str:
    """What smalti-opt says of every invalid.mlir."""
    texts: list[str] = []
    for path in sorted((HERE / "dialects").rglob("invalid.mlir")):
        code, out, err = smalti_opt([str(path), "--split-input-file"], "")
        assert (code, out) == (1, "")
        texts.append(err)
    return "\n".join(texts)


@pytest.mark.parametrize(
    "path", sorted(DIALECTS.rglob("*.py")), ids=lambda p: str(p.relative_to(DIALECTS))
)
def test_every_message_has_a_golden_case(path: Path, printed: str):
    without = [
        f"{path.name}:{line}: {message}"
        for message, line in messages(path).items()
        if message not in UNREACHED and not is_shown(message, printed)
    ]
    assert not without, "no invalid.mlir shows:\n" + "\n".join(without)


@pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=lambda each: each.mnemonic)
def test_every_rule_of_an_instruction_has_a_golden_case(
    instruction: type[Instruction], printed: str
):
    without = [text for text, _ in instruction.rules if f"it must have {text}, got" not in printed]
    assert not without, "no invalid.mlir shows:\n" + "\n".join(without)
