"""top-fold-movement: what is merged and removed, and that results stay the same to the bit."""

# ruff: noqa: E501 (lines of IR stay whole)

import pytest

from .test_fold_shapes import check

PIPELINE = "top-fold-movement"
T = "tensor<2x3x4x4xf32>"


def folded(piped, network, body, type, ops):
    """Folds a body whose result is %y."""
    return check(piped, network, body, "%y", type, ops, pipeline=PIPELINE)


@pytest.mark.parametrize(
    "op",
    [
        'top.slice "y" %x starts = [0, 0, 0, 0] sizes = [2, 3, 4, 4] steps = [1, 1, 1, 1]',
        'top.pad "y" %x low = [0, 0, 0, 0] high = [0, 0, 0, 0] value = 1.0',
        'top.gather "y" %x axis = 1 indices = [0, 1, 2]',
        'top.concat "y" %x axis = 1',
    ],
)
def test_what_moves_nothing_goes(piped, network, op):
    folded(piped, network, f"%y = {op} : ({T}) -> {T}", "2x3x4x4xf32", [])


def test_slices_merge_with_steps_in_both_directions(piped, network):
    body = f"""
    %a = top.slice "a" %x starts = [0, 2, 1, 3] sizes = [2, 3, 3, 2] steps = [1, -1, 1, -2] : ({T}) -> tensor<2x3x3x2xf32> loc("A")
    %y = top.slice "y" %a starts = [1, 2, 0, 1] sizes = [1, 2, 2, 1] steps = [1, -2, 2, 1] : (tensor<2x3x3x2xf32>) -> tensor<1x2x2x1xf32> loc("B")
    """
    result = folded(piped, network, body, "1x2x2x1xf32", ["top.slice"])
    assert 'loc(fused["A", "B"])' in result.located


@pytest.mark.parametrize(
    ("start", "size", "step", "ops"),
    [
        (0, 3, 1, []),
        (3, 3, 1, ["top.relu"]),
        (5, 2, -1, ["top.relu", "top.slice"]),
        (2, 2, 1, ["top.relu", "top.concat", "top.slice"]),
        (0, 2, 3, ["top.relu", "top.concat", "top.slice"]),
    ],
)
def test_slice_of_concat(piped, network, start, size, step, ops):
    body = f"""
    %r = top.relu "r" %x : ({T}) -> {T}
    %c = top.concat "c" %x, %r axis = 1 : ({T}, {T}) -> tensor<2x6x4x4xf32>
    %y = top.slice "y" %c starts = [0, {start}, 0, 0] sizes = [2, {size}, 4, 4] steps = [1, {step}, 1, 1] : (tensor<2x6x4x4xf32>) -> tensor<2x{size}x4x4xf32>
    """
    folded(piped, network, body, f"2x{size}x4x4xf32", ops)


def test_concats_merge_along_one_axis(piped, network):
    body = f"""
    %a = top.concat "a" %x, %x axis = 1 : ({T}, {T}) -> tensor<2x6x4x4xf32>
    %y = top.concat "y" %a, %x axis = {{axis}} : (tensor<2x6x4x4xf32>, {T}) -> tensor<2x9x4x4xf32>
    """
    folded(piped, network, body.format(axis=1), "2x9x4x4xf32", ["top.concat"])
    body = f"""
    %a = top.concat "a" %x, %x axis = 1 : ({T}, {T}) -> tensor<2x6x4x4xf32>
    %y = top.concat "y" %a, %a axis = 1 : (tensor<2x6x4x4xf32>, tensor<2x6x4x4xf32>) -> tensor<2x12x4x4xf32>
    """
    folded(piped, network, body, "2x12x4x4xf32", ["top.concat", "top.concat"])


