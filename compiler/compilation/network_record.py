"""Keeps the network of a compilation as it is on its way from the tpu level to tile."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...passes.instrument import PassInstrument
from ...passes.tpu_to_tile.convert_tpu_to_tile import ConvertTpuToTile


class NetworkRecord(PassInstrument):
    """Copies the module when it is about to become a tile program: the network that the schedule is made for."""

    def __init__(self) -> None:
        self.network: ModuleOp | None = None

    def before(self, each: ModulePass, module: ModuleOp) -> None:
        if isinstance(each, ConvertTpuToTile):
            self.network = module.clone()
