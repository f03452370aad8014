"""The in-process lit runner is installed with Smalti; what it needs is an extra that the message names."""

import importlib

import pytest
from smalti.tools import lit_runner


def test_absent_packages_are_named_with_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"need lit and filecheck: .*smalti\[golden\]"):
        importlib.reload(lit_runner)
    monkeypatch.undo()
    importlib.reload(lit_runner)
