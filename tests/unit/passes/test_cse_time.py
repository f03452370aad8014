"""Merging n equal ops takes a number of steps that grows with n, not with its square."""

from __future__ import annotations

import sys
from types import FrameType

from smalti.dialects.context import make_context
from smalti.dialects.ir.location import names_of
from smalti.dialects.ir.text.module_text import parse_module
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline


def merge(count: int) -> int:
    """Merge `count` equal ops, and return how many calls of Python functions that took."""
    type = "tensor<4xf32>"
    ops = "\n".join(
        f'  %r{i} = top.relu "r{i}" %x : ({type}) -> {type} loc("node{i}")\n'
        f'  %s{i + 1} = top.add "s{i + 1}" %s{i}, %r{i} : ({type}, {type}) -> {type}'
        for i in range(count)
    )
    text = f"func.func @main(%s0: {type}, %x: {type}) -> {type} {{\n{ops}\n  func.return %s{count} : {type}\n}}"
    ctx = make_context()
    module = parse_module(text, ctx)
    calls = 0

    def counted(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(counted)
    try:
        run_pipeline(ctx, module, parse_pipeline("cse"))
    finally:
        sys.setprofile(None)
    (kept,) = [op for op in module.walk() if op.name == "top.relu"]
    assert names_of(kept.location) == [f"node{i}" for i in range(count)]
    return calls


def test_steps_grow_with_the_number_of_ops():
    merge(8)
    few, many = merge(100), merge(400)
    assert many < 5 * few
