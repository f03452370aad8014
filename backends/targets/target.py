"""Defines what a target, the description of a machine, consists of, and reads one from TOML.

A target says everything that the compiler and the simulator know about a machine. It is read from a
TOML file (or from the JSON in a program), checked field by field, and never changes afterward.
Units are in the names of the fields; one kilobyte is 1024 bytes where a field counts bytes, and one
gigabyte per second is 10^9 bytes per second, as data sheets have it.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ..diagnostics.diagnostic import DiagnosticError, Place, did_you_mean
from ..diagnostics.files import read_bytes
from ..numerics.storage import MATRIX_NAMES, PACKED_NAMES, storage_type
from .vector_operations import operations_by_function, without_defaults

MAX_CORES = 64
"""The most cores of a target: a signal's mask of cores has 64 bits."""
TARGET_LIMIT_BYTES = 1 << 20
"""No TOML file of a target may have more: 1 MiB."""
MAX_LOCAL_BYTES = 2**31
"""The most bytes of a core's memory: addresses are 32-bit, and the largest one means "no operand"."""


def _known_storage(rates: dict[str, Any]) -> dict[str, Any]:
    for name in rates:
        storage_type(name)
    if "i8" not in rates:
        raise ValueError("a rate for 'i8' is needed")
    return rates


def _rates_of_operands(rates: dict[str, Any]) -> dict[str, Any]:
    for name, rate in rates.items():
        if name not in (*MATRIX_NAMES, *PACKED_NAMES):
            known = ", ".join((*MATRIX_NAMES, *PACKED_NAMES))
            raise ValueError(f"no product has operands of '{name}': the rates are for {known}")
        if name in PACKED_NAMES and rate < rates["i8"]:
            raise ValueError(
                f"the rate for '{name}' is at least that for 'i8', {rates['i8']:g}, not {rate:g}"
            )
    return rates


_Count = Annotated[int, Field(ge=1, le=2**31, strict=True)]
_Cycles = Annotated[int, Field(ge=0, le=10**9, strict=True)]
_Rate = Annotated[float, Field(ge=1e-3, le=1e9, allow_inf_nan=False)]
_Cost = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
_LocalBytes = Annotated[int, Field(ge=1024, le=MAX_LOCAL_BYTES, strict=True)]
_Rates = Annotated[
    dict[str, _Rate], AfterValidator(_known_storage), AfterValidator(_rates_of_operands)
]
_Lanes = Annotated[dict[str, _Count], AfterValidator(_known_storage)]

