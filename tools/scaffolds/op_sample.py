"""The texts that an op of one's own starts from, from the ONNX node to the instruction, and the tests of each level."""

from __future__ import annotations

from string import Template

from .op_name import words_of_op
from .plugin_package import Contents

_NUMERICS = '''\
"""What the op computes, for integers and floats: interpreters and the simulator call it."""

from __future__ import annotations

import numpy as np
from smalti.backends.numerics.device.tile_buffer import padded, shaped


def $stem(x: np.ndarray, zero_point: int) -> np.ndarray:
    """TODO: what the op computes; now max(x, 0), where the stored `zero_point` stands for 0."""
    return np.maximum(x, x.dtype.type(zero_point))


def ${stem}_of_tile(
    x: np.ndarray,
    *,
    type: str,
    rows: int,
    columns: int,
    in_pitch: int,
    out_pitch: int,
    zero_point: int = 0,
) -> np.ndarray:
    """Compute out[rows, out_pitch] from x[rows, in_pitch]; the zero point fills the padding."""
    values = shaped(x, (rows, in_pitch), "x", type)[..., :columns]
    return padded($stem(values, zero_point), out_pitch, zero_point)
'''

_DIALECT = '''\
"""The dialect `$dialect`: the op at the levels top, tpu and tile."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from smalti.dialects import tile, tpu
from smalti.dialects.ir.attribute import Integer, integer
from smalti.dialects.ir.field import buffer, operand, prop
from smalti.dialects.network.shape import Shape
from smalti.dialects.network.tensor_op import Arrays
from smalti.dialects.network.traits import CanStayFloat, KeepsLayout
from smalti.dialects.quant.element_type import shape_of
from smalti.dialects.quant.number_format import NumberFormat
from smalti.dialects.tile.checks import check_rows, check_storage, storage_of
from smalti.dialects.tile.core_op import Translation
from smalti.dialects.tile.instruction_fields import row_fields
from smalti.dialects.top.top_op import TopOp
from xdsl.ir import Dialect, SSAValue
from xdsl.irdl import irdl_op_definition, traits_def

from .numerics import $stem


@irdl_op_definition
class ${cls}Op(TopOp):
    """TODO: what the op computes; now max(input, 0).

    %y = $dialect.$stem "y" %x : (tensor<1x4xf32>) -> tensor<1x4xf32>
    """

    name = "$dialect.$stem"
    # TODO: how it may be quantized: see smalti.dialects.network.traits, which has FixedQuantization
    # and RoundsResult, too. Without them the result has the scale of the input.
    traits = traits_def(CanStayFloat())
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return $stem(operands[0], 0)


@irdl_op_definition
class Tpu${cls}Op(tpu.TpuOp):
    """The op on stored numbers: floats, or integers of one scale for input and result.

    %y = $dialect.tpu_$stem "y" %x : (tensor<1x4xf32>) -> tensor<1x4xf32>
    """

    name = "$dialect.tpu_$stem"
    # TODO: how tensors should lie: KeepsLayout for what is element-wise, ChannelLast or RowMajor.
    traits = traits_def(KeepsLayout())
    input: SSAValue = operand()

    def expected_shape(self) -> Shape:
        return shape_of(self.input)

    def evaluate(self, operands: Arrays) -> np.ndarray:
        return $stem(operands[0], NumberFormat.of(self.input.type).zero_point)


@irdl_op_definition
class Tile${cls}Op(tile.CoreOp):
    """The op on rows (last axis) of `columns` elements.

    $dialect.tile_$stem core 0 %x -> %y columns = 5 zero_point = -4 :
        memref<2x16xi8, "local"> -> memref<2x16xi8, "local">
    """

    name = "$dialect.tile_$stem"
    columns: Integer = prop(converter=integer)
    zero_point: Integer = prop(converter=integer, default=0)
    x: SSAValue = buffer()
    out: SSAValue = buffer()
    DESTINATION: ClassVar[str | None] = "out"

    def verify_fields(self) -> None:
        check_rows(self)
        check_storage("out", self.out, storage_of(self.x))

    def instruction(self) -> Translation:
        fields = {
            "type": storage_of(self.x),
            **row_fields(self),
            "zero_point": self.zero_point.value.data,
        }
        return "${dialect}_$stem", fields, {"x": self.x, "out": self.out}


OPS = [${cls}Op, Tpu${cls}Op, Tile${cls}Op]
$constant = Dialect("$dialect", OPS, [])
'''

