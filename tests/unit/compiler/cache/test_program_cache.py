"""Programs that are kept: found again, by one process at a time, whole, and not too many."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from smalti.backends.diagnostics.diagnostic import Diagnostic
from smalti.backends.program.program import Program
from smalti.compiler import compile_model
from smalti.compiler.cache.program_cache import CachedProgram, Entry, ProgramCache

from .test_content import model

KEYS = [f"{number:064x}" for number in range(4)]


@pytest.fixture(scope="module")
def program() -> Program:
    return compile_model(model(), quantize="f32", cores=1).program


class Cache:
    """A cache in a folder, with what it tells."""

    def __init__(self, folder: Path, **options: int) -> None:
        self.folder, self.told = folder, list[Diagnostic]()
        self.cache = ProgramCache(folder, self.told.append, **options)

    def get(self, key: str, program: Program) -> bool:
        """Whether there was a program; else it is put."""
        with self.cache.entry(key) as entry:
            if entry.found is None:
                entry.put(CachedProgram(program, "# a table\n", "9 cycles"))
            return entry.found is not None

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


def test_what_was_put_is_found(tmp_path: Path, program: Program):
    cache = Cache(tmp_path / "made" / "anew")
    assert [cache.get(key, program) for key in (KEYS[0], KEYS[0], KEYS[1])] == [False, True, False]
    with cache.cache.entry(KEYS[0]) as entry:
        assert entry.found is not None
        assert entry.found.program.inputs == program.inputs
        assert (entry.found.calibration, entry.found.cycles) == ("# a table\n", "9 cycles")
    assert cache.names() == {f"{key}{end}" for key in KEYS[:2] for end in (".smalti", ".json")}
    assert cache.told == []


def test_a_compilation_that_fails_keeps_nothing(tmp_path: Path, program: Program):
    cache = Cache(tmp_path)
    with pytest.raises(ValueError, match="wrong"), cache.cache.entry(KEYS[0]):
        raise ValueError("wrong")
    assert cache.names() == set()
    assert not cache.get(KEYS[0], program)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_damage_is_noticed_told_and_mended(tmp_path: Path, program: Program, damage: str):
    cache = Cache(tmp_path)
    cache.get(KEYS[0], program)
    path = tmp_path / f"{KEYS[0]}.smalti"
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    contents = {"cut": whole[:middle], "flipped": flipped, "empty": b"", "other": b"x" * 99}
    path.write_bytes(contents[damage])
    assert not cache.get(KEYS[0], program)
    assert [each.severity for each in cache.told] == ["warning"]
    assert "is damaged" in cache.told[0].message and str(path) in str(cache.told[0])
    assert path.read_bytes() == whole
    assert cache.get(KEYS[0], program)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"calibration": 1, "cycles": 2}', "\xff"])
def test_what_is_damaged_beside_a_program_is_had_anew(tmp_path: Path, program: Program, text: str):
    cache = Cache(tmp_path)
    cache.get(KEYS[0], program)
    (tmp_path / f"{KEYS[0]}.json").write_text(text, encoding="latin-1")
    with cache.cache.entry(KEYS[0]) as entry:
        assert entry.found is not None
        assert (entry.found.calibration, entry.found.cycles) == (None, "")


def test_the_least_recently_used_go_first(tmp_path: Path, program: Program):
    cache = Cache(tmp_path)
    for number, key in enumerate(KEYS[:3]):
        cache.get(key, program)
        os.utime(tmp_path / f"{key}.smalti", (number, number))
    assert cache.get(KEYS[0], program)  # it was the oldest one, and is used again
    (tmp_path / "notes.txt").write_text("not an entry")
    size = (tmp_path / f"{KEYS[0]}.smalti").stat().st_size
    small = Cache(tmp_path, limit_bytes=2 * size)
    small.get(KEYS[3], program)
    left = {name for name in small.names() if name.endswith(".smalti")}
    assert left == {f"{KEYS[0]}.smalti", f"{KEYS[3]}.smalti"}
    assert f"{KEYS[1]}.json" not in small.names() and "notes.txt" in small.names()
    tiny = Cache(tmp_path, limit_bytes=1)
    tiny.get(KEYS[1], program)
    assert {name for name in tiny.names() if name.endswith(".smalti")} == {f"{KEYS[1]}.smalti"}


@pytest.mark.parametrize("below", ["a file", "a long name", "no name"])
def test_a_folder_that_cannot_be_written_hinders_nobody(
    tmp_path: Path, program: Program, below: str
):
    (tmp_path / "file").write_text("")
    names = {"a file": "file/cache", "a long name": "x" * 300, "no name": "\0"}
    folder = tmp_path / names[below]
    cache = Cache(folder)
    assert not cache.get(KEYS[0], program) and not cache.get(KEYS[0], program)
    assert len(cache.told) == 2
    assert "nothing is kept in the cache" in cache.told[0].message
    assert str(folder) in str(cache.told[0])


HOLDER = """
import sys, time
from smalti.compiler.cache.program_cache import ProgramCache

with ProgramCache(sys.argv[1], print).entry(sys.argv[2]):
    print("held", flush=True)
    time.sleep(600)
"""


@contextmanager
def holder(folder: Path, key: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of an entry."""
    command = [sys.executable, "-c", HOLDER, str(folder), key]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_holder_that_is_killed_blocks_nobody(tmp_path: Path, program: Program):
    cache = Cache(tmp_path)
    with holder(tmp_path, KEYS[0]) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not cache.get(KEYS[0], program)
    assert f"{KEYS[0]}.lock" not in cache.names()


RACER = """
import sys
from pathlib import Path
from smalti.compiler.cache.program_cache import CachedProgram, ProgramCache
from smalti.backends.program import container

program = container.load(sys.argv[3])
Path(sys.argv[4]).touch()
with ProgramCache(sys.argv[1], lambda told: print(told.severity)).entry(sys.argv[2]) as entry:
    if entry.found is None:
        entry.put(CachedProgram(program))
    print("found" if entry.found else "compiled")
"""


def test_one_compiles_and_the_others_wait(tmp_path: Path, program: Program):
    """This process holds the lock until both others have come to it."""
    folder, given = tmp_path / "cache", tmp_path / "given.smalti"
    compile_model(model(), quantize="f32", cores=1).save(given)
    processes: list[subprocess.Popen[str]] = []
    with ProgramCache(folder, print).entry(KEYS[0]) as entry:
        assert isinstance(entry, Entry) and entry.found is None
        for number in range(2):
            mark = tmp_path / f"started{number}"
            command = [sys.executable, "-c", RACER, folder, KEYS[0], given, mark]
            processes.append(
                subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True)
            )
        while not all((tmp_path / f"started{number}").exists() for number in range(2)):
            assert all(process.poll() is None for process in processes)
            time.sleep(0.01)
        time.sleep(
            0.2
        )  # only to make it likely that they wait; what they find does not depend on it
    told = [process.communicate()[0].split() for process in processes]
    assert sorted(lines[-1] for lines in told) == ["compiled", "found"]
    assert {path.name for path in folder.iterdir()} == {f"{KEYS[0]}.smalti", f"{KEYS[0]}.json"}
