"""Products with vectors, which models do not have, as the import makes matrices of them, but IR may."""

from pathlib import Path

import numpy as np
import pytest
from smalti.compiler import load_program
from smalti.tools import main

IR = """\
func.func @main(%x: tensor<{x}xf32>, %w: tensor<{w}xf32>) -> tensor<{y}xf32> attributes
    {{smalti.inputs = ["x", "w"], smalti.outputs = ["y"]}} {{
  %y = top.matmul "y" %x, %w : (tensor<{x}xf32>, tensor<{w}xf32>) -> tensor<{y}xf32>
  func.return %y : tensor<{y}xf32>
}}
"""


@pytest.mark.parametrize(
    ("x", "w", "y"), [("16", "16x8", "8"), ("4x16", "16", "4"), ("3x4x16", "16", "3x4")]
)
def test_products_with_vectors_compile(tmp_path: Path, x: str, w: str, y: str):
    source, program = tmp_path / "v.top.mlir", tmp_path / "v.smalti"
    source.write_text(IR.format(x=x, w=w, y=y))
    assert main.main(["compile", str(source), "--quantize", "f32", "-o", str(program)]) == 0
    rng = np.random.default_rng(0)
    given = {
        name: rng.normal(size=[*map(int, shape.split("x"))]).astype(np.float32)
        for name, shape in (("x", x), ("w", w))
    }
    found = load_program(program).run(given)["y"]
    assert np.allclose(found, given["x"] @ given["w"], atol=1e-5)
