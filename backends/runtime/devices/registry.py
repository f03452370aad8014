"""The devices that plugins add to those that there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ...diagnostics.diagnostic import DiagnosticError
from .device import Device

_NAME = re.compile(r"[A-Z_]\w*(\.\d+)?")
_TAKEN = ("AUTO", "BATCH", "CPU", "TPU")
_FACTORIES: dict[str, Callable[[], Device]] = {}


def register_devices(factories: Mapping[str, Callable[[], Device]]) -> None:
    """Add devices, by name with what makes them. Raises DiagnosticError if a name is taken, or is none."""
    for name in factories:
        if not _NAME.fullmatch(name):
            raise DiagnosticError(
                f"a device cannot be called {name!r}",
                hint="its name is in capitals, with a number if there are several: NPU, NPU.0",
            )
        if name in _FACTORIES or name.partition(".")[0] in _TAKEN:
            raise DiagnosticError(f"there is a device '{name}' already", hint="choose another name")
    _FACTORIES.update(factories)


def devices_of_plugins() -> list[Device]:
    """Return the devices that plugins add. Raises DiagnosticError if a function makes none, or one of another name."""
    devices: list[Device] = []
    for name, make in _FACTORIES.items():
        device = make()
        if not isinstance(device, Device):
            raise DiagnosticError(
                f"the plugin's device '{name}' is a {type(device).__name__}",
                hint="expected an object of a class derived from smalti.runtime.Device",
            )
        if device.name != name:
            raise DiagnosticError(
                f"the plugin's device '{name}' calls itself '{device.name}'",
                hint="give both the same name",
            )
        devices.append(device)
    return devices
