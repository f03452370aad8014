"""The runtime: compiled models in the service of many callers, with OpenVINO's names.

import smalti.runtime as ov
core = ov.Core()
compiled = core.compile_model("model.onnx", "AUTO", {"PERFORMANCE_HINT": "THROUGHPUT"})
compiled(image)[0]
"""

# The folders stand beside this file only where Smalti is installed.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points

from ..backends.runtime.api.async_infer_queue import AsyncInferQueue
from ..backends.runtime.api.compiled_model import CompiledModel
from ..backends.runtime.api.core import Core as _Core
from ..backends.runtime.api.infer_request import Canceled, InferRequest
from ..backends.runtime.api.property_values import (
    BatchingPolicy,
    PerformanceMode,
    Priority,
    SchedulePolicy,
    Values,
)
from ..backends.runtime.api.results import Port, Results, Tensor
from ..backends.runtime.clocks.clock import Clock
from ..backends.runtime.clocks.real_clock import RealClock
from ..backends.runtime.clocks.virtual_clock import VirtualClock
from ..backends.runtime.devices.cpu_device import CpuDevice
from ..backends.runtime.devices.device import Device
from ..backends.runtime.devices.joined_samples import join_samples, split_samples
from ..backends.runtime.devices.loaded_model import LoadedModel, StageTimes
from ..backends.runtime.devices.registry import devices_of_plugins
from ..backends.runtime.pipelines.pipeline import Pipeline
from ..backends.runtime.pipelines.steps import HostStep, ModelStep
from ..backends.runtime.requests.deadlines import LateAction, TooLate
from ..backends.runtime.serving.server import QueueFull
from ..compiler.plugins.plugin_group import GROUP
from ..compiler.serving.tpu_device import TpuDevice
from . import properties

__all__ = [
    "AsyncInferQueue", "BatchingPolicy", "Canceled", "Clock", "CompiledModel", "Core", "CpuDevice", "Device",
    "HostStep", "InferRequest", "LateAction", "LoadedModel", "ModelStep", "PerformanceMode", "Pipeline", "Port",
    "Priority", "QueueFull", "RealClock", "Results", "SchedulePolicy", "StageTimes", "Tensor", "TooLate",
    "TpuDevice", "Values", "VirtualClock", "join_samples", "properties", "split_samples",
]  # fmt: skip


class Core(_Core):
    """The core of this machine: a simulated TPU, which AUTO prefers, the devices of plugins, and the CPU; or the
    `devices` that are given. Raises DiagnosticError if an installed plugin is broken.
    """

    def __init__(self, devices: Sequence[Device] | None = None, clock: Clock | None = None) -> None:
        super().__init__(_devices() if devices is None else devices, clock)


def _devices() -> list[Device]:
    if entry_points(group=GROUP):
        from ..compiler.plugins.plugin import load_installed_plugins

        load_installed_plugins()
    return [TpuDevice(), *devices_of_plugins(), CpuDevice()]