def test_gathers_merge_and_become_slices(piped, network):
    body = f"""
    %a = top.gather "a" %x axis = 1 indices = [2, 0, 1] : ({T}) -> {T}
    %y = top.gather "y" %a axis = 1 indices = [{{indices}}] : ({T}) -> tensor<2x2x4x4xf32>
    """
    folded(piped, network, body.format(indices="0, 0"), "2x2x4x4xf32", ["top.gather"])
    folded(piped, network, body.format(indices="0, 2"), "2x2x4x4xf32", ["top.slice"])


@pytest.mark.parametrize(
    ("low", "value", "ops"),
    [
        ("0, 0, 1, 0", "0.0", ["top.weight", "top.conv2d"]),
        ("0, 0, 1, 0", "1.0", ["top.pad", "top.weight", "top.conv2d"]),
        ("1, 0, 0, 0", "0.0", ["top.pad", "top.weight", "top.conv2d"]),
    ],
)
def test_pad_goes_into_convolution(piped, network, low, value, ops):
    n, _, h, _ = (int(a) for a in low.split(","))
    body = f"""
    %p = top.pad "p" %x low = [{low}] high = [0, 0, 0, 1] value = {value} : ({T}) -> tensor<{2 + n}x3x{4 + h}x5xf32>
    %w = top.weight "w" seed = 1 : tensor<2x3x2x2xf32>
    %y = top.conv2d "y" %p, %w strides = [2, 1] pads = [1, 0, 0, 0] : (tensor<{2 + n}x3x{4 + h}x5xf32>, tensor<2x3x2x2xf32>) -> tensor<{2 + n}x2x{2 + (h + 1) // 2}x4xf32>
    """
    folded(piped, network, body, f"{2 + n}x2x{2 + (h + 1) // 2}x4xf32", ops)


@pytest.mark.parametrize(
    ("split", "permutation", "moved", "ops"),
    [
        ("2x3x2x2x4", "0, 1, 3, 2, 4", "2x3x2x2x4", ["top.gather"]),
        ("2x3x4x2x2", "0, 1, 2, 4, 3", "2x3x4x2x2", ["top.gather"]),
        (
            "2x3x4x2x2",
            "0, 1, 4, 2, 3",
            "2x3x2x4x2",
            ["top.reshape", "top.transpose", "top.reshape"],
        ),
    ],
)
def test_shuffles_of_one_axis_are_gathers(piped, network, split, permutation, moved, ops):
    body = f"""
    %a = top.reshape "a" %x : ({T}) -> tensor<{split}xf32>
    %b = top.transpose "b" %a permutation = [{permutation}] : (tensor<{split}xf32>) -> tensor<{moved}xf32>
    %y = top.reshape "y" %b : (tensor<{moved}xf32>) -> {T}
    """
    folded(piped, network, body, "2x3x4x4xf32", ops)


def test_expansion_that_nothing_else_makes_stays(piped, network):
    body = f"""
    %m = top.slice "m" %x starts = [0, 0, 0, 0] sizes = [2, 3, 4, 1] steps = [1, 1, 1, 1] : ({T}) -> tensor<2x3x4x1xf32>
    %e = top.gather "e" %m axis = 3 indices = [0, 0, 0, 0] : (tensor<2x3x4x1xf32>) -> {T}
    %y = top.add "y" %e, %e : ({T}, {T}) -> {T}
    """
    ops = ["top.slice", "top.gather", "top.add"]
    folded(piped, network, body, "2x3x4x4xf32", ops)


def test_folding_again_changes_nothing(piped, network):
    body = f"""
    %a = top.concat "a" %x, %x axis = 1 : ({T}, {T}) -> tensor<2x6x4x4xf32>
    %y = top.slice "y" %a starts = [0, 1, 0, 0] sizes = [2, 4, 4, 4] steps = [1, 1, 1, 1] : (tensor<2x6x4x4xf32>) -> tensor<2x4x4x4xf32>
    """
    result = folded(piped, network, body, "2x4x4x4xf32", ["top.concat", "top.slice"])
    text = result.text
    again = result.then(PIPELINE)
    assert again.text == text
