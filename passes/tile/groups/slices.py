"""Finds what each layer of a group computes in each slice.

Slices of the last layer's output are given; a layer before it computes in a slice what the layers that read it need
there. If halos are kept, it leaves out what earlier slices have computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod

from xdsl.ir import SSAValue

from ....backends.diagnostics.diagnostic import DiagnosticError
from ....backends.numerics.rounding_up import ceil_div
from ....dialects import tile
from ....dialects.ir.location import place_of
from ...tiling.cost import CostModel
from ...tiling.windows import Range, Window, contains, hull, sizes_of, whole, with_axes_of
from ..tiler_bases.layer import Buffer, Layer, mark_kept
from ..tiler_bases.tiler import Tiler
from ..tilers.registry import tiler_of

KEPT_WEIGHTS_SHARE = 0.25
"""The share of local memory that weights of a layer may take at most to stay there from slice to slice."""

Slices = Sequence[Sequence[Window | None]]
"""For each slice what each layer computes of its output, None if that is nothing."""


def slices_of_group(
    group: tile.Group,
    layers: Sequence[tile.LayerOp],
    buffers: dict[SSAValue, Buffer],
    costs: CostModel,
) -> Slices:
    """Return what each of the layers of a group computes in each slice; `buffers` are those of the program.

    Raises DiagnosticError if a layer cannot be computed so.
    """
    marked = dict(buffers)
    mark_kept(marked, {op.output for op in layers[:-1]})
    tilers = [tiler_of(Layer.of(op, marked), costs) for op in layers]
    for tiler in tilers:
        if not tiler.may_stay_on_chip:
            raise tiler.layer.error(
                "it reads and writes global memory only, and cannot be computed in slices",
                "leave the layer out of the group",
            )
        for index in tiler.global_inputs:
            if tiler.layer.inputs[index].is_kept:
                raise tiler.layer.error(
                    f"it reads '{tiler.layer.inputs[index].name}' in global memory only, and the group keeps it in "
                    "slices",
                    "leave the layer that writes it out of the group",
                )
    done: list[Window | None] = [None] * len(tilers)
    result: list[list[Window | None]] = []
    for range_ in _ranges(tilers[-1], group):
        needed: dict[SSAValue, Window] = {}
        last = tilers[-1].layer
        axis = group.axis
        needed[last.output.value] = (*last.whole[:axis], range_, *last.whole[axis + 1 :])
        windows: list[Window | None] = [None] * len(tilers)
        for number in reversed(range(len(tilers))):
            tiler = tilers[number]
            window = needed.get(tiler.layer.output.value)
            if window is not None and number < len(tilers) - 1:
                window = _in_units(window, tiler)
            if window is not None and group.halos == "kept":
                window, done[number] = _added(window, done[number], tiler)
            windows[number] = window
            if window is not None:
                _need(tiler, window, needed)
        result.append(windows)
    return result


def order_of_slices(group: tile.Group, layers: int, slices: int) -> Iterator[tuple[int, int]]:
    """Return slices and layers, as numbers of both, in the order in which they are computed."""
    if group.order == "depth_first":
        yield from ((at, layer) for at in range(slices) for layer in range(layers))
        return
    for step in range(slices + layers - 1):
        for layer in range(layers):
            if 0 <= step - layer < slices:
                yield step - layer, layer


def check_no_groups(program: tile.ProgramOp) -> None:
    """Raise DiagnosticError if a program has groups, which a pass that divides layers does not see through."""
    for group in program.groups:
        raise DiagnosticError(
            "the layers of a group are still whole",
            place_of(group),
            hint="run tile-slice-groups first",
        )


def _ranges(last: Tiler, group: tile.Group) -> list[Range]:
    """Return the ranges of the slices along the axis of the last layer's output, as equal as can be."""
    layer, axis = last.layer, group.axis
    low, high = layer.whole[axis]
    unit = last.units()[axis] or high - low
    count = ceil_div(high - low, unit)
    if count < group.slices:
        raise layer.error(
            f"axis {axis} of {high - low} elements cannot be divided into {group.slices} slices",
            f"it can be divided into at most {count}: change the group's axis or slices",
        )
    ends = [
        min(low + count * number // group.slices * unit, high) for number in range(group.slices + 1)
    ]
    return list(pairwise(ends))


def _need(tiler: Tiler, window: Window, needed: dict[SSAValue, Window]) -> None:
    """Note in `needed` what a layer reads of others to compute `window`."""
    boxes: dict[int, Window] = {}
    for index, box in tiler.work(window).boxes:
        boxes[index] = hull(boxes.get(index, box), box)
    for index, tensor in enumerate(tiler.layer.inputs):
        if not tensor.is_kept:
            continue
        shape = tensor.layout.shape
        box = boxes.get(index, whole(shape))
        if len(box) != len(shape):
            box = with_axes_of(shape, box, shape)
        known = needed.get(tensor.value)
        needed[tensor.value] = box if known is None else hull(known, box)


def _in_units(window: Window, tiler: Tiler) -> Window:
    """Return the smallest window with a window in it that a layer can compute by itself."""
    return tuple(
        (low // unit * unit, min(ceil_div(high, unit) * unit, size)) if unit else (0, size)
        for (low, high), unit, size in zip(window, tiler.units(), tiler.layer.shape, strict=True)
    )


def _added(window: Window, done: Window | None, tiler: Tiler) -> tuple[Window | None, Window]:
    """Return what of a window is not done yet, and what is done with it.

    Raises DiagnosticError if that is no box.
    """
    if done is None:
        return window, window
    if contains(done, window):
        return None, done
    both = hull(done, window)
    for axis, ((low, high), (first, last)) in enumerate(zip(done, both, strict=True)):
        if (low, high) != (first, last) and (low == first or high == last):
            rest = (high, last) if low == first else (first, low)
            added = (*both[:axis], rest, *both[axis + 1 :])
            if prod(sizes_of(added)) + prod(sizes_of(done)) == prod(sizes_of(both)):
                return added, both
    raise tiler.layer.error(
        "what a slice lacks of it is no box beside what earlier slices have computed",
        "say 'halos = recomputed', or divide the group along another axis",
    )
