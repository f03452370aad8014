"""The target on the module: noted, found again, and refused where it is another by now."""

from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.targets import target as targets
from smalti.dialects.ir.target_attribute import set_target, target_of
from xdsl.dialects.builtin import ModuleOp, StringAttr


def test_the_target_is_found_again():
    module = ModuleOp([])
    edge = targets.load_target("edge-1c")
    set_target(module, "edge-1c", edge)
    assert target_of(module).content_hash == edge.content_hash


def test_a_module_without_target_is_told():
    with pytest.raises(DiagnosticError, match="does not say for which target"):
        target_of(ModuleOp([]))


def test_another_target_of_the_same_name_is_told():
    module = ModuleOp([])
    set_target(module, "edge-1c", targets.load_target("default-8c"))
    with pytest.raises(DiagnosticError, match="was lowered for another 'edge-1c'"):
        target_of(module)


def test_an_unknown_target_is_told():
    module = ModuleOp([])
    module.attributes["smalti.target"] = StringAttr("nothing-9c")
    with pytest.raises(DiagnosticError, match="nothing-9c"):
        target_of(module)


def test_an_edited_target_file_is_read_anew(tmp_path: Path):
    shipped = Path(targets.__file__).with_name("edge-1c.toml").read_text()
    file = tmp_path / "mine.toml"
    file.write_text(shipped)
    module = ModuleOp([])
    set_target(module, str(file), targets.load_target(str(file)))
    target_of(module)
    file.write_text(shipped.replace("clock_ghz = ", "clock_ghz = 1"))
    import os

    os.utime(file, (1, 1))
    with pytest.raises(DiagnosticError, match="was lowered for another"):
        target_of(module)
