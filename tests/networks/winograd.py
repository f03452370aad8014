"""`python -m tests.networks.winograd`: computes what Winograd's F(2x2, 3x3) would cost the 3x3 convolutions of
networks, by the formulas of the target, and writes the table of README.md.

Each 2x2 tile of the output is computed from a 4x4 tile d of the input (Lavin and Gray, Fast Algorithms for
Convolutional Neural Networks, equation 8): Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A. The products of all tiles are 16 matrix products
over the channels, with 16 multiplications for each tile in place of 36. Bᵀ d B takes 32 additions for each tile and
input channel, Aᵀ m A 24 for each tile and output channel; the weights are transformed beforehand.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smalti.backends.numerics.rounding_up import ceil_div
from smalti.backends.targets import cycles as formulas
from smalti.backends.targets.target import Target, load_target
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.dialects import top
from smalti.dialects.ir.attribute import values_of
from smalti.dialects.quant.element_type import shape_of
from smalti.passes.tiling.cost import CostModel

from .accuracy import Case
from .figures import README, Figures
from .measured import KNOWN, add_names, cases, refuse_unknown

TARGET = "default-8c"
MEASURED = ("resnet50", "vgg19")
"""What is computed unless networks are named."""
HEADER = (
    "network", "layers", "matrix", "with Winograd in i8", "in i16", "vector", "with Winograd", "weights [bytes]",
    "with Winograd in i16", "in all", "with Winograd in i8", "in i16",
)  # fmt: skip
FIGURES = Figures("winograd", HEADER, keys=2, words=2)

_INPUT_ADDITIONS, _OUTPUT_ADDITIONS = 32, 24


@dataclass(frozen=True)
class Layer:
    """A 3x3 convolution of stride 1 from `inputs` to `outputs` channels with `rows` x `columns` outputs."""

    inputs: int
    outputs: int
    rows: int
    columns: int

    def __str__(self) -> str:
        return f"{self.inputs} to {self.outputs} channels, {self.rows}x{self.columns}"


@dataclass(frozen=True)
class Costs:
    """The cycles of the matrix unit and of the vector unit of each core, and the bytes of weights."""

    matrix: int
    vector: int
    weight_bytes: int

    def cycles(self, target: Target) -> int:
        """What the layer takes if the units and the bus of global memory work side by side: the busiest of them."""
        loads = ceil_div(self.weight_bytes, int(target.global_bytes_per_cycle))
        return max(self.matrix, self.vector, loads)


def direct(layer: Layer, target: Target) -> Costs:
    """The convolution as Smalti computes it: each core takes a part of the positions or of the output channels."""
    matrix = _divided(target, "i8", layer.rows * layer.columns, 9 * layer.inputs, layer.outputs, 1)
    return Costs(matrix, _epilogue(layer, target), 9 * layer.inputs * layer.outputs)


def winograd(layer: Layer, target: Target, storage: str) -> Costs:
    """The same by F(2x2, 3x3), with transformed weights and inputs of type `storage`."""
    tiles = ceil_div(layer.rows, 2) * ceil_div(layer.columns, 2)
    matrix = _divided(target, storage, tiles, layer.inputs, layer.outputs, 16)
    share = ceil_div(tiles, target.cores)
    # Sums of four 8-bit values have 10 bits; the products are summed in 32.
    into = _INPUT_ADDITIONS * formulas.vector_cycles(target, "i16", share * layer.inputs, 1)
    out_of = _OUTPUT_ADDITIONS * formulas.vector_cycles(target, "i32", share * layer.outputs, 1)
    vector = into + out_of + _epilogue(layer, target)
    width = 2 if storage == "i16" else 1
    return Costs(matrix, vector, 16 * layer.inputs * layer.outputs * width)


def _divided(
    target: Target, storage: str, positions: int, depth: int, channels: int, repeat: int
) -> int:
    """The cycles of the matrix unit of a core, by the division of positions and channels in which they are fewest."""
    return min(
        formulas.matrix_cycles(
            target,
            storage,
            m=ceil_div(positions, target.cores // parts),
            k=depth,
            n=ceil_div(channels, parts),
            repeat=repeat,
        )
        for parts in range(1, target.cores + 1)
        if target.cores % parts == 0
    )


def _epilogue(layer: Layer, target: Target) -> int:
    """The cycles in which a core brings its part of the sums back to 8 bits."""
    outputs = ceil_div(layer.rows * layer.columns * layer.outputs, target.cores)
    costs = CostModel(target)
    return costs.vector_cycles("i32", outputs, costs.epilogue_operations(False))


def layers_of(case: Case) -> Iterator[Layer]:
    """The 3x3 convolutions of stride 1 over all channels, in the network's order."""
    options = CompileOptions(TARGET, quantize="f32")
    module = start_from_model(case.model, options, symbols=case.network.symbols).module
    for op in module.walk():
        if not isinstance(op, top.Conv2dOp) or op.groups.value.data > 1:
            continue
        outputs, inputs, *kernel = shape_of(op.weight)
        if tuple(kernel) == (3, 3) and tuple(values_of(op.strides)) == (1, 1):
            yield Layer(inputs, outputs, *shape_of(op.output)[2:])


def rows_of(name: str, layers: Sequence[Layer], target: Target) -> list[list[str]]:
    """The lines of a network: one for layers that are alike, then one for all."""
    counts = Counter(layers)
    rows = [
        _row(name, f"{count} of {layer}", [layer] * count, target)
        for layer, count in counts.items()
    ]
    return [*rows, _row(name, f"all {len(layers)}", layers, target)]


def _row(name: str, title: str, layers: Sequence[Layer], target: Target) -> list[str]:
    plain, short, wide = (
        [direct(each, target) for each in layers],
        [winograd(each, target, "i8") for each in layers],
        [winograd(each, target, "i16") for each in layers],
    )
    numbers = (
        sum(each.matrix for each in plain),
        sum(each.matrix for each in short),
        sum(each.matrix for each in wide),
        sum(each.vector for each in plain),
        sum(each.vector for each in short),
        sum(each.weight_bytes for each in plain),
        sum(each.weight_bytes for each in wide),
        *(sum(each.cycles(target) for each in costs) for costs in (plain, short, wide)),
    )
    return [name, title, *(f"{number:,}" for number in numbers)]


def main(words: list[str] | None = None) -> int:
    """Always 0: networks whose files are not here are named and left out."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks.winograd", description=__doc__)
    add_names(parser, MEASURED)
    parser.add_argument("--write", action="store_true", help=f"put the rows into {README.name}")
    args = parser.parse_args(words)
    refuse_unknown(parser, args.names, KNOWN)
    target, rows = load_target(TARGET), list[list[str]]()
    for case in cases(args.names or MEASURED):
        rows += rows_of(case.network.name, list(layers_of(case)), target)
    if args.write:
        FIGURES.write(rows, [(row[0], row[1]) for row in rows], README)
    else:
        print(FIGURES.text(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
