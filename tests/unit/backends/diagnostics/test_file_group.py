"""Writing several files as one: all replace the old ones, or none does."""

import errno
from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.diagnostics.file_group import files_together
from smalti.backends.diagnostics.files import write_atomically, write_text


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """The first of two files, `m.a` and `m.b`, with old contents."""
    (tmp_path / "m.a").write_text("old a")
    (tmp_path / "m.b").write_text("old b")
    return tmp_path / "m.a"


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_all_files_are_replaced_at_the_end(pair: Path):
    with files_together(pair) as folder:
        for name in ("m.a", "m.b", "m.c"):
            write_text(folder / name, f"new {name[-1]}")
        assert contents(pair.parent) == {"m.a": "old a", "m.b": "old b"}
    assert contents(pair.parent) == {"m.a": "new a", "m.b": "new b", "m.c": "new c"}
    assert len(list(pair.parent.iterdir())) == 3


def test_no_file_is_replaced_if_one_cannot_be_written(pair: Path):
    def full(file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with (
        pytest.raises(DiagnosticError, match="cannot write: No space left") as caught,
        files_together(pair) as folder,
    ):
        write_text(folder / "m.a", "new a")
        write_atomically(folder / "m.b", full)
    assert caught.value.place is not None
    assert caught.value.place.file == str(pair.with_name("m.b"))
    assert contents(pair.parent) == {"m.a": "old a", "m.b": "old b"}


def test_no_file_is_replaced_if_one_has_no_place(pair: Path):
    pair.with_name("m.b").unlink()
    pair.with_name("m.b").mkdir()
    with (
        pytest.raises(DiagnosticError, match=r"m\.b: error: cannot write: Is a directory"),
        files_together(pair) as folder,
    ):
        write_text(folder / "m.a", "new a")
        write_text(folder / "m.b", "new b")
    assert contents(pair.parent) == {"m.a": "old a"}


def test_links_are_written_through(pair: Path):
    away = pair.parent / "away"
    away.mkdir()
    (away / "first").write_text("old")
    link = pair.with_name("n.a")
    link.symlink_to("away/first")
    with files_together(link) as folder:
        write_text(folder / "n.a", "new n")
        write_text(folder / "m.b", "new b")
    assert link.is_symlink() and (away / "first").read_text() == "new n"
    assert contents(pair.parent) == {"m.a": "old a", "m.b": "new b", "n.a": "new n"}
    assert contents(away) == {"first": "new n"}


def test_a_full_disk_behind_a_link_leaves_all_files(pair: Path, monkeypatch: pytest.MonkeyPatch):
    (pair.parent / "away").mkdir()
    link = pair.with_name("m.c")
    link.symlink_to("away/third")

    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with (
        pytest.raises(DiagnosticError, match=r"m\.c: error: cannot write: No space left"),
        files_together(pair) as folder,
    ):
        write_text(folder / "m.a", "new a")
        write_text(folder / "m.c", "new c")
    assert contents(pair.parent) == {"m.a": "old a", "m.b": "old b"}
    assert not list((pair.parent / "away").iterdir())


def test_a_device_takes_no_files_beside_it():
    with (
        pytest.raises(DiagnosticError, match="/dev/null: error: cannot write: it is not a file"),
        files_together(Path("/dev/null")),
    ):
        raise AssertionError


def test_a_file_that_is_a_device_stays_one(pair: Path):
    pair.with_name("m.b").unlink()
    pair.with_name("m.b").symlink_to("/dev/null")
    with files_together(pair) as folder:
        write_text(folder / "m.a", "new a")
        write_text(folder / "m.b", "gone")
    assert Path("/dev/null").is_char_device() and pair.read_text() == "new a"
