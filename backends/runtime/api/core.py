"""The core: which devices there are, and models ready on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...diagnostics.diagnostic import DiagnosticError
from ..clocks.clock import Clock
from ..clocks.real_clock import RealClock
from ..devices.device import Device
from ..devices.served_model import ServedModel
from ..serving.shared_device import SharedDevice
from .compiled_model import CompiledModel
from .device_name import DeviceName, parse_device_name
from .properties import PROPERTIES, Settings, by_name, name_of, property_named
from .service import AutoService, Loading, SingleService

if TYPE_CHECKING:
    from onnx import ModelProto

_VIRTUAL_DEVICES = ("AUTO", "BATCH")


class Core:
    """Devices in the order in which AUTO prefers them, and a clock: the world's, unless another is given."""

    def __init__(self, devices: Sequence[Device], clock: Clock | None = None) -> None:
        self._devices = {device.name: device for device in devices}
        if len(self._devices) < len(devices):
            raise DiagnosticError(
                "two devices have the same name", hint="number them: TPU.0, TPU.1"
            )
        self.clock = RealClock() if clock is None else clock
        self._settings: dict[str, dict[str, object]] = {}
        self._shared = {name: SharedDevice() for name in self._devices}

    def __enter__(self) -> Core:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the clock: nothing more happens, and who waits for inferences that are under way gets an error."""
        self.clock.close()

    @property
    def available_devices(self) -> list[str]:
        """The names of the devices."""
        return list(self._devices)

    def get_available_devices(self) -> list[str]:
        """Return the names of the devices."""
        return self.available_devices

    def read_model(self, model: str | Path | ModelProto) -> ServedModel:
        """Return a model of ONNX. Raises DiagnosticError if it cannot be read."""
        return ServedModel(model)

    def compile_model(
        self,
        model: str | Path | ModelProto | ServedModel,
        device_name: str | None = None,
        config: Mapping[Any, object] | None = None,
    ) -> CompiledModel:
        """Return a model in service on `device_name`: a device, `BATCH:DEVICE(SIZE)`, or `AUTO` with a list or alone.

        AUTO returns at once, and a device alone when it is ready. `config`: properties by name.

        Raises:
            DiagnosticError: for unknown devices and properties, or if the model cannot run on the device.
        """
        source = _source(model)
        choice = parse_device_name(device_name or "AUTO", self.available_devices)
        settings = self._settings_of(choice.kind or choice.devices[0].name).with_values(config)
        loadings = [self._loading(source, each, choice.kind, config) for each in choice.devices]
        if choice.kind == "AUTO":
            return CompiledModel(
                source, self.clock, settings, lambda: AutoService(self.clock, loadings, settings)
            )
        loaded = loadings[0].load()
        return CompiledModel(
            source, self.clock, loadings[0].settings, lambda: SingleService(loadings[0], loaded)
        )

    def query_model(
        self, model: str | Path | ModelProto | ServedModel, device_name: str
    ) -> dict[str, str]:
        """Return for the nodes of a model that a device can run, by name, its name. Raises as `compile_model`."""
        source = _source(model)
        taken: dict[str, str] = {}
        for each in parse_device_name(device_name, self.available_devices).devices:
            settings = self._settings_of(each.name).with_values(each.properties)
            for node in self._devices[each.name].supported_nodes(source, settings):
                taken.setdefault(node, each.name)
        return taken

    def get_property(
        self,
        device_name: str,
        name: object | None = None,
        arguments: Mapping[Any, object] | None = None,
    ) -> Any:
        """Return a property of a device; with the property alone, what is set for all devices.

        `arguments`: what OPTIMAL_BATCH_SIZE needs: MODEL_PTR, the model; other properties may stand beside it. Raises
        DiagnosticError if there is no such device or property.
        """
        if name is None:
            return self._settings_of("")[property_named(name_of(device_name)).name]
        device, key = self._known(device_name), name_of(name)
        read_only = self._read_only(device, by_name(arguments))
        if key in read_only:
            return read_only[key]()
        return self._settings_of(device)[property_named(key, read_only).name]

    def _read_only(self, device: str, arguments: dict[str, object]) -> dict[str, Callable[[], Any]]:
        """Return the properties of a device, or of AUTO or BATCH, that follow from what it is."""
        read_only: dict[str, Callable[[], Any]] = {
            "AVAILABLE_DEVICES": lambda: self.available_devices,
            "SUPPORTED_PROPERTIES": lambda: (
                dict.fromkeys(read_only, "RO") | dict.fromkeys(PROPERTIES, "RW")
            ),
        }
        if device not in self._devices:
            return read_only | {"FULL_DEVICE_NAME": lambda: device}
        found, settings = self._devices[device], self._settings_of(device)

        def optimal_batch() -> int:
            given = dict(arguments)
            model: Any = given.pop("MODEL_PTR", None)
            if model is None:
                raise DiagnosticError(
                    "OPTIMAL_BATCH_SIZE is that of a model",
                    hint='give it: get_property(device, "OPTIMAL_BATCH_SIZE", {"MODEL_PTR": model})',
                )
            return found.optimal_batch(_source(model), settings.with_values(given))

        read_only |= {
            "FULL_DEVICE_NAME": lambda: found.full_name,
            "MAX_BATCH_SIZE": lambda: found.largest_batch,
            "OPTIMAL_BATCH_SIZE": optimal_batch,
            "OPTIMIZATION_CAPABILITIES": lambda: list(found.capabilities),
            "RANGE_FOR_ASYNC_INFER_REQUESTS": lambda: (
                1,
                found.most_instances(settings) * found.largest_batch,
                1,
            ),
            "RANGE_FOR_STREAMS": lambda: (1, found.most_instances(settings)),
        }
        return read_only

    def set_property(
        self,
        device_name: str | Mapping[Any, object] | tuple[Any, object],
        properties: Mapping[Any, object] | tuple[Any, object] | None = None,
    ) -> None:
        """Set properties of a device, or given alone of all devices, for models that are compiled afterwards.

        Raises DiagnosticError if there is no such device or property, or a value is wrong; then none is set.
        """
        device, given = (
            (self._known(device_name), by_name(properties))
            if isinstance(device_name, str)
            else ("", by_name(device_name))
        )
        Settings(given)
        self._settings.setdefault(device, {}).update(given)

    def _loading(
        self,
        source: ServedModel,
        device: DeviceName,
        kind: str,
        config: Mapping[Any, object] | None,
    ) -> Loading:
        settings = self._settings_of(device.name)
        if kind:
            settings = settings.with_values(self._settings.get(kind))
        settings = settings.with_values(config).with_values(device.properties)
        batch = device.batch
        if kind == "BATCH" and batch is None:
            batch = self._devices[device.name].optimal_batch(source, settings)
        shared = self._shared[device.name]
        return Loading(self.clock, self._devices[device.name], source, settings, shared, batch)

    def _settings_of(self, device: str) -> Settings:
        return Settings(self._settings.get("")).with_values(self._settings.get(device))

    def _known(self, device_name: str) -> str:
        """Return the full name of a device, AUTO and BATCH included."""
        if device_name in _VIRTUAL_DEVICES:
            return device_name
        choice = parse_device_name(device_name, self.available_devices)
        if choice.kind:
            raise DiagnosticError(
                f"'{device_name}' is no device by itself",
                hint=f"properties of {choice.kind} are set by that name",
            )
        return choice.devices[0].name


def _source(model: str | Path | ModelProto | ServedModel) -> ServedModel:
    return model if isinstance(model, ServedModel) else ServedModel(model)
