"""Gathers of rows that indices name at run time, as embeddings are: on the whole path, against ONNX Runtime, and their
cycles against the lower bound.
"""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.simulator.simulate import simulate
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir

from .test_random_networks import Arrays, close, levels, same

KINDS = 40
RNG = np.random.default_rng(3)


def network(body: str, ids: str, table: np.ndarray, more: str = "") -> onnx.ModelProto:
    """A network of one body that reads `ids` and a constant `table`, and gives `y`; `more` are other inputs."""
    model = onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : 17]> g ({ids} ids{more}) => (y) {{ {body} }}'
    )
    model.graph.initializer.append(onnx.numpy_helper.from_array(table, "table"))
    return onnx.shape_inference.infer_shapes(model)


def table_of(*shape: int) -> np.ndarray:
    """Normal numbers in f32."""
    return RNG.normal(size=shape).astype(np.float32)


def check(model: onnx.ModelProto, given: Arrays, target: str = "edge-1c", calls: int = 0) -> None:
    """All levels give ONNX Runtime's numbers to the bit in f32, and the host has only so much to do."""
    expected = run_onnx(model, given)
    options = CompileOptions(target, None, "f32")
    for found, what in zip(levels(model, options, given), ("tpu", "tile", "program"), strict=True):
        same(found, expected, what)
    assert len(start_from_model(model, options).assemble().calls) == calls


SHAPES = {
    "rows": ("Gather(table, ids)", "int64[2,5]", (KINDS, 20), (2, 5)),
    "i32": ("Gather(table, ids)", "int32[1,9]", (KINDS, 64), (1, 9)),
    "one index": ("Gather(table, ids)", "int64", (KINDS, 20), ()),
    "numbers": ("Gather(table, ids)", "int64[7]", (KINDS,), (7,)),
    "one number": ("Gather(table, ids)", "int64", (KINDS,), ()),
    "rows of three axes": ("Gather(table, ids)", "int64[3]", (KINDS, 3, 2, 5), (3,)),
    "second axis": ("Gather <axis = 1> (table, ids)", "int64[2,3]", (1, KINDS, 6), (2, 3)),
}


@pytest.mark.parametrize("case", SHAPES)
@pytest.mark.parametrize("target", ["edge-1c", "default-8c"])
def test_shapes(case: str, target: str):
    """Tables and indices of several ranks; negative indices count from the end."""
    body, ids, shape, size = SHAPES[case]
    given = {"ids": np.asarray(RNG.integers(-KINDS, KINDS, size), "i4" if "32" in ids else "i8")}
    check(network(f"y = {body}", ids, table_of(*shape)), given, target)


def test_rows_that_no_local_memory_holds():
    """Rows are cut along their first axis."""
    given = {"ids": np.array([3, 0, 3])}
    check(network("y = Gather(table, ids)", "int64[3]", table_of(4, 300_000)), given)


def test_computed_tables_and_indices():
    """The table is an input or computed, and so are the indices, which stay in local memory or not."""
    body = "double = Add(x, x) z = Gather(double, ids) w = Gather(x, ids) y = Add(z, w)"
    model = network(body, "int64[2,5]", table_of(1), f", float[{KINDS},20] x")
    check(model, {"ids": RNG.integers(0, KINDS, (2, 5)), "x": table_of(KINDS, 20)})
    body = "next = Add(ids, ids) z = Gather(table, next) y = Add(z, z)"
    model = network(body, "int64[2,5]", table_of(2 * KINDS, 32))
    check(model, {"ids": RNG.integers(0, KINDS, (2, 5))}, "default-8c", calls=1)


@pytest.mark.parametrize("quantize", ["f16", "bf16", "int8"])
def test_types(quantize: str):
    """Rows are gathered as they are stored: of 8 bits where a product reads them."""
    body = "z = Gather(table, ids) t = Transpose <perm = [1, 0]> (table) y = MatMul(z, t)"
    model = network(body, "int64[1,6]", table_of(KINDS, 32))
    given = {"ids": RNG.integers(0, KINDS, (3, 6))}
    options = CompileOptions("default-8c", None, quantize, given if quantize == "int8" else None)  # pyright: ignore[reportArgumentType]
    tpu, tile, program = levels(model, options, given)
    same(tile, tpu, "tile")
    same(program, tpu, "program")
    parts = [run_onnx(model, {"ids": row[None]})["y"] for row in given["ids"]]
    close(program, {"y": np.concatenate(parts)}, 0.03, quantize)
    compilation = start_from_model(model, options)
    compilation.lower_to("tpu")
    assert 'tpu.gather "z"' in str(compilation.module)
    element = {"int8": "!quant.uniform<i8", "f16": "f16", "bf16": "bf16"}[quantize]
    line = next(each for each in str(compilation.module).splitlines() if "tpu.gather" in each)
    assert f"-> tensor<1x6x32x{element}" in line


def test_indices_that_name_no_row():
    """No level reads outside the table."""
    model = network("y = Gather(table, ids)", "int64[3]", table_of(KINDS, 20))
    compilation = start_from_model(model, CompileOptions("edge-1c", None, "f32"))
    for index in (KINDS, -KINDS - 1, 2**40):
        given = {"ids": np.array([0, index, 1])}
        for level in ("tpu", "tile"):
            compilation = start_from_model(model, CompileOptions("edge-1c", None, "f32"))
            compilation.lower_to(level)
            with pytest.raises(DiagnosticError, match=f"index {index} is out of range"):
                run_ir(compilation.module, compilation.ctx, given)
        with pytest.raises(DiagnosticError, match=f"index {index} .* the table has {KINDS} rows"):
            simulate(compilation.assemble(), given)


def test_cycles_of_an_embedding():
    """128 tokens of 30,522 words: only their rows are read, in little more time than the bus takes for them."""
    model = network("y = Gather(table, ids)", "int64[1,128]", table_of(30_522, 384))
    program = start_from_model(model, CompileOptions("default-8c", None, "f32")).compile()
    bound, timing = program.lower_bound, simulate(program, None, mode="timing").timing
    assert bound is not None and timing is not None
    rows = 128 * 384 * 4
    assert timing.bytes_read == rows + 128 * 8
    assert bound.cycles == pytest.approx(2 * rows / 128, rel=0.01)
    assert timing.cycles <= 1.2 * bound.cycles