_IMPORTING = '''\
"""How the node $domain.$cls of an ONNX model becomes the op."""

from __future__ import annotations

from smalti.compiler.onnx_import.graph.builder import GraphBuilder
from smalti.compiler.onnx_import.graph.node import Node
from smalti.compiler.onnx_import.graph.value import Value

from .dialect import ${cls}Op


def import_$stem(node: Node, builder: GraphBuilder) -> list[Value]:
    """$domain.$cls(x). TODO: attributes, such as node.real("beta", 1.0)."""
    return [builder.emit(${cls}Op, node.output, node.input(0))]
'''

_CONVERSION = '''\
"""From top to tpu: which form of its operand the op takes, and in which it gives its result."""

from __future__ import annotations

from smalti.passes.top_to_tpu.tpu_builder import TpuBuilder

from .dialect import $two_classes


def convert(builder: TpuBuilder, op: ${cls}Op) -> None:
    """Convert to integers in int8, where the result has the input's scale, else to floats."""
    is_float = not builder.quantizes or op.output in builder.float_results
    x = builder.as_float(op.input) if is_float else builder.as_quantized(op.input)
    made = builder.add(Tpu${cls}Op(op.result_name.data, x))
    builder.set_form(op.output, made.output)
'''

_TILER = '''\
"""How layers of the op are cut: what a tile loads and stores, what computes it, its cost."""

from __future__ import annotations

from smalti.passes.tile.tiler_bases.box_tiler import BoxTiler
from smalti.passes.tile.tiler_bases.constants import Constants
from smalti.passes.tile.tiler_bases.emitter import Emitter
from smalti.passes.tiling.windows import Window, sizes_of

from .dialect import Tile${cls}Op
from .instruction import OPERATIONS


class ${cls}Tiler(BoxTiler):
    """Tiles layers of the op, of which any box can be computed by itself."""

    def vector_cycles(self, window: Window) -> int:
        elements = self.elements_of(sizes_of(window))
        return self.costs.vector_cycles(self.layer.output.storage, elements, OPERATIONS)

    def emit_tile(self, window: Window, emitter: Emitter, constants: Constants) -> None:
        layer, sizes = self.layer, sizes_of(window)
        pitch = self.pitch_of(sizes)
        x = self.load_kept(emitter, 0, window, self.order, pitch)
        out = emitter.alloc(self.local_shape(sizes), layer.output.storage, name="out")
        fields = {"columns": sizes[self.order[-1]], "zero_point": layer.result.zero_point}
        emitter.compute(Tile${cls}Op, [x, out], fields)
        self.store(emitter, out, window, pitch)
'''

