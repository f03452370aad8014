"""What callers name devices by, and what is wrong with it."""

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.runtime.api.device_name import DeviceName, NamedDevices, parse_device_name

THERE_ARE = ["TPU.0", "TPU.1", "CPU"]


@pytest.mark.parametrize(
    ("text", "kind", "devices"),
    [
        ("CPU", "", [DeviceName("CPU")]),
        ("TPU", "", [DeviceName("TPU.0")]),
        ("TPU.1(target=edge-1c, cores=1)", "", [DeviceName("TPU.1", {"TARGET": "edge-1c", "CORES": "1"})]),
        ("AUTO", "AUTO", [DeviceName(name) for name in THERE_ARE]),
        ("AUTO:TPU.1,CPU", "AUTO", [DeviceName("TPU.1"), DeviceName("CPU")]),
        ("AUTO:-CPU", "AUTO", [DeviceName("TPU.0"), DeviceName("TPU.1")]),
        ("AUTO:-TPU", "AUTO", [DeviceName("CPU")]),
        ("AUTO:-TPU.0", "AUTO", [DeviceName("TPU.1"), DeviceName("CPU")]),
        ("AUTO:TPU(a=1,b=2),CPU", "AUTO", [DeviceName("TPU.0", {"A": "1", "B": "2"}), DeviceName("CPU")]),
        ("BATCH:TPU(4)", "BATCH", [DeviceName("TPU.0", batch=4)]),
        ("BATCH:TPU", "BATCH", [DeviceName("TPU.0")]),
    ],
)  # fmt: skip
def test_names(text: str, kind: str, devices: list[DeviceName]):
    assert parse_device_name(text, THERE_ARE) == NamedDevices(kind, tuple(devices))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("GPU", "there is no device GPU.*did you mean TPU or CPU"),
        ("cpu", "there is no device cpu.*did you mean CPU"),
        (5, "'5' names no device"),
        ("X", "there is no device X.*there are TPU.0, TPU.1, CPU"),
        ("AUTO:TPU,FOO", "there is no device FOO \\('AUTO:TPU,FOO'\\)"),
        ("AUTO:-FOO", "there is no device FOO"),
        ("AUTO:CPU,-CPU", "leaves no device"),
        ("AUTO:", "names no device"),
        ("AUTO:TPU,,CPU", "names no device"),
        ("AUTO:TPU,TPU.0", "names a device twice"),
        ("BATCH:TPU(0)", "a batch cannot have size '0'"),
        ("BATCH:TPU(-1)", "a batch cannot have size '-1'"),
        ("BATCH:TPU(x)", "a batch cannot have size 'x'"),
        ("BATCH", "names no devices"),
        ("BATCH:TPU(2),CPU(2)", "names 2 devices"),
        ("TPU(target)", "'target' has no value"),
        ("TPU((", "names no device"),
        ("", "names no device"),
    ],
)
def test_mistakes(text: str, told: str):
    with pytest.raises(DiagnosticError, match=f"(?s){told}"):
        parse_device_name(text, THERE_ARE)