_Operations = Annotated[dict[str, _Count], AfterValidator(without_defaults)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MatrixUnit(_Part):
    """The systolic array of a core and the memory it accumulates into.

    `dataflow` says which operand stays in the cells. With `overlap` the next stationary tile is
    loaded (or the finished one drained) while the present one streams. `macs_per_cycle` gives the
    multiply-accumulates of one cell in one cycle for each storage type of the operands; a type that
    is not there cannot be multiplied on this unit. A rate for `i4` says that the units of a core unpack
    weights of 4 bits, two to a byte, on their way from the local memory. It is the rate for inputs of 4
    bits, and at least that of `i8`; products of such weights and wider inputs go at the rate of the
    inputs' type. With `group_scales` what unpacks weights multiplies each by the scale of its group of
    input channels, too.
    """

    rows: Annotated[int, Field(ge=1, le=65536, strict=True)]
    columns: Annotated[int, Field(ge=1, le=65536, strict=True)]
    dataflow: Literal["weight_stationary", "output_stationary", "input_stationary"]
    overlap: bool
    macs_per_cycle: _Rates
    accumulator_bytes: _LocalBytes
    group_scales: bool = True

    @property
    def cells(self) -> int:
        """Processing elements of the array."""
        return self.rows * self.columns


class VectorUnit(_Part):
    """The vector unit of a core.

    `lanes`: elements per cycle by storage type; types without an entry go at i8's lanes divided by
    their bytes. `lane_group`: elements; the channels of an intermediate tensor are padded to a
    multiple of it. `startup_cycles`: once per instruction. `operations`: passes over its elements for
    each function that takes other numbers than those listed below.
    """

    lanes: _Lanes
    lane_group: Annotated[int, Field(ge=1, le=4096, strict=True)]
    startup_cycles: _Cycles
    operations: _Operations = Field(default_factory=dict, description="table by function")

    @cached_property
    def _operations_by_function(self) -> dict[str, int]:
        return operations_by_function(self.operations)

    def operations_of(self, function: str) -> int:
        """Count the passes over its elements that the unit makes for a function; one for a function of
        a plugin.
        """
        return self._operations_by_function.get(function, 1)


class LocalMemory(_Part):
    """A core's own memory: bytes, banks, and the bytes per cycle of its port, which all transfers that
    read or write it share.
    """

    size_bytes: _LocalBytes
    banks: Annotated[int, Field(ge=1, le=4096, strict=True)]
    bytes_per_cycle: _Rate


class Dma(_Part):
    """The two DMA engines of a core (dma_in and dma_out), each of which has all of this.

    `queues`: transfers of one engine that move data at the same time. `outstanding`: transfers that
    one engine may have issued and not finished, so that their latencies overlap. `issue_cycles`: to
    issue one transfer.
    """

    queues: Annotated[int, Field(ge=1, le=256, strict=True)]
    outstanding: Annotated[int, Field(ge=1, le=4096, strict=True)]
    issue_cycles: _Cycles


class GlobalMemory(_Part):
    """The memory that all cores share; a run of a transfer costs whole bursts."""

    size_bytes: Annotated[int, Field(ge=1024, le=2**50, strict=True)]
    gigabytes_per_second: _Rate
    latency_cycles: _Cycles
    burst_bytes: Annotated[int, Field(ge=1, le=65536, strict=True)]


class Interconnect(_Part):
    """The network between cores; with `multicast` one transfer reaches several cores at the cost of
    one.
    """

    gigabytes_per_second: _Rate
    latency_cycles: _Cycles
    multicast: bool


class Energy(_Part):
    """Energy per operation and byte (picojoules) and the power that is drawn all the time (watts).

    `mac_picojoules` by storage type (types without an entry: i8's times the square of their bytes,
    as the area of a multiplier).
    """

    mac_picojoules: Annotated[dict[str, _Cost], AfterValidator(_known_storage)]
    vector_operation_picojoules: _Cost
    local_byte_picojoules: _Cost
    accumulator_byte_picojoules: _Cost
    global_byte_picojoules: _Cost
    interconnect_byte_picojoules: _Cost
    static_watts: _Cost

    def per_mac(self, storage: str) -> float:
        """Return the picojoules of one multiply-accumulate of operands of type `storage`."""
        if storage in self.mac_picojoules:
            return self.mac_picojoules[storage]
        return self.mac_picojoules["i8"] * (storage_type(storage).file_bits / 8) ** 2


class Target(_Part):
    """A machine: equal cores, and the memory and network that they share."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]
    description: Annotated[str, Field(max_length=1000)]
    cores: Annotated[int, Field(ge=1, le=MAX_CORES, strict=True)]
    clock_ghz: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
    matrix: MatrixUnit
    vector: VectorUnit
    local_memory: LocalMemory
    dma: Dma
    global_memory: GlobalMemory
    interconnect: Interconnect
    energy: Energy

    def __repr__(self) -> str:
        return f"<Target {self.name!r}: {self.cores} cores at {self.clock_ghz:g} GHz, {self.content_hash}>"

    @cached_property
    def content_hash(self) -> str:
        """`sha256:` and 16 hexadecimal digits of the canonical JSON: equal for equal machines,
        wherever they were read.
        """
        return f"sha256:{hashlib.sha256(self.to_json().encode()).hexdigest()[:16]}"

    @property
    def global_bytes_per_cycle(self) -> float:
        """Bandwidth of global memory in bytes per clock cycle."""
        return self.global_memory.gigabytes_per_second / self.clock_ghz

    @property
    def interconnect_bytes_per_cycle(self) -> float:
        """Bandwidth of the interconnect in bytes per clock cycle."""
        return self.interconnect.gigabytes_per_second / self.clock_ghz

    def lanes_of(self, storage: str) -> int:
        """Return how many elements of type `storage` the vector unit works on per cycle, at least 1."""
        lanes = self.vector.lanes
        if storage in lanes:
            return lanes[storage]
        return max(1, lanes["i8"] * 8 // storage_type(storage).bits)

    def to_json(self) -> str:
        """Return canonical JSON, with sorted keys and without blanks, so that equal targets give equal text.

        A field at its default is left out, so that a field that Smalti adds later changes the hash of no target.
        """
        return json.dumps(
            self.model_dump(exclude_defaults=True),
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        )

    @staticmethod
    def from_json(text: str | bytes, file: str = "") -> Target:
        """Parse and validate a target in JSON text.

        Raises:
            DiagnosticError: if it is not a target; the error names `file`.
        """
        try:
            return Target.model_validate_json(text)
        except ValidationError as error:
            raise _explain(error, file) from None


def _explain(error: ValidationError, file: str) -> DiagnosticError:
    """Return one error that tells all mistakes of a target."""
    mistakes = error.errors(include_url=False, include_context=False)
    fields = tuple(".".join(str(part) for part in mistake["loc"]) for mistake in mistakes)
    parts: list[str] = []
    for field, mistake in zip(fields, mistakes, strict=True):
        if mistake["type"] == "extra_forbidden":
            parts.append(f"unknown field '{field}'")
        elif mistake["type"] == "missing":
            parts.append(f"field '{field}' is missing")
        elif not field:
            parts.append(mistake["msg"])
        else:
            reason = mistake["msg"].removeprefix("Value error, ")
            reason = reason[:1].lower() + reason[1:]
            parts.append(f"field '{field}': {reason} (got {_shown(mistake['input'])})")
    more = f" and {len(parts) - 8} more" if len(parts) > 8 else ""
    hint = "compare with a shipped target (`smalti targets`)"
    place = Place(file=file) if file else None
    return DiagnosticError("; ".join(parts[:8]) + more, place, hint=hint)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_REGISTERED: dict[str, Path] = {}
"""Targets of plugins: name → TOML file."""
_GIVEN: dict[str, Target] = {}
"""Targets that were given as objects, by name and content hash."""


def register_target(name: str, path: Path) -> None:
    """Make `load_target` know the target of a TOML file by name. Raises DiagnosticError if the name is taken."""
    if name in known_targets():
        raise DiagnosticError(f"there is a target '{name}' already", hint="choose another name")
    _REGISTERED[name] = path


def reference_to(target: Target | str | Path) -> str:
    """Return a name by which `load_target` finds a target in this process; a name or path is returned as it is."""
    if not isinstance(target, Target):
        return str(target)
    if target.name in known_targets() and load_target(target.name) == target:
        return target.name
    reference = f"{target.name} {target.content_hash}"
    _GIVEN[reference] = target
    return reference


def known_targets() -> list[str]:
    """Return the names of the targets that come with Smalti and with plugins, sorted."""
    return sorted([*shipped_targets(), *_REGISTERED])


def shipped_targets() -> list[str]:
    """Return the names of the targets that come with Smalti, sorted."""
    folder = files(__package__ or "smalti.backends.targets")
    return sorted(
        f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")
    )


def load_target(name_or_path: str | Path) -> Target:
    """Read a shipped target by name, or a TOML file by path (text that contains a separator or ends in `.toml`).

    Raises DiagnosticError if there is no such target or file, if it is not TOML, or if a field is missing, unknown or
    out of range.
    """
    text = str(name_or_path)
    if text in _GIVEN:
        return _GIVEN[text]
    if isinstance(name_or_path, Path) or "/" in text or "\\" in text or text.endswith(".toml"):
        return _parse(_read(Path(text)), text)
    if text in _REGISTERED:
        return _parse(_read(_REGISTERED[text]), str(_REGISTERED[text]))
    if text not in shipped_targets():
        known = ", ".join(known_targets())
        near = did_you_mean(text, known_targets())
        raise DiagnosticError(
            f"there is no target '{text}'",
            hint=near or f"known are {known}; the path of a file of your own ends in .toml",
        )
    data = files(__package__ or "smalti.backends.targets").joinpath(f"{text}.toml").read_bytes()
    return _parse(data, text)


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path, "the target", TARGET_LIMIT_BYTES, "")
    except DiagnosticError as error:
        error.hint = f"shipped are {', '.join(shipped_targets())}"
        raise


def _parse(data: bytes, file: str) -> Target:
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DiagnosticError(f"not a TOML file: {error}", Place(file=file)) from None
    try:
        return Target.model_validate(table)
    except ValidationError as error:
        raise _explain(error, file) from None
