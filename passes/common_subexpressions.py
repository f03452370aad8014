"""`cse`: merges ops that compute the same value into one.

Before:

    %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
    %b = top.relu "b" %x : (tensor<4xf32>) -> tensor<4xf32>
    %c = top.add "c" %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>

After:

    %a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>
    %c = top.add "c" %a, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import LocationAttr, ModuleOp, StringAttr
from xdsl.ir import Operation
from xdsl.transforms.common_subexpression_elimination import CSEDriver

from ..dialects.ir.location import fuse
from .smalti_pass import Level, SmaltiPass


@dataclass
class _LocatedDriver(CSEDriver):
    """xDSL's driver; an op that stays gets the locations of the ops that were merged into it, and `merged` counts
    those.
    """

    merged: int = field(default=0)
    _locations: dict[Operation, list[LocationAttr]] = field(default_factory=dict)

    def _replace_and_delete(self, op: Operation, existing: Operation) -> None:
        super()._replace_and_delete(op, existing)
        if all(not result.uses for result in op.results):
            located = self._locations.setdefault(existing, [existing.location])
            located += self._locations.pop(op, [op.location])
            self.merged += 1

    def fuse_locations(self) -> None:
        """Give the ops that stay their locations, at once: thousands may have become one."""
        for op, locations in self._locations.items():
            op.location = fuse(locations)


@dataclass(frozen=True)
class CommonSubexpressions(SmaltiPass):
    """Merge ops that compute the same value, whatever their names; the first op's name stays.

    This is xDSL's `cse`, which by itself would find nothing because the property `name` makes all ops differ.
    """

    name = "cse"
    level: ClassVar[Level] = "any"
    counts: ClassVar[Mapping[str, str]] = {"merged": "ops merged into an equal one before them"}

    def run(self, ctx: Context, module: ModuleOp) -> None:
        names: list[tuple[Operation, StringAttr]] = []
        for op in module.walk():
            name = op.properties.get("name")
            if isinstance(name, StringAttr) and op.results:
                names.append((op, name))
                del op.properties["name"]
        driver = _LocatedDriver()
        try:
            driver.simplify(module)
            driver.fuse_locations()
        finally:
            for op, name in names:
                # Put the name first, as the op's constructor does: generic text lists properties in
                # this order.
                op.properties = {"name": name, **op.properties}
        self.count("merged", driver.merged)
