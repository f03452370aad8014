"""`smalti.__version__`, and `--version` of every program."""

import tomllib
from collections.abc import Callable

import pytest
import smalti
from smalti.tools import bisect, extract, gui, main, new_op, new_pass, new_target, opt, reduce
from smalti.tools.reference import __main__ as reference
from xdsl import __version__ as xdsl_version

from tests.shared_files import ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PROGRAMS: dict[str, Callable[[list[str]], int]] = {
    "smalti": main.main,
    "smalti-opt": opt.main,
    "smalti-bisect": bisect.main,
    "smalti-reduce": reduce.main,
    "smalti-extract": extract.main,
    "smalti-gui": gui.main,
    "python -m smalti.tools.new_op": new_op.main,
    "python -m smalti.tools.new_pass": new_pass.main,
    "python -m smalti.tools.new_target": new_target.main,
    "python -m smalti.tools.reference": reference.main,
}


def test_the_package_says_its_version():
    assert smalti.__version__ == VERSION
    with pytest.raises(AttributeError, match="no attribute 'version'"):
        _ = smalti.version


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_says_its_version(name: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stopped:
        PROGRAMS[name](["--version"])
    assert stopped.value.code in (0, None)
    assert capsys.readouterr().out == f"{name} {VERSION} (xdsl {xdsl_version})\n"
