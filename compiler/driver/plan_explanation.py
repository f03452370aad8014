"""Explains the decisions about one layer in words and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ...passes.tile.planning.decisions import (
    GroupDecision,
    GroupReason,
    InPlaceReason,
    LayerDecisions,
    Limit,
    PlaceDecision,
    PlaceReason,
    SendingDecision,
    Shortage,
    SplitCandidate,
    SplitDecision,
    TileCandidate,
    TileDecision,
    WholePlan,
)

_SHOWN = 6
"""How many candidates are shown: the best ones, and the chosen one if it is none of them."""

_Candidate = TypeVar("_Candidate", SplitCandidate, TileCandidate)

_SPLIT_TITLES = (
    "split", "cores", "matrix", "vector", "load", "store", "exchange", "other", "waiting", "layer",
    "network",
)  # fmt: skip
_TILE_TITLES = (
    "tile", "order", "depth", "load", "matrix", "vector", "store", "cycles", "done", "local", "acc",
)  # fmt: skip
_GROUP_TITLES = ("slices", "cycles")
_PLAN_TITLES = ("samples", "cycles")
_LEFT = {"samples", "split", "tile", "order"}
"""The columns that are set left."""

_LIMITS: dict[Limit, str] = {
    "matrix": "the matrix unit of the busiest core",
    "vector": "the vector unit of the busiest core",
    "exchange": "the memory port of the busiest core, or the interconnect",
    "memory": "its loads from global memory",
}

_PLACES: dict[PlaceReason, str] = {
    "fits": "there is room",
    "schedule": "its schedule says so",
    "option": "the pass keeps no tensors on chip (on-chip=false)",
    "port": "it is an output of the network",
    "no_axes": "it is a single number",
    "address": "it has an address there",
    "layer": "layer '{at}' reads or writes global memory only",
    "no_room": "there is no room",
}

_IN_PLACE: dict[InPlaceReason, str] = {
    "joined": "in the buffer of '{inside}', which is joined of it",
    "slice": "in the buffer of '{inside}', of which it is a slice",
    "schedule": "in a buffer of its own and not that of '{inside}', as its schedule says",
    "no_alias": "in a buffer of its own",
    "apart": "in a buffer of its own, as no core keeps the same elements of '{inside}'",
    "option": "in a buffer of its own and not that of '{inside}', as the pass says (in-place=false)",
    "no_room": "in a buffer of its own, as that of '{inside}' would be in use for too long",
}


_NO_GROUP: dict[GroupReason, str] = {
    "gains_little": "slice by slice they take {gain}, and a group must take {least:.0%} fewer",
    "crowded": "slice by slice they take {gain}, but beside the other tensors that stay on chip there is no room "
    "for what is between them",
    "not_played": "they cannot be carried out by themselves, or too many others were tried before",
}


def explanation(layer: LayerDecisions) -> list[str]:
    """Return the lines of the explanation of a layer."""
    shape = "x".join(map(str, layer.shape))
    return [
        f"{layer.name}: {layer.op}, {shape} {layer.storage}",
        *([f"  from {', '.join(layer.nodes)}"] if layer.nodes else []),
        *_split(layer.split),
        *_tile(layer.tile),
        *_output(layer.output),
        f"  weights: {_sending(layer.weights, 'none that cores could share')}",
        f"  activations: {_sending(layer.activations, 'none in local memories that cores share')}",
        *([] if layer.group is None else _group(layer.group)),
        f"  done: {layer.done_cycles:,} cycles after the network starts",
        f"  schedule: <{layer.schedule}>",
    ]


def explanation_of_plans(plans: Sequence[WholePlan]) -> list[str]:
    """Return the lines about the plans of the whole network that were compared; none if there is only one."""
    if not plans:
        return []
    if plans[0].part_cycles is None:
        title = "throughput: the samples of the batch together, or apart, each on cores of its own"
        differences = ["apart" if each.samples_apart else "together" for each in plans]
    else:
        title = "latency: divided as if one more core cost a layer so many cycles"
        differences = [_number(each.part_cycles or 0) for each in plans]
    rows = [
        (each.is_chosen, [difference, _number(each.done_cycles)])
        for each, difference in zip(plans, differences, strict=True)
    ]
    titles = "samples" if plans[0].part_cycles is None else "a core", *_PLAN_TITLES[1:]
    return [title, *_table(titles, rows), ""]


def _split(split: SplitDecision) -> list[str]:
    rows = [_split_row(each) for each in _shown(split.candidates)]
    return [
        f"  split: {_choice_of_split(split)}",
        *_table(_SPLIT_TITLES, rows),
        f"    limited by {_LIMITS[split.chosen.estimate.limit]}",
    ]


def _choice_of_split(split: SplitDecision) -> str:
    """Return how a split was chosen, and how much better it is than the others."""
    if split.decided_by == "schedule":
        return "its schedule says so"
    count, margin = len(split.candidates), split.margin
    if margin is None:
        return "the only way to divide the layer"
    of = "" if count == split.possible else f" (of {split.possible} possible)"
    whole = "layer" if split.chosen.network_cycles is None else "network"
    if margin < 0:
        return (
            f"one of {count} ways{of}; another, which the search missed, makes the {whole} "
            f"{-margin:.1%} faster"
        )
    return f"the best of {count} ways{of}; the next one makes the {whole} {margin:.1%} slower"


def _split_row(candidate: SplitCandidate) -> tuple[bool, list[str]]:
    estimate = candidate.estimate
    split = "windows" if candidate.split is None else "x".join(map(str, candidate.split)) or "whole"
    cycles = (
        estimate.matrix_cycles, estimate.vector_cycles, estimate.load_cycles, estimate.store_cycles,
        estimate.exchange_cycles, estimate.part_cycles + estimate.sending_cycles,
        estimate.waiting_cycles, estimate.layer_cycles, candidate.network_cycles,
    )  # fmt: skip
    return candidate.is_chosen, [split, str(len(candidate.cores)), *map(_number, cycles)]


def _tile(tile: TileDecision) -> list[str]:
    if not tile.candidates:
        why = "its schedule says so" if tile.decided_by == "schedule" else "the layer has none"
        return [f"  tile: {why}"]
    fitting = [each for each in tile.candidates if each.fits]
    rows = [_tile_row(each) for each in _shown(fitting)]
    return [f"  tile: {_choice_of_tile(tile, len(fitting))}", *_table(_TILE_TITLES, rows)]


def _choice_of_tile(tile: TileDecision, fitting: int) -> str:
    """Return how a tile was chosen, of so many that fit."""
    if tile.decided_by == "schedule":
        return "its schedule says so"
    memory = "half of the memories" if tile.candidates[-1].share < 1 else "the memories"
    count = len(tile.candidates)
    if count == 1:
        return f"the only one tried; it fits into {memory}"
    which = f"all {count} tried" if fitting == count else f"{fitting} of {count} tried"
    lines = f"{which} fit into {memory}; cycles are those of the first part"
    if tile.candidates[0].done_cycles is None:
        return lines
    return f"{lines}; chosen with the tiles of the layers around it"


def _tile_row(candidate: TileCandidate) -> tuple[bool, list[str]]:
    stages = (
        candidate.load_cycles, candidate.matrix_cycles, candidate.vector_cycles,
        candidate.store_cycles, candidate.cycles, candidate.done_cycles,
    )  # fmt: skip
    return candidate.is_chosen, [
        "x".join(map(str, candidate.tile)),
        candidate.order or "-",
        _number(candidate.depth),
        *map(_number, stages),
        _number(candidate.local_bytes),
        _number(candidate.acc_bytes),
    ]


def _output(output: PlaceDecision) -> list[str]:
    why = _PLACES[output.why].format(at=output.at)
    if output.place == "global":
        return [f"  output: in global memory: {why}", *_shortage(output.shortage)]
    where = "" if output.in_place is None else f", {_IN_PLACE[output.in_place]}"
    lines = [f"  output: on chip{where.format(inside=output.inside)}: {why}"]
    if output.bytes_per_core is not None:
        lines.append(
            f"    at most {output.bytes_per_core:,} bytes of a core, until '{output.until}' is done"
        )
    return lines


def _shortage(shortage: Shortage | None) -> list[str]:
    if shortage is None:
        return []
    return [
        f"    it needs {shortage.needed_bytes:,} bytes of core {shortage.core}, which has "
        f"{shortage.free_bytes:,} left while '{shortage.layer}' runs"
    ]


def _group(group: GroupDecision) -> list[str]:
    """Return the lines about the group that a layer is in, or could be in."""
    layers, gain = _between(group.layers), _fewer(group.gain)
    if not group.is_made:
        why = _NO_GROUP[group.why].format(gain=gain, least=group.least_gain)
        lines = [f"  group: none of {layers}: {why}"]
    elif group.why == "schedule":
        lines = [f"  group: {layers}: their schedule says so"]
    else:
        lines = [
            f"  group: {layers}: slice by slice they take {gain}, as what is between them has no room as a whole"
        ]
    rows = [
        (each.is_chosen, ["none" if each.slices == 1 else str(each.slices), _number(each.cycles)])
        for each in group.candidates
    ]
    lines += _table(_GROUP_TITLES, rows)
    if group.is_made:
        order = "one slice after the other" if group.order == "depth_first" else "pipelined"
        shape = "x".join(map(str, group.slice_shape or ()))
        lines += [
            f"    {group.slices} slices along axis {group.axis}, {order}, halos {group.halos}",
            f"    a slice of this layer is at most {shape}",
        ]
    return lines


def _between(layers: Sequence[str]) -> str:
    """Return how many layers there are, and from which to which."""
    return f"{len(layers)} layers, '{layers[0]}' to '{layers[-1]}'"


def _fewer(gain: float | None) -> str:
    """Return by which share the cycles become fewer, or more."""
    return f"{abs(gain or 0):.1%} {'fewer' if (gain or 0) >= 0 else 'more'} cycles by themselves"


def _sending(sending: SendingDecision, nothing: str) -> str:
    if sending.why == "schedule":
        return f"{sending.value}: its schedule says so"
    if sending.value == "multicast":
        return f"multicast: {sending.sharing} cores need the same"
    if sending.why == "option" and sending.value is not None:
        return "separate: the target or an option of the pass rules out multicasts"
    if sending.value == "separate":
        return "separate: no two cores need the same"
    return nothing


def _shown(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    chosen = [each for each in candidates[_SHOWN:] if each.is_chosen]
    return [*candidates[: _SHOWN - len(chosen)], *chosen]


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _table(titles: Sequence[str], rows: Sequence[tuple[bool, list[str]]]) -> list[str]:
    """Return the lines of a table with a mark at rows that are chosen; columns without values are left out."""
    cells = zip(titles, *(row for _, row in rows), strict=True)
    columns = [column for column in cells if any(cell != "-" for cell in column[1:])]
    marks = [" ", *("*" if is_chosen else " " for is_chosen, _ in rows)]
    lines = [f"  {mark}" for mark in marks]
    for column in columns:
        width = max(map(len, column))
        is_left = column[0] in _LEFT
        for number, cell in enumerate(column):
            lines[number] += f"  {cell.ljust(width) if is_left else cell.rjust(width)}"
    return [line.rstrip() for line in lines] if rows else []
