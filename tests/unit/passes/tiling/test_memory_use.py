"""Memory in use while steps are placed in time."""

from math import inf

from smalti.passes.tiling.memory_use import MemoryUse


def test_bytes_are_free_once_enough_of_them_are() -> None:
    """Of 100 bytes two steps use 60 and 30, until 50 and 20."""
    memory = MemoryUse(100)
    memory.take(60, 0)
    memory.take(30, 0)
    assert memory.time_of(10) == 0 and memory.time_of(11) == inf
    memory.free(60, 50)
    memory.free(30, 20)
    assert [memory.time_of(size) for size in (40, 41, 100, 101)] == [20, 50, 50, inf]


def test_what_is_taken_later_finds_what_is_free_by_then() -> None:
    memory = MemoryUse(100)
    memory.take(90, 0)
    memory.free(90, 50)
    memory.take(20, 49)
    assert memory.used == 110
    memory.take(20, 50)
    assert memory.used == 40
