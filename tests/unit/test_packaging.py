"""The wheel holds every subpackage and data file, and works without the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("dialects", "passes", "backends", "compiler", "tools")
PACKAGE = "smalti/tools/package/"
"""Where pyproject.toml says that the files of `smalti` itself are."""
DATA_SUFFIXES = {".toml", ".onnx", ".npz", ".typed", ".lark"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the checkout's files (the build leaves nothing behind in the checkout)."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in listed:
        if (
            name.split("/")[0] in (*FOLDERS, "pyproject.toml", "README.md", "LICENSE")
            and (ROOT / name).is_file()
        ):
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(source)],
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


def expected_members() -> set[str]:
    """Every Python and data file of the library, as the wheel should name it."""
    found = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", *DATA_SUFFIXES} or path.name == "py.typed":
                found.add(f"smalti/{path.relative_to(ROOT)}".replace(PACKAGE, "smalti/"))
    return found


def test_wheel_has_every_file(wheel: Path):
    members = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert members == expected_members()


def test_wheel_has_the_license(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        (license,) = (name for name in archive.namelist() if name.endswith("licenses/LICENSE"))
        assert archive.read(license) == (ROOT / "LICENSE").read_bytes()
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        assert b"License-Expression: Apache-2.0 WITH LLVM-exception" in archive.read(metadata)


def test_every_folder_is_typed():
    for folder in FOLDERS:
        for init in (ROOT / folder).rglob("__init__.py"):
            assert (init.parent / "py.typed").is_file(), f"{init.parent} has no py.typed"


@pytest.mark.share(3)
def test_wheel_works_without_the_checkout(wheel: Path, tmp_path: Path):
    """Unpacked elsewhere, before the checkout on the path, the demo's parts are found and a model compiles."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    program = tmp_path / "run.py"
    program.write_text(
        "import sys\n"
        # Without the editable install's finder, so that nothing comes from the checkout.
        "sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]\n"
        f"sys.path.insert(0, {str(site)!r})\n"
        "import smalti, smalti.compiler, smalti.tools.main\n"
        f"assert smalti.__file__.startswith({str(site)!r}) and smalti.__version__, smalti.__file__\n"
        f"assert smalti.compiler.__file__.startswith({str(site)!r}), smalti.compiler.__file__\n"
        "from smalti.compiler import compile_model\n"
        "from smalti.compiler.demo.digits import MODEL\n"
        "compiled = compile_model(MODEL, target='edge-1c', calibration='random:0')\n"
        "print(compiled.profile().cycles)\n"
    )
    done = subprocess.run(
        [sys.executable, str(program)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
