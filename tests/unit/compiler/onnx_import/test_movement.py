"""Ops that move elements, in all opsets, against ONNX Runtime; and what is wrong with them."""

import numpy as np
import pytest
from onnx import helper
from smalti.backends.diagnostics.diagnostic import DiagnosticError

from tests.unit.compiler.onnx_import.onnx_models import (
    imported,
    model_of,
    ops_of,
    random_input,
    run_imported,
)
from tests.unit.compiler.onnx_import.test_operator_table import agrees, check


def ints(*values):
    return np.array(values, np.int64)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_concat(axis):
    shapes = {"x": [2, 3, 4], "z": [2, 3, 4]}
    shapes["z"][axis] = 5
    node = helper.make_node("Concat", ["x", "z", "x"], ["y"], axis=axis)
    inputs = {name: random_input(*shape) for name, shape in shapes.items()}
    agrees(model_of([node], shapes), inputs)


def test_concat_with_constants_and_empty_tensors():
    constants = {"c": random_input(1, 2), "e": np.zeros((0, 2), np.float32)}
    check("Concat", (3, 2), constants, axis=0)
    check("Concat", (3, 2), {"e": constants["e"]}, axis=0)


@pytest.mark.parametrize(
    ("opset", "sizes", "attributes"),
    [
        (2, None, {"axis": 1}),
        (11, None, {"axis": -2, "split": [1, 5]}),
        (13, ints(4, 2), {"axis": 1}),
        (13, None, {"axis": 1}),
        (18, None, {"axis": 1, "num_outputs": 2}),
        (18, ints(1, 5), {"axis": 1}),
    ],
)
def test_split(opset, sizes, attributes):
    constants = {} if sizes is None else {"sizes": sizes}
    check("Split", (2, 6, 3), constants, opset=opset, outputs=("y", "z"), **attributes)


def test_split_in_parts_that_differ():
    check("Split", (7, 2), opset=18, outputs=("a", "b", "c"), num_outputs=3)


@pytest.mark.parametrize("opset", [1, 9, 10, 13])
def test_slice(opset):
    starts, ends, axes = [1, -4], [3, 100], [0, -1]
    if opset < 10:
        check("Slice", (4, 5, 6), opset=opset, starts=starts, ends=ends, axes=axes)
    else:
        lists = {"s": ints(*starts), "e": ints(*ends), "a": ints(*axes)}
        check("Slice", (4, 5, 6), lists, opset=opset)


@pytest.mark.parametrize(
    ("start", "end", "step"),
    [(0, 7, 2), (6, 0, -2), (-1, -(2**60), -1), (100, -8, -3), (2, 3, 1), (3, -100, -1)],
)
def test_slice_with_steps(start, end, step):
    lists = {"s": ints(start), "e": ints(end), "a": ints(1), "t": ints(step)}
    check("Slice", (2, 7, 3), lists)


def test_slice_of_everything_is_nothing():
    node = helper.make_node("Slice", ["x", "s", "e"], ["y"])
    module, _ = imported(model_of([node], {"x": (2, 3)}, constants={"s": ints(0), "e": ints(9)}))
    assert not ops_of(module)


@pytest.mark.parametrize(
    ("indices", "axis"),
    [
        (ints(2, 0, -1, 2), 0),
        (ints(1, -1), 1),
        (np.array(1, np.int64), 1),
        (np.array([[0, 1], [2, -3]], np.int32), -1),
        (np.array([[1]], np.int64), 0),
    ],
)
def test_gather(indices, axis):
    check("Gather", (3, 4, 5), {"indices": indices}, axis=axis)


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("opset", [2, 11, 13, 18])
def test_pad(mode, opset):
    pads = [0, 1, 2, 0, 2, 1]
    if opset < 11:
        check("Pad", (2, 3, 4), opset=opset, mode=mode, pads=pads)
    else:
        check("Pad", (2, 3, 4), {"pads": ints(*pads)}, opset=opset, mode=mode)


def test_pad_in_opset_1():
    node = helper.make_node("Pad", ["x"], ["y"], paddings=[0, 1, 2, 0], value=0.5)
    x = random_input(2, 3)
    found = run_imported(model_of([node], {"x": (2, 3)}, opset=1), {"x": x})["y"]
    np.testing.assert_array_equal(found, np.pad(x, [(0, 2), (1, 0)], constant_values=0.5))


