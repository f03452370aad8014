"""Tensors that are joined, and slices of them, in one buffer: whatever the parts of layers, values are the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti.backends.targets.target import load_target
from smalti.dialects import tile, tpu
from smalti.dialects.ir.context import weights_of
from smalti.dialects.quant import uniform
from smalti.dialects.quant.element_type import shape_of
from smalti.dialects.tile.schedule import Schedule, ScheduleAttr
from smalti.passes.tiling.cost import CostModel
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from .random_network import Network, check
from .test_schedules import CORES, SETTINGS, check_on_simulator, drawn_schedule

ELEMENT = uniform("i8", 0.125, -3)
"""One number format for all, or nothing could be joined."""


@dataclass
class Joining:
    """A network of convolutions, pools and sums whose tensors are joined and cut along their channels. `inner` are the
    names of those that may lie in others.
    """

    network: Network
    tensors: list[SSAValue] = field(default_factory=list)
    inner: set[str] = field(default_factory=set)

    def name(self) -> str:
        return f"t{len(self.network.ops)}"

    def add(self, op: tpu.TpuOp) -> SSAValue:
        value = self.network.add(op)
        self.tensors.append(value)
        return value

    def conv(self, x: SSAValue, channels: int, kernel: int = 1) -> SSAValue:
        weights = self.network.parameters(channels, shape_of(x)[1], kernel, kernel)
        return self.add(
            tpu.Conv2dOp(
                self.name(), x, weights, element=ELEMENT, strides=(1, 1), dilations=(1, 1), groups=1,
                pads=(kernel // 2,) * 4, accumulator="i32",
            )
        )  # fmt: skip

    def pool(self, x: SSAValue) -> SSAValue:
        fields = {"kernel": (3, 3), "strides": (1, 1), "pads": (1, 1, 1, 1), "dilations": (1, 1)}
        return self.add(tpu.MaxPoolOp(self.name(), x, **fields))

    def clamp(self, x: SSAValue) -> SSAValue:
        return self.add(tpu.ClampOp(self.name(), x, clamp_low=-5.0))

    def sum(self, x: SSAValue) -> SSAValue:
        return self.add(tpu.AddOp(self.name(), x, x, element=ELEMENT))

    def concat(self, *inputs: SSAValue) -> SSAValue:
        for value in inputs:
            self.inner.add(value.owner.result_name.data)  # pyright: ignore[reportAttributeAccessIssue]
        return self.add(tpu.ConcatOp(self.name(), inputs, axis=1))

    def slice(self, x: SSAValue, low: int, high: int) -> SSAValue:
        shape = shape_of(x)
        sizes = (shape[0], high - low, *shape[2:])
        name = self.name()
        # All of a tensor is joined of it alone.
        is_whole = sizes == shape
        self.inner.add(x.owner.result_name.data if is_whole else name)  # pyright: ignore[reportAttributeAccessIssue]
        op = tpu.SliceOp(name, x, starts=(0, low, 0, 0), sizes=sizes, steps=(1, 1, 1, 1))
        return self.add(op)


def joined_inputs(network: Network) -> Joining:
    """Return a network that begins with one tensor."""
    own = Joining(network)
    x = network.input(1, 4, 6, 4)
    own.conv(x, 24)
    return own


def stay(own: Joining, op: tile.LayerOp, schedule: Schedule) -> None:
    """Let the output of a layer between others stay on chip, and lie in another tensor if it may."""
    owner = op.output.owner
    if isinstance(owner, tile.GlobalOp) and owner.segment.data == "scratch":
        place = "in_place" if op.tpu_name in own.inner else "local"
        op.properties["schedule"] = ScheduleAttr(replace(schedule, output=place))


def copies(module: ModuleOp, name: str) -> list[tile.CopyOp]:
    """The copies that a layer makes."""
    found = [op for op in module.walk() if isinstance(op, tile.CopyOp)]
    return [op for op in found if op.origin is not None and op.origin.data == name]


def names(values: list[SSAValue]) -> Iterator[str]:
    return (each.owner.result_name.data for each in values)  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("split", [(1, 1, 1, 1), (1, 1, 3, 1), (1, 1, 2, 2)])
def test_nothing_is_copied_where_all_layers_have_the_same_parts(split: tuple[int, ...]) -> None:
    """Three tensors of 24, 8 and 20 channels are joined in two steps; then the last two are cut out again."""
    own = joined_inputs(Network(True, np.random.default_rng(3)))
    (a,) = own.tensors
    b = own.conv(a, 8)
    ab = own.concat(a, b)
    c = own.conv(ab, 20)
    abc = own.concat(ab, c)
    bc = own.slice(abc, 24, 52)
    y = own.conv(own.conv(bc, 16), 16)
    parts = Schedule(cores=tuple(range(split[2] * split[3])), split=split)

    def schedule(op: tile.LayerOp) -> None:
        stay(own, op, parts)

    module = check(own.network, y, "default-8c", CORES, schedule)
    for name in names([ab, abc, bc]):
        assert copies(module, name) == []
    kept = [op for op in module.walk() if isinstance(op, tile.AllocOp) and op.tensor is not None]
    tensors = {op.tensor.data for op in kept if op.tensor is not None}
    (whole,) = names([abc])
    assert whole in tensors and not tensors & set(names([a, b, ab, c, bc]))
    check_on_simulator(own.network, module, 64)


def test_what_other_cores_compute_is_sent_to_the_joined_tensor_at_once() -> None:
    """Core 0 joins what it has computed with what core 1 has: one copy, into its place."""
    own = joined_inputs(Network(True, np.random.default_rng(3)))
    (a,) = own.tensors
    b = own.conv(a, 8)
    ab = own.concat(a, b)
    y = own.conv(ab, 16)
    first = dict(zip(names([a, b, ab]), (0, 1, 0), strict=True))

    def schedule(op: tile.LayerOp) -> None:
        core = first.get(op.tpu_name or "", 0)
        stay(own, op, Schedule(cores=(core,), split=(1, 1, 1, 1)))

    module = check(own.network, y, "default-8c", CORES, schedule)
    (joined,) = names([ab])
    # Core 0 may send a part of the joined tensor to others that read it.
    (copy,) = [each for each in copies(module, joined) if each.core_number == 1]
    assert copy.target_offset.value.data == 24
    assert copy.target.owner.properties["tensor"].data == joined  # pyright: ignore
    check_on_simulator(own.network, module, 64)


@pytest.mark.parametrize("low", range(6))
def test_a_slice_of_one_row_begins_where_it_lies(low: int) -> None:
    """The row ends before what pads the whole tensor, unless it is the last part of it."""
    network = Network(True, np.random.default_rng(3))
    own = Joining(network)
    a = own.clamp(network.input(6))
    name = own.name()
    own.inner.add(name)
    y = own.clamp(own.add(tpu.SliceOp(name, a, starts=(low,), sizes=(1,), steps=(1,))))
    module = check(network, y, "default-8c", 1, lambda op: stay(own, op, Schedule(cores=(0,))))
    assert copies(module, name) == []
    check_on_simulator(network, module, 64)


@pytest.mark.share(3)
@settings(SETTINGS, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.data())
def test_random_networks_of_joined_tensors_compute_the_same(seed: int, data: st.DataObject) -> None:
    own, draw = joined_inputs(Network(True, np.random.default_rng(seed))), data.draw
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["concat", "concat", "slice", "conv", "pool", "clamp", "sum"]))
        x = draw(st.sampled_from(own.tensors))
        channels = shape_of(x)[1]
        if kind == "concat":
            own.concat(x, *draw(st.lists(st.sampled_from(own.tensors), min_size=1, max_size=2)))
        elif kind == "slice":
            low = draw(st.integers(0, channels - 1))
            own.slice(x, low, draw(st.integers(low + 1, channels)))
        elif kind == "conv":
            own.conv(x, draw(st.sampled_from([5, 16, 24])), draw(st.sampled_from([1, 3])))
        else:
            getattr(own, kind)(x)
    unused = [value for value in own.tensors if value.first_use is None]
    y = own.conv(own.concat(*unused) if len(unused) > 1 else unused[0], 7)
    costs = CostModel(load_target("default-8c"))
    alike = draw(st.booleans())
    parts = Schedule(cores=(0, 1), split=(1, 1, 2, 1))

    def schedule(op: tile.LayerOp) -> None:
        drawn = drawn_schedule(data, op, costs, weights_of(own.network.ctx)) or Schedule()
        chosen = parts if alike and draw(st.integers(0, 3)) else drawn
        stay(own, op, chosen)

    module = check(own.network, y, "default-8c", CORES, schedule)
    check_on_simulator(own.network, module, draw(st.sampled_from((0, 1, 64))))
