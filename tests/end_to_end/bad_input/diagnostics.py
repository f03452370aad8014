"""What all tests of bad input check, and the smallest network that they change."""

from collections.abc import Callable
from pathlib import Path

from ..conftest import Ran

Smalti = Callable[..., Ran]
"""The fixture that runs `smalti` with the given words."""

RELU = """\
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %y = top.relu "y" %x : (tensor<4xf32>) -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
"""
"""A network of one op."""


def assert_diagnostic(ran: Ran, *words: str, folder: Path | None = None, kept: int = 0) -> None:
    """Check for exit code 1, an error that has all the words, no traceback, and `kept` files in `folder`."""
    assert ran.code == 1, (ran.code, ran.out, ran.err)
    assert "error:" in ran.err
    assert "Traceback" not in ran.err + ran.out
    for word in words:
        assert word.lower() in ran.err.lower(), f"{word!r} is not in:\n{ran.err}"
    if folder is not None:
        assert len(list(folder.iterdir())) == kept, sorted(folder.iterdir())