_INSTRUCTION = '''\
"""The machine instruction: its fields, its function, its cycles, the bytes that it touches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalti.backends.instructions.access import Access, Operand, local, local_rows
from smalti.backends.instructions.fields import ROWS, address, integer, storage
from smalti.backends.instructions.instruction import Instruction
from smalti.backends.instructions.rules import PITCHES
from smalti.backends.numerics.storage import bytes_of
from smalti.backends.targets import cycles as formulas
from smalti.backends.targets.target import Target

from .numerics import ${stem}_of_tile

OPERATIONS = 1
"""TODO: how many operations of the vector unit an element takes."""


class ${cls}(Instruction):
    """TODO: what it computes; now the greater of x and the zero point, in rows.

    v0: ${dialect}_$stem x=0x0, out=0x100, type=i8, rows=2, columns=5, in_pitch=16,
        out_pitch=16, zero_point=-4
    """

    # Numbers from 256 on are free for plugins; those that are loaded together need different ones.
    mnemonic, opcode, engine = "${dialect}_$stem", 256, "vector"
    numerics = staticmethod(${stem}_of_tile)
    fields = (
        address("x"),
        address("out"),
        storage("type"),
        *ROWS,
        integer("zero_point", "<i2", "storage value", 0),
    )
    rules = PITCHES

    @staticmethod
    def cycles(f: Mapping[str, Any], target: Target) -> int:
        return formulas.vector_cycles(target, f["type"], f["rows"] * f["out_pitch"], OPERATIONS)

    @staticmethod
    def accesses(f: Mapping[str, Any]) -> tuple[Access, ...]:
        return (
            local_rows(f["x"], f["rows"], f["in_pitch"], f["columns"], f["type"]),
            local(f["out"], bytes_of(f["rows"] * f["out_pitch"], f["type"]), write=True),
        )

    @staticmethod
    def reads(f: Mapping[str, Any]) -> tuple[Operand, ...]:
        return (Operand("x", f["rows"] * f["in_pitch"], f["type"]),)
'''

_PLUGIN = """\
from smalti.compiler import Plugin

from .conversion import convert
from .dialect import $constant, $two_classes
from .importing import import_$stem
from .instruction import $cls
from .tiler import ${cls}Tiler

PLUGIN = Plugin(
    dialects={"$dialect": lambda: $constant},
    importers={"$domain.$cls": import_$stem},
    conversions={${cls}Op: convert},
    tilers={Tpu${cls}Op: ${cls}Tiler},
    instructions=[$cls],
)
"""

_OPS = """\
// Written by hand. The op of each level is printed as it is read, in both forms of the text.
// RUN: smalti-opt %s --split-input-file --load-plugin=PACKAGE | filecheck %s
// RUN: smalti-opt %s --split-input-file --load-plugin=PACKAGE --mlir-print-op-generic -o %t.mlir
// RUN: smalti-opt %t.mlir --split-input-file --load-plugin=PACKAGE | filecheck %s

func.func @top_and_tpu(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %a = $dialect.$stem "a" %x : (tensor<1x4xf32>) -> tensor<1x4xf32>
  %b = $dialect.tpu_$stem "b" %a : (tensor<1x4xf32>) -> tensor<1x4xf32>
  func.return %b : tensor<1x4xf32>
}
// CHECK: %a = $dialect.$stem "a" %x : (tensor<1x4xf32>) -> tensor<1x4xf32>
// CHECK: %b = $dialect.tpu_$stem "b" %a : (tensor<1x4xf32>) -> tensor<1x4xf32>

// -----

tile.program @main {
  %x = tile.alloc core 0 : memref<2x16xi8, "local">
  $dialect.tile_$stem core 0 %x -> %x columns = 5 zero_point = -4 : memref<2x16xi8, "local"> -> memref<2x16xi8, "local">
}
// CHECK: $dialect.tile_$stem core 0 %x -> %x columns = 5 zero_point = -4 :
"""

_LEVELS = """\
// Written by hand. The op becomes that of the next level, down to its instruction, in int8.
// RUN: smalti compile %s --load-plugin=PACKAGE --calibration random:0 --emit tpu,tile,isa,program -o %t.smalti
// RUN: cat %t.tpu.mlir | filecheck %s --check-prefix=TPU
// RUN: cat %t.tile.mlir | filecheck %s --check-prefix=TILE
// RUN: cat %t.isa.mlir | filecheck %s --check-prefix=ISA
// RUN: smalti run %t.smalti --load-plugin=PACKAGE --mode timing | filecheck %s --check-prefix=TIMING

func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> \
attributes {smalti.inputs = ["x"], smalti.outputs = ["y"]} {
  %y = $dialect.$stem "y" %x : (tensor<1x4xf32>) -> tensor<1x4xf32>
  func.return %y : tensor<1x4xf32>
}

// TPU: [[X:%.*]] = tpu.cast "x_i8" %x : (tensor<1x4xf32>) -> tensor<1x4x[[TYPE:!quant.uniform<.*>]]>
// TPU: %y = $dialect.tpu_$stem "y" [[X]] : (tensor<1x4x[[TYPE]]>) -> tensor<1x4x[[TYPE]]>

// TILE: $dialect.tile_$stem core 0 {{.*}} columns = 4

// ISA: ${dialect}_$stem x=0x{{.*}}, type=i8, rows=1, columns=4

// TIMING: cycles
"""

