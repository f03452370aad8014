"""Two-plane memory against the plain thing: one array of bytes per sample."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.simulator.functional.memory import Memory

SIZE = 400
RANGES = st.tuples(st.integers(0, SIZE - 1), st.integers(1, SIZE)).map(
    lambda r: (r[0], min(r[0] + r[1], SIZE))
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["read", "shared", "private", "rows"]), RANGES, st.integers(0, 2**32 - 1)
    ),
    max_size=25,
)


@settings(max_examples=50)
@given(STEPS, st.integers(1, 3))
def test_memory_is_one_array_per_sample(steps, samples):
    memory, plain = Memory(SIZE, samples), np.zeros((samples, SIZE), np.uint8)
    for kind, (start, end), seed in steps:
        rng = np.random.default_rng(seed)
        if kind == "read":
            got = memory.read(start, end)
            assert len(got) in (1, samples)
            assert np.array_equal(np.broadcast_to(got, (samples, end - start)), plain[:, start:end])
        elif kind == "rows":
            rows, pitch = (end - start) // 7, 7
            if not rows:
                continue
            values = rng.integers(0, 256, (samples, rows, 3), dtype=np.uint8)
            view = memory.strided(
                start, start + (rows - 1) * pitch + 3, start, (rows, 3), (pitch, 1), samples > 1
            )
            view[...] = values
            for row in range(rows):
                plain[:, start + row * pitch : start + row * pitch + 3] = values[:, row]
        else:
            count = 1 if kind == "shared" else samples
            values = rng.integers(0, 256, (count, end - start), dtype=np.uint8)
            memory.write(start, values)
            plain[:, start:end] = values
    assert np.array_equal(np.broadcast_to(memory.read(0, SIZE), (samples, SIZE)), plain)


def test_shared_bytes_are_not_copied():
    contents = np.arange(256, dtype=np.uint8)
    memory = Memory(256, 1000, contents)
    assert memory.read(64, 128).base is not None and len(memory.read(64, 128)) == 1
    assert np.shares_memory(memory.read(0, 256), contents)
    work = Memory(256, 1000)
    work.write(0, np.ones((1000, 256), np.uint8))
    work.write(64, contents[None, :128])
    # Whole blocks that all samples share again are shared again.
    assert len(work.read(64, 192)) == 1 and len(work.read(0, 64)) == 1000


def test_bytes_past_the_end_are_zeros():
    memory = Memory(10, 1, np.full(10, 7, np.uint8))
    assert memory.read(8, 13).tolist() == [[7, 7, 0, 0, 0]]
