"""The properties of devices and compiled models: their names, types and defaults.

Names, and where OpenVINO has the property, types and defaults are OpenVINO's
(https://docs.openvino.ai/2025/openvino-workflow/running-inference/inference-devices-and-modes.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...diagnostics.diagnostic import DiagnosticError, did_you_mean
from ..devices.host_times import HOST_GIGABYTES_PER_SECOND
from ..requests.deadlines import LateAction
from .property import Choice, Number, Property, Switch, Text
from .property_values import BatchingPolicy, PerformanceMode, Priority, SchedulePolicy, Values

_ALL = (
    Choice("PERFORMANCE_HINT", PerformanceMode.LATENCY, "what is to be good"),
    Number("PERFORMANCE_HINT_NUM_REQUESTS", 0, "inferences that callers keep under way; 0: unknown"),
    Choice("MODEL_PRIORITY", Priority.MEDIUM, "whose inferences start first on a device that models share", True),
    Switch("ALLOW_AUTO_BATCHING", True, "whether THROUGHPUT gathers inferences into batches"),
    Number("AUTO_BATCH_TIMEOUT", 1000, "milliseconds that a batch waits to be full", True, most=10**9),
    Choice("BATCHING_POLICY", BatchingPolicy.FIXED, "when batches are due"),
    Switch("ENABLE_STARTUP_FALLBACK", True, "whether the CPU serves while a better device loads"),
    Switch("ENABLE_RUNTIME_FALLBACK", True, "whether what fails on a device runs again elsewhere"),
    Choice("SCHEDULE_POLICY", SchedulePolicy.DEVICE_PRIORITY, "who gets the next inference"),
    Number("MAX_QUEUE", 0, "inferences that may wait; 0: any number"),
    Number("DEADLINE", 0.0, "milliseconds after which outputs are of no more use; 0: never", True, most=10**9),
    Choice("DEADLINE_ACTION", LateAction.REJECT, "what becomes of inferences that cannot meet their deadline"),
    Number("INSTANCES", 1, "programs that run side by side on the cores of a card", least=1),
    Number("SET_SIZE", 1, "runs of an instance under way at once, so that the host's time hides", least=1),
    Text("TARGET", "default-8c", "the machine that a TPU is"),
    Number("CORES", 0, "cores of a card that an instance runs on; 0: all, or as many as each has"),
    Text("QUANTIZE", "", "the numbers that a TPU computes in: int8 with CALIBRATION, else f16"),
    Text("CALIBRATION", "", "data or table from which INT8 takes its ranges"),
    Text("CACHE_DIR", "", "the folder in which programs for a TPU are kept; none if it is empty"),
    Number("CACHE_SIZE", 10 * 2**30, "the most bytes that programs in that folder take together", least=1),
    Number("HOST_GIGABYTES_PER_SECOND", HOST_GIGABYTES_PER_SECOND, "of a TPU's host, which converts", least=1e-3),
    Number("TIME_SCALE", 1.0, "how many times slower than simulated a TPU is in real time"),
    Choice("VALUES", Values.SIMULATOR, "who computes what a TPU's inferences give"),
)  # fmt: skip
PROPERTIES: Mapping[str, Property] = {each.name: each for each in _ALL}
"""The properties that callers set, by name."""


class Settings(Mapping[str, Any]):
    """The values of all properties: those that were set, and defaults. Raises DiagnosticError as `with_values`."""

    def __init__(self, values: Mapping[Any, object] | None = None) -> None:
        self._set: dict[str, Any] = {}
        for name, value in by_name(values).items():
            self._set[name] = property_named(name).read(value)

    def __getitem__(self, name: str) -> Any:
        return self._set.get(name, PROPERTIES[name].default)

    def __iter__(self) -> Iterator[str]:
        return iter(PROPERTIES)

    def __len__(self) -> int:
        return len(PROPERTIES)

    def with_values(self, values: Mapping[Any, object] | None) -> Settings:
        """Return settings of which some have other values. Raises DiagnosticError for unknown names and values."""
        return Settings({**self._set, **by_name(values)})


def name_of(key: object) -> str:
    """Return the name of a property, which may be given as a function that returns it, as OpenVINO's are."""
    return str(key() if callable(key) else key)


def by_name(properties: Mapping[Any, object] | tuple[Any, object] | None) -> dict[str, object]:
    """Return properties by name that are given by name, by function, or as a pair of one and its value.

    Raises DiagnosticError if they are none of that.
    """
    given = (
        dict([properties]) if isinstance(properties, tuple) and len(properties) == 2 else properties
    )
    if not isinstance(given, Mapping | None):
        raise DiagnosticError(
            f"properties are a dictionary, not {given!r}",
            hint='as {"PERFORMANCE_HINT": "LATENCY"} is',
        )
    return {name_of(key): value for key, value in (given or {}).items()}


READ_ONLY = (
    "AVAILABLE_DEVICES", "EXECUTION_DEVICES", "FULL_DEVICE_NAME", "MAX_BATCH_SIZE", "MULTI_DEVICE_PRIORITIES",
    "NETWORK_NAME", "OPTIMAL_BATCH_SIZE", "OPTIMAL_NUMBER_OF_INFER_REQUESTS", "OPTIMIZATION_CAPABILITIES",
    "RANGE_FOR_ASYNC_INFER_REQUESTS", "RANGE_FOR_STREAMS", "SUPPORTED_PROPERTIES",
)  # fmt: skip
"""The properties that follow from devices and models."""


def property_named(name: str, others: Iterable[str] = ()) -> Property:
    """Return a property that can be set. Raises DiagnosticError if there is none such; `others` can be read."""
    if name not in PROPERTIES:
        if name in READ_ONLY and not others:
            raise DiagnosticError(
                f"property {name} cannot be set", hint="it follows from the device and the model"
            )
        known = [*PROPERTIES, *others]
        raise DiagnosticError(
            f"there is no property {name}",
            hint=did_you_mean(name, known) or f"there are {', '.join(known)}",
        )
    return PROPERTIES[name]
