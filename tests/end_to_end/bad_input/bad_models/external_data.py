"""Weights in files of their own."""

from __future__ import annotations

from collections.abc import Iterator

from onnx import TensorProto

from ...conftest import small_model
from .building import Bad


def external() -> Iterator[Bad]:
    """Weights in files that are not there, that are elsewhere, or that are too short. Beside the model are w.bin of 100
    bytes, the folder d, and l, a link to secret.bin in the folder above.
    """
    entries: dict[str, dict[str, str]] = {
        "absent": {"location": "absent.bin"},
        "above": {"location": "../secret.bin"},
        "far above": {"location": "../" * 40 + "etc/hostname"},
        "absolute": {"location": "/etc/hostname"},
        "through a folder and up": {"location": "d/../../secret.bin"},
        "a folder": {"location": "d"},
        "a link that leads out": {"location": "l"},
        "a device": {"location": "/dev/zero"},
        "no location": {"offset": "0"},
        "empty location": {"location": ""},
        "a dot": {"location": "."},
        "a zero byte": {"location": "w.bin\0.txt"},
        "too short": {"location": "w.bin"},
        "offset beyond the end": {"location": "w.bin", "offset": "1000"},
        "negative offset": {"location": "w.bin", "offset": "-4"},
        "offset of 2^70": {"location": "w.bin", "offset": str(2**70)},
        "offset that is a word": {"location": "w.bin", "offset": "start"},
        "negative length": {"location": "w.bin", "length": "-1"},
        "length of 2^70": {"location": "w.bin", "length": str(2**70)},
        "length that is a word": {"location": "w.bin", "length": "all"},
        "another length than the shape": {"location": "w.bin", "length": "100"},
        "windows path": {"location": "..\\secret.bin"},
        "address": {"location": "https://example.com/w.bin"},
        "name of 5,000 letters": {"location": "n" * 5000},
    }  # fmt: skip
    for name, each in entries.items():
        model = small_model()
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in each.items():
            tensor.external_data.add(key=key, value=value)
        yield f"external data: {name}", model
