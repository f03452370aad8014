"""The page of the targets: the fields of a target file, and the shipped machines side by side."""

from __future__ import annotations

import inspect
from types import UnionType
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel

from ...backends.targets import target as target_module
from ...backends.targets import vector_operations
from ...backends.targets.target import Target, load_target, shipped_targets
from ...backends.targets.vector_operations import FUNCTIONS, STEP_OPERATIONS, operations_by_function
from .markdown import page, prose, table


def target_page() -> str:
    """Return the page of all shipped targets."""
    targets = [load_target(name) for name in shipped_targets()]
    figures = table(
        ["target", *(f"`{each.name}`" for each in targets)],
        [[name, *(read(each) for each in targets)] for name, read in _FIGURES.items()],
    )
    parts = [
        f"### `[{name}]`\n\n{prose(inspect.cleandoc(cls.__doc__ or ''))}\n\n{_fields(cls)}"
        for name, cls in _parts().items()
    ]
    return page(
        "Targets",
        prose(inspect.cleandoc(target_module.__doc__ or "")),
        "## The shipped machines",
        figures,
        "Where their figures come from is said in comments in their files, `backends/targets/*.toml`.",
        "## The fields of a target file",
        prose(inspect.cleandoc(Target.__doc__ or "")),
        _fields(Target),
        *parts,
        "## The functions of the vector unit",
        prose(inspect.cleandoc(vector_operations.__doc__ or "")),
        table(["step", "operations"], ([f"`{n}`", str(c)] for n, c in STEP_OPERATIONS.items())),
        _functions(),
    )


def _functions() -> str:
    """Return a table of the functions of the vector unit: their operations, and the steps that these consist of."""
    counts = operations_by_function({})
    return table(
        ["function", "operations", "exponentials", "divisions", "others"],
        (
            [f"`{name}`", str(counts[name]), *(str(part) if part else "" for part in steps)]
            for name, steps in FUNCTIONS.items()
        ),
    )


_FIGURES = {
    "cores": lambda t: str(t.cores),
    "clock, GHz": lambda t: f"{t.clock_ghz:g}",
    "matrix unit": lambda t: f"{t.matrix.rows}x{t.matrix.columns} {t.matrix.dataflow}",
    "MACs per cell and cycle": lambda t: _rates(t.matrix.macs_per_cycle),
    "vector lanes": lambda t: _rates(t.vector.lanes),
    "local memory, KiB": lambda t: f"{t.local_memory.size_bytes // 1024}",
    "accumulators, KiB": lambda t: f"{t.matrix.accumulator_bytes // 1024}",
    "global memory, GB/s": lambda t: f"{t.global_memory.gigabytes_per_second:g}",
    "interconnect, GB/s": lambda t: f"{t.interconnect.gigabytes_per_second:g}",
}


def _rates(rates: dict[str, float]) -> str:
    return ", ".join(f"{name} {rate:g}" for name, rate in rates.items())


def _parts() -> dict[str, type[BaseModel]]:
    found = {}
    for name, field in Target.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found[name] = field.annotation
    return found


def _fields(cls: type[BaseModel]) -> str:
    return table(
        ["field", "type", "default"],
        (
            [
                f"`{name}`",
                field.description or _type(field.annotation),
                "must be given"
                if field.is_required()
                else f"`{field.get_default(call_default_factory=True)}`",
            ]
            for name, field in cls.model_fields.items()
        ),
    )


def _type(annotation: object) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _type(get_args(annotation)[0])
    if origin is dict:
        return "table by storage type"
    if origin is None:
        name = getattr(annotation, "__name__", str(annotation))
        return (
            "table" if isinstance(annotation, type) and issubclass(annotation, BaseModel) else name
        )
    if origin is UnionType:
        return " or ".join(_type(each) for each in get_args(annotation))
    return " or ".join(f'"{each}"' for each in get_args(annotation))
