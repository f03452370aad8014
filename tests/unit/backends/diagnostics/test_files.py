"""Writing whole files: through links, into devices, cleaned up after; reading regular files of a limited size only."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from smalti.backends.diagnostics.destination import is_device
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.diagnostics.files import (
    read_bytes,
    read_text,
    write_atomically,
    write_text,
)
from smalti.backends.diagnostics.temporary import temporary_folder


def test_a_link_is_written_through(tmp_path: Path):
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    write_text(link, "one")
    assert link.is_symlink() and target.read_text() == "one"


def test_a_file_keeps_its_mode(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o750)
    write_text(path, "new")
    assert path.stat().st_mode & 0o777 == 0o750 and path.read_text() == "new"


def test_devices_stay_devices():
    write_text("/dev/null", "gone")
    assert is_device("/dev/null") and not Path("/dev/null").is_file()


@pytest.mark.parametrize("to_link", [False, True])
def test_standard_output_that_is_a_file_goes_on_where_it_is(tmp_path: Path, to_link: bool):
    name = "/dev/stdout"
    if to_link:
        name = str(tmp_path / "link")
        os.symlink("/dev/stdout", name)
    code = (
        "from smalti.backends.diagnostics.files import write_text\n"
        f"print('before'); write_text({name!r}, 'inside\\n'); print('after')"
    )
    out = tmp_path / "out"
    with out.open("w") as file:
        subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
    assert out.read_text() == "before\ninside\nafter\n"


def test_a_pipe_is_written_into(tmp_path: Path):
    read, write = os.pipe()
    write_text(f"/dev/fd/{write}", "text")
    os.close(write)
    assert os.read(read, 100) == b"text"
    os.close(read)


def test_a_full_disk_is_told_with_the_path_that_was_given(tmp_path: Path):
    def full(file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "real").write_text("old")
    link = tmp_path / "link"
    link.symlink_to("real")
    with pytest.raises(DiagnosticError, match="cannot write: No space left") as caught:
        write_atomically(link, full)
    assert caught.value.place is not None and caught.value.place.file == str(link)
    assert caught.value.hint is not None and "free space" in caught.value.hint
    assert (tmp_path / "real").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]
    with pytest.raises(DiagnosticError, match="/dev/full: error: cannot write: No space left"):
        write_text("/dev/full", "text")


@pytest.mark.parametrize("name", ["loop", "a\0b", "x" * 300, "absent/file", "folder"])
def test_what_cannot_be_written_is_told(tmp_path: Path, name: str):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DiagnosticError, match="cannot write: ") as caught:
        write_text(tmp_path / name, "text")
    assert caught.value.hint


def test_the_next_run_removes_what_a_killed_one_left(tmp_path: Path):
    code = (
        "import os, pathlib, sys\n"
        "from smalti.backends.diagnostics.temporary import temporary_file, temporary_folder\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "with temporary_folder(path) as folder, temporary_file(path):\n"
        "    (folder / 'half').write_text('x')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "m.smalti")], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    with temporary_folder(tmp_path / "other"):
        assert len(list(tmp_path.iterdir())) == 3
    write_text(tmp_path / "m.smalti", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["m.smalti"]


def test_what_a_running_process_holds_is_left_alone(tmp_path: Path):
    with temporary_folder(tmp_path / "m") as held:
        write_text(tmp_path / "m", "whole")
        assert held.is_dir()
        # Held by the lock, not by its age or name.
        handle = os.open(held, os.O_RDONLY)
        with pytest.raises(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)


def test_files_are_written_where_there_are_no_locks(tmp_path: Path):
    """On Windows there is no `fcntl`: nothing is locked, and no leftover is removed."""
    code = (
        "import pathlib, sys\n"
        "sys.modules['fcntl'] = None\n"
        "from smalti.backends.diagnostics.files import write_text\n"
        "from smalti.backends.diagnostics.temporary import temporary_folder\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "with temporary_folder(path) as folder:\n"
        "    (folder / 'part').write_text('x')\n"
        "    write_text(path, 'whole')\n"
    )
    leftover = tmp_path / ".m.smalti-part-x"
    leftover.touch()
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "m")], check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [leftover.name, "m"]


def test_only_regular_files_of_a_limited_size_are_read(tmp_path: Path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, "/dev/zero"):
        with pytest.raises(DiagnosticError, match="cannot read: not a regular file"):
            read_text(path)
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(2000)
    with pytest.raises(DiagnosticError, match="2,000 bytes, the limit is 1,999"):
        read_bytes(large, "the table", 1999, "hint")
    assert read_bytes(large, "the table", 2000, "hint") == bytes(2000)


def test_reading_takes_memory_for_the_file_and_not_for_the_limit(tmp_path: Path):
    small = tmp_path / "small"
    small.write_bytes(b"abc")
    # More than the address space: Python would fail to reserve it.
    assert read_bytes(small, "", 1 << 60, "hint") == b"abc"
    # Files of the system have contents and no size.
    if Path("/proc/self/status").exists():
        assert read_bytes("/proc/self/status", "", 1 << 20, "hint").startswith(b"Name:")
