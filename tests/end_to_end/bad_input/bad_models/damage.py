"""Files that were cut off, or hold something else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...conftest import small_model
from .building import Bad, integers, loop_of, model_of, tokens


def damaged() -> Iterator[Bad]:
    """Files that were cut off, or hold something else."""
    models = {"small": small_model(), "loop": model_of(*loop_of(integers(3)[0])), "text": tokens()}
    for name, model in models.items():
        data = model.SerializeToString()
        for part in range(1, 14):
            yield f"{name} cut at {part}/14", data[: len(data) * part // 14]
    data = small_model().SerializeToString()
    generator = np.random.default_rng(11)
    yield "empty", b""
    yield "zeros", bytes(4096)
    yield "a text", b"This is no model.\n" * 50
    yield "random bytes", generator.bytes(4096)
    yield "a zip file", b"PK\x03\x04" + generator.bytes(400)
    yield "a png", b"\x89PNG\r\n\x1a\n" + generator.bytes(400)
    yield "gzip", b"\x1f\x8b\x08\x00" + data
    yield "json", b'{"irVersion": "8", "graph": {"node": []}}'
    yield "text form", str(small_model()).encode()
    yield "a tensor", small_model().graph.initializer[0].SerializeToString()
    yield "a graph", small_model().graph.SerializeToString()
    yield "lfs pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    yield "begins with zeros", bytes(16) + data
    yield "ends with garbage", data + b"\xff" * 11
    yield (
        "length beyond the end",
        data.replace(data[:40], data[:20] + b"\xff\xff\xff\xff\x7f" + data[25:40], 1),
    )
    yield "name that is no utf-8", data.replace(b"first_relu", b"first\xff\xferel")
