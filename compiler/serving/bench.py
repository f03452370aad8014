"""Serves a model or a program to traffic, and reports what came of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...backends.cpu.session import OnnxSession
from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.program import container
from ...backends.program.program import Program
from ...backends.runtime.api.core import Core
from ...backends.runtime.clocks.clock import MILLISECOND, Clock
from ...backends.runtime.clocks.real_clock import RealClock
from ...backends.runtime.clocks.virtual_clock import VirtualClock
from ...backends.runtime.devices.cpu_device import CpuDevice
from ...backends.runtime.devices.device import Device
from ...backends.runtime.devices.registry import devices_of_plugins
from ...backends.runtime.devices.served_model import ServedModel, ServedProgram
from ...backends.runtime.traffic.arrivals import Arrivals, Pool
from ...backends.runtime.traffic.drive import Limit, Progress, drive
from ...backends.runtime.traffic.record import Record
from ...backends.runtime.traffic.samples import random_sample, samples_in
from .program_device import ProgramDevice
from .tpu_device import TpuDevice

_MEASURED = 5
"""How often the CPU runs a sample to tell how long it takes in virtual time; the median counts."""


_OF_COMPILATION = ("TARGET", "QUANTIZE", "CALIBRATION", "CORES", "CACHE_DIR", "CACHE_SIZE")


@dataclass(frozen=True)
class BenchOptions:
    """How a model is served: on `device`, in batches of `batch` if that is given, with `properties`, in virtual or real
    time. `arrivals`: None for a pool that keeps the devices busy. `cpu_milliseconds`: how long the CPU takes for an
    inference in virtual time; None to measure that.
    """

    device: str = "TPU"
    batch: int | None = None
    properties: Mapping[str, object] = field(default_factory=dict)
    is_virtual: bool = False
    arrivals: Arrivals | None = None
    limit: Limit = field(default_factory=lambda: Limit(count=100))
    seed: int = 0
    cpu_milliseconds: float | None = None


@dataclass(frozen=True)
class BenchResult:
    """What became of each inference, the devices that serve at the end, how many inferences were kept under way (None
    if they came by themselves), and the program if one was given.
    """

    records: Sequence[Record]
    execution_devices: Sequence[str]
    under_way: int | None
    program: Program | None


def bench(
    path: str | Path,
    options: BenchOptions,
    inputs: Mapping[str, np.ndarray] | None = None,
    progress: Progress | None = None,
) -> BenchResult:
    """Serve the ONNX model or program of a file to traffic: samples of `inputs`, or a random one.

    Raises DiagnosticError if the file cannot be read or served as the options say.
    """
    program = None
    if Path(path).suffix == ".smalti":
        _check_of_program(path, options)
        program = container.load(path)
    served = ServedModel(path) if program is None else ServedProgram(program)
    samples = [random_sample(served.inputs, options.seed)]
    if inputs is not None:
        samples = samples_in(inputs, served.inputs)
    clock: Clock = VirtualClock() if options.is_virtual else RealClock()
    with Core(_devices(served, program, options, samples[0]), clock) as core:
        device = options.device
        if options.batch is not None:
            device = f"BATCH:{device}({options.batch})"
        with core.compile_model(served, device, options.properties) as compiled:
            arrivals = options.arrivals or Pool(
                compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
            )
            records = drive(compiled, samples, arrivals, options.limit, progress)
            return BenchResult(
                records,
                compiled.get_property("EXECUTION_DEVICES"),
                arrivals.size if isinstance(arrivals, Pool) else None,
                program,
            )


def _check_of_program(path: str | Path, options: BenchOptions) -> None:
    """Raise DiagnosticError for options that say how a model is compiled."""
    wrong = [f"property {name}" for name in _OF_COMPILATION if name in options.properties]
    if options.batch is not None:
        wrong.append("the batch")
    if wrong:
        raise DiagnosticError(
            f"{wrong[0]} says how a model is compiled, and this is a program",
            Place(file=str(path)),
            hint="leave it out, or give the ONNX model",
        )


def _devices(
    served: ServedModel, program: Program | None, options: BenchOptions, sample: Mapping[str, Any]
) -> list[Device]:
    if program is not None:
        return [ProgramDevice(program)]
    nanoseconds = 0
    if options.is_virtual and _may_use_cpu(options.device):
        given = options.cpu_milliseconds
        nanoseconds = round(MILLISECOND * given) if given is not None else _cpu_time(served, sample)
    return [TpuDevice(), *devices_of_plugins(), CpuDevice(nanoseconds)]


def _may_use_cpu(device: str) -> bool:
    return "CPU" in device or device.startswith("AUTO")


def _cpu_time(served: ServedModel, sample: Mapping[str, np.ndarray]) -> int:
    """Return the nanoseconds that ONNX Runtime takes here for a sample."""
    session = OnnxSession(served.source)
    times: list[int] = []
    for _ in range(_MEASURED):
        began = time.perf_counter_ns()
        session.run(sample)
        times.append(time.perf_counter_ns() - began)
    return round(statistics.median(times))
