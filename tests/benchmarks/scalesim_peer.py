"""SCALE-Sim on matrix products: its cycles, and how long it takes. `pip install scalesim` (extra `bench`)."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_CONFIGURATION = """
[general]
run_name = peer
[run_presets]
InterfaceBandwidth = CALC
UseRamulatorTrace = False
[architecture_presets]
ArrayHeight = {size}
ArrayWidth = {size}
ifmapsramszkB = 2048
filtersramszkB = 2048
ofmapsramszkB = 2048
IfmapOffset = 0
FilterOffset = 10000000
OfmapOffset = 20000000
Dataflow = ws
Bandwidth = 1000
ReadRequestBuffer = 512
WriteRequestBuffer = 512
MemoryBanks = 1
[layout]
IfmapCustomLayout = False
FilterCustomLayout = False
IfmapSRAMBankBandwidth = 10
IfmapSRAMBankNum = 10
IfmapSRAMBankPort = 2
FilterSRAMBankBandwidth = 10
FilterSRAMBankNum = 10
FilterSRAMBankPort = 2
[sparsity]
SparsitySupport = false
"""


@dataclass(frozen=True)
class Product:
    """A matrix product [m, k] x [k, n]."""

    name: str
    m: int
    k: int
    n: int


def compute_cycles(products: Sequence[Product], size: int) -> tuple[list[int], float]:
    """Cycles of each product on a weight-stationary array of size x size, and the seconds that this took.

    Only SCALE-Sim's compute part, which makes the demands of every cycle: the memory part of
    SCALE-Sim 3.0.0 ends in a TypeError with NumPy 2.4. So the whole would take longer.
    """
    from scalesim.layout_utils import layouts
    from scalesim.scale_config import scale_config
    from scalesim.single_layer_sim import single_layer_sim
    from scalesim.topology_utils import topologies

    configuration, topology = scale_config(), topologies()
    with tempfile.TemporaryDirectory() as name:
        file, layers = Path(name) / "scale.cfg", Path(name) / "layers.csv"
        file.write_text(_CONFIGURATION.format(size=size))
        lines = [f"{p.name}, {p.m}, {p.n}, {p.k}, 1:1," for p in products]
        layers.write_text("\n".join(["Layer, M, N, K, Sparsity,", *lines, ""]))
        configuration.read_conf_file(str(file))
        topology.load_arrays(str(layers), mnk_inputs=True)
    cycles: list[int] = []
    start = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):
        for number in range(len(products)):
            layer = single_layer_sim()
            layer.set_params(number, configuration, topology, layouts(), verbose=False)
            operands = layer.op_mat_obj
            layer.compute_system.set_params(
                config_obj=configuration,
                ifmap_op_mat=operands.get_ifmap_matrix()[1],
                filter_op_mat=operands.get_filter_matrix()[1],
                ofmap_op_mat=operands.get_ofmap_matrix()[1],
                ifmap_op_mat_original=operands.ifmap_addr_matrix_original,
                sparsity_filter_array=operands.sparse_filter_array,
            )
            cycles.append(len(layer.compute_system.get_demand_matrices()[0]))
    return cycles, time.perf_counter() - start