_TEST = '''\
"""A node of the ONNX domain goes the whole way, and every level computes the same."""

from pathlib import Path

import numpy as np
import onnx
import onnx.helper as oh
import pytest
from smalti.tools.main import main

SHAPE = [2, 20, 9, 7]


def expected(x: np.ndarray) -> np.ndarray:
    """TODO: what the node computes, said again without the plugin; now max(x, 0)."""
    return np.where(x > 0, x, np.float32(0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model of one node, and inputs."""
    node = oh.make_node("$cls", ["x"], ["y"], "it", domain="$domain")
    ports = [oh.make_tensor_value_info(name, onnx.TensorProto.FLOAT, SHAPE) for name in "xy"]
    graph = oh.make_graph([node], "own", ports[:1], ports[1:])
    sets = [oh.make_opsetid("", 17), oh.make_opsetid("$domain", 1)]
    onnx.save(oh.make_model(graph, opset_imports=sets, ir_version=8), tmp_path / "m.onnx")
    x = np.random.default_rng(0).normal(size=[4 * SHAPE[0], *SHAPE[1:]])
    np.savez(tmp_path / "x.npz", x=x.astype(np.float32))
    return tmp_path


def call(*words: object) -> None:
    """Run `smalti` with the plugin loaded."""
    assert main([*map(str, words), "--load-plugin=PACKAGE"]) == 0


@pytest.mark.parametrize("target", ["edge-1c", "default-8c"])
@pytest.mark.parametrize("quantize", ["int8", "f32"])
def test_levels(folder: Path, quantize: str, target: str) -> None:
    """The levels compute the same, within a step of the expected numbers."""
    calibration = ["--calibration", folder / "x.npz"] if quantize == "int8" else []
    options = ["--quantize", quantize, "--target", target, *calibration]
    emit = ["--emit", "tpu,tile,program", "-o", folder / "m.smalti"]
    call("compile", folder / "m.onnx", *options, *emit)
    inputs = ["--inputs", folder / "x.npz"]
    results = []
    for level in ("tpu.mlir", "tile.mlir", "smalti"):
        file = folder / f"{level}.npz"
        call("run", folder / f"m.{level}", *inputs, "--outputs", file)
        results.append(np.load(file)["y"])
    for found in results[1:]:
        np.testing.assert_array_equal(found, results[0])
    x = np.load(folder / "x.npz")["x"]
    step = (x.max() - x.min()) / 255 if quantize == "int8" else 0
    np.testing.assert_allclose(results[0], expected(x), rtol=1e-5, atol=step)
'''


def op_contents(op: str) -> Contents:
    """Return what a plugin package with a new op of every level has in it; `op` is its name with its dialect, such as
    mine.hard_gate.

    Raises DiagnosticError if the name is not that of an op, or Smalti has a dialect of that name.
    """
    words = words_of_op(op)
    # As the imports of the package are sorted.
    words["two_classes"] = ", ".join(sorted((f"{words['cls']}Op", f"Tpu{words['cls']}Op")))

    def filled(text: str) -> str:
        return Template(text).substitute(words)

    return Contents(
        summary=f"A plugin for Smalti with the op {op}.",
        plugin=filled(_PLUGIN),
        files={
            "numerics.py": filled(_NUMERICS),
            "dialect.py": filled(_DIALECT),
            "importing.py": filled(_IMPORTING),
            "conversion.py": filled(_CONVERSION),
            "tiler.py": filled(_TILER),
            "instruction.py": filled(_INSTRUCTION),
        },
        golden={"ops": filled(_OPS), "levels": filled(_LEVELS)},
        tests={"test_node.py": filled(_TEST)},
    )