def test_pad_wraps_and_names_axes():
    constants = {"pads": ints(2, 1), "value": None, "axes": ints(-1)}
    check("Pad", (2, 4), constants, opset=19, mode="wrap")
    constants = {"pads": ints(1, 2, 0, 1), "value": np.float32(-1.5), "axes": ints(2, -3)}
    check("Pad", (2, 3, 4), constants, opset=18)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect"])
def test_negative_pads_crop(mode):
    check("Pad", (2, 5, 6), {"pads": ints(0, -1, 2, 0, 0, -2)}, mode=mode)
    check("Pad", (2, 5, 6), {"pads": ints(0, -1, 0, 0, -1, 0)}, mode=mode)


@pytest.mark.parametrize(
    ("shape", "wanted"), [((3, 1), (2, 1, 6)), ((3, 1), (3, 4)), ((2, 3), (1, 1)), ((1,), (3,))]
)
def test_expand(shape, wanted):
    check("Expand", shape, {"shape": ints(*wanted)})


@pytest.mark.parametrize("repeats", [(1, 2, 3), (2, 1, 1), (1, 1, 1)])
def test_tile(repeats):
    check("Tile", (2, 1, 3), {"repeats": ints(*repeats)})


def test_tile_in_opset_1():
    node = helper.make_node("Tile", ["x", "tiles", "axis"], ["y"])
    constants = {"tiles": np.float32(2).astype(np.int64), "axis": np.array(1, np.int64)}
    x = random_input(2, 3)
    model = model_of([node], {"x": (2, 3)}, constants=constants, opset=5)
    np.testing.assert_array_equal(run_imported(model, {"x": x})["y"], np.tile(x, (1, 2)))


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space(mode):
    check("DepthToSpace", (2, 8, 3, 4), blocksize=2, mode=mode)


def test_space_to_depth():
    check("SpaceToDepth", (2, 3, 4, 6), blocksize=2)


@pytest.mark.parametrize(
    ("op", "constants", "attributes", "message"),
    [
        ("Split", {"s": ints(1, 1)}, {}, "cannot be split in 1 parts"),
        ("Slice", {"s": ints(0), "e": ints(1), "a": ints(0), "t": ints(0)}, {}, "step of 0"),
        ("Slice", {"s": ints(0, 0), "e": ints(1)}, {}, "differ in length"),
        ("Slice", {"s": ints(0, 0), "e": ints(1, 1), "a": ints(1, -1)}, {}, "an axis twice"),
        ("Gather", {"i": ints(2)}, {}, "lies outside the 2 elements"),
        ("Pad", {"p": ints(1, 1)}, {}, "2 axes need 4 pads"),
        ("Pad", {"p": ints(0, 0, 0, -4)}, {}, "take more than there is"),
        ("Pad", {"p": ints(0, 0, 0, 2)}, {"mode": "mirror"}, "unknown mode 'mirror'"),
        ("Pad", {"p": ints(0, 0, 0, 2**40)}, {"mode": "edge"}, "more than the 1048576 supported"),
        ("Pad", {"p": ints(0, 0, 0, 2**40)}, {}, "is too big"),
        ("Expand", {"s": ints(4, 3)}, {}, "does not broadcast to [4, 3]"),
        ("Tile", {"r": ints(1, 2**40)}, {}, "more than the 1048576 supported"),
        ("Tile", {"r": ints(2)}, {}, "its repeats must be 2 numbers"),
        ("DepthToSpace", {}, {"blocksize": 2}, "must have shape [N,C,H,W]"),
        ("DepthToSpace", {}, {"blocksize": 0}, "blocksize must be at least 1"),
    ],
)
def test_errors(op, constants, attributes, message):
    node = helper.make_node(op, ["x", *constants], ["y"], name="node", **attributes)
    model = model_of([node], {"x": (2, 3)}, constants=constants)
    with pytest.raises(DiagnosticError) as caught:
        imported(model)
    assert message in str(caught.value)
    assert "node" in str(caught.value)


def test_indices_at_run_time_are_refused():
    node = helper.make_node("Slice", ["x", "s", "s"], ["y"], name="node")
    with pytest.raises(DiagnosticError, match="its input starts is computed at run time"):
        imported(model_of([node], {"x": (2, 3), "s": (1,)}))
