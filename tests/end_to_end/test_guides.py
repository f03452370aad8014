"""The guides: every block is a file that is written or a command that is run, with what it prints.

In a block of commands a line that starts with `$ ` is run by the shell, in the order of the guide and in one folder;
the lines after it are what it prints, where `...` stands for anything.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted(
    path
    for folder in ("passes", "dialects", "backends")
    for path in (ROOT / folder).rglob("first_*.md")
)
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_there_is_a_guide_for_each_thing():
    assert {path.stem for path in GUIDES} >= {
        "first_pass",
        "first_target",
        "first_op",
        "first_instruction",
    }


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_guide(guide: Path, tmp_path: Path):
    blocks = BLOCK.findall(guide.read_text(encoding="utf-8"))
    assert any(kind == "console" for kind, _, _ in blocks)
    for kind, file, text in blocks:
        if file:
            (tmp_path / file).write_text(text, encoding="utf-8")
        elif kind == "console":
            for command in re.split(r"^(?=\$ )", text, flags=re.MULTILINE)[1:]:
                _run(command, tmp_path)


def _run(block: str, folder: Path) -> None:
    """One command and what it prints; it ends well unless it prints an error."""
    line, _, expected = block.removeprefix("$ ").partition("\n")
    scripts = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
    }
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    printed = done.stdout
    assert (done.returncode == 0) == ("error:" not in expected), printed
    pattern = ".*".join(re.escape(part) for part in expected.rstrip().split("..."))
    assert re.fullmatch(pattern, printed.rstrip(), re.DOTALL), f"$ {line}\n{printed}"
