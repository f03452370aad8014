"""GELU in the forms of ONNX Runtime."""

import pytest

from .one_node import check, floats


@pytest.mark.parametrize(
    ("op", "has_bias", "attributes"),
    [
        ("Gelu", False, {}),
        ("BiasGelu", True, {}),
        ("FastGelu", True, {}),
        ("FastGelu", False, {}),
        ("QuickGelu", False, {}),
        ("QuickGelu", False, {"alpha": 1.3}),
    ],
)
def test_gelu(op, has_bias, attributes):
    bias = {"b": floats(16)} if has_bias else {}
    check(op, {"x": floats(2, 3, 16)}, bias, "x b" if has_bias else "x", device=True, **attributes)
