"""The levels as files: their text, their generic form under upstream MLIR, the pipeline as text, provenance."""

import contextlib
import io
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx
import pytest
from smalti.backends.instructions.instruction_set import BY_OPCODE
from smalti.backends.program import container
from smalti.compiler.compilation.pipelines import passes_of
from smalti.compiler.demo.digits import MODEL as DIGITS
from smalti.dialects import tile, top, tpu
from smalti.dialects.context import make_context
from smalti.dialects.ir.location import names_of
from smalti.dialects.ir.target_attribute import target_name_of
from smalti.dialects.ir.text.module_text import parse_module, print_module, read_module
from smalti.dialects.ir.weights import keys_used
from smalti.dialects.isa import InstructionOp
from smalti.dialects.level import NETWORK_LEVELS
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from smalti.tools import main as smalti_main
from smalti.tools import opt
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from .conftest import without_bound

LEVELS = ("top", "tpu", "tile", "isa")
STAGES = ("top", "tpu", "layers", "split", "tile", "isa")
"""The levels, and `tile` before it is tiled: a layer per op, then layers split over cores."""
LAYERS = {
    "layers": "convert-tpu-to-tile",
    "split": "convert-tpu-to-tile,tile-plan,tile-split-over-cores",
}


@dataclass(frozen=True)
class Compiled:
    """What `smalti compile --emit top,tpu,tile,isa,program --print-pipeline` left for a model `m.onnx`."""

    model: Path
    folder: Path
    pipeline: str

    def file(self, stage: str) -> Path:
        """The IR file of a stage."""
        return self.folder / f"m.{stage}.mlir"

    @property
    def program(self) -> Path:
        """The program file."""
        return self.folder / "m.smalti"


def call(main: Callable[[list[str]], int], *words: object) -> None:
    """Calls a command in this process; it must end well."""
    assert main([str(word) for word in words]) == 0, words


@pytest.fixture(scope="module", params=["small", "small-f32", "digits"])
def compiled(
    request: pytest.FixtureRequest,
    small_onnx: Path,
    small_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Compiled:
    """A network with the files of all its stages."""
    folder = tmp_path_factory.mktemp(request.param)
    small = request.param != "digits"
    model = small_onnx if small else DIGITS
    words = ["--calibration", small_data if small else "random:1"]
    if request.param == "small-f32":
        words = ["--quantize", "f32", "--target", "edge-1c"]
    words += ["--emit", "top,tpu,tile,isa,program", "-o", folder / "m.smalti"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        call(smalti_main.main, "compile", model, *words, "--print-pipeline")
    for stage, passes in LAYERS.items():
        call(opt.main, folder / "m.tpu.mlir", "-p", passes, "-o", folder / f"m.{stage}.mlir")
    return Compiled(model, folder, printed.getvalue().strip())


def read(path: Path) -> ModuleOp:
    """The module in a file, verified."""
    return read_module(path, make_context())


def ir_of(path: Path) -> str:
    """The text of a file without the note that compile writes at its end, which program it wrote with it."""
    text, note, _ = path.read_text().partition("\n{-#")
    assert not note or "sha256:" in path.read_text()[len(text) :]
    return text


@pytest.mark.share(3)
@pytest.mark.parametrize("stage", STAGES)
def test_text_of_every_stage_round_trips(compiled: Compiled, stage: str):
    path = compiled.file(stage)
    text = ir_of(path)
    module = read(path)
    assert print_module(module) == text
    for generic in (False, True):
        again = parse_module(print_module(module, generic=generic), make_context(), str(path))
        assert print_module(again) == text
        assert again.is_structurally_equivalent(module)
    # Without locations the rest stays what it is.
    bare = print_module(module, debug_info=False)
    assert print_module(parse_module(bare, make_context(), str(path)), debug_info=False) == bare


@pytest.fixture(scope="session")
def mlir_opt() -> str:
    """Upstream's mlir-opt, with or without a version in its name."""
    names = ["mlir-opt", *(f"mlir-opt-{version}" for version in range(30, 13, -1))]
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("mlir-opt is not installed (Debian: apt-get install mlir-19-tools)")
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_mlir_opt_reads_the_generic_form(
    compiled: Compiled, stage: str, mlir_opt: str, tmp_path: Path
):
    """What mlir-opt prints of it, with locations as aliases at the end, is the same module to us."""
    path = compiled.file(stage)
    module = read(path)
    generic = tmp_path / "generic.mlir"
    generic.write_text(print_module(module, generic=True))
    words = [mlir_opt, "--allow-unregistered-dialect", "--mlir-print-debuginfo", str(generic)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[:2000]
    # Read as if it stood beside the weights. SSA names are lost on the way; all else is there, locations too.
    back = parse_module(done.stdout, make_context(), str(path))
    assert nameless(back) == nameless(module)


def nameless(module: ModuleOp) -> str:
    """The text with locations and with values called by number."""
    for op in module.walk():
        for result in op.results:
            result.name_hint = None
        for region in op.regions:
            for block in region.blocks:
                for argument in block.args:
                    argument.name_hint = None
    return print_module(module)


@pytest.mark.share(3)
def test_the_printed_pipeline_reproduces_every_stage(compiled: Compiled, tmp_path: Path):
    """`smalti-opt -p` on the file of `smalti import` writes the same files.

    Weights that no pass changed stay in the file where they are, so levels above isa may name another file.
    """
    imported = tmp_path / "m.imported.mlir"
    call(smalti_main.main, "import", compiled.model, "-o", imported)
    passes = compiled.pipeline.split(",")
    ends = {
        "top": next(i for i, p in enumerate(passes) if p.startswith("convert-top-to-tpu")),
        "tpu": passes.index("convert-tpu-to-tile"),
        "layers": passes.index("convert-tpu-to-tile") + 1,
        "split": passes.index("tile-cut-to-local-memory"),
        "tile": passes.index("convert-tile-to-isa"),
        "isa": len(passes),
    }
    # Each starts from the imported file; of the larger network the levels are enough.
    chosen = ends if compiled.model != DIGITS else {s: ends[s] for s in ("tpu", "tile", "isa")}
    for stage, end in chosen.items():
        output = tmp_path / f"m.{stage}.mlir"
        call(opt.main, imported, "-p", ",".join(passes[:end]), "-o", output)
        assert without_file_name(output) == without_file_name(compiled.file(stage)), stage
        assert weights(output) == weights(compiled.file(stage)), stage
    assert ir_of(tmp_path / "m.isa.mlir") == ir_of(compiled.folder / "m.isa.mlir")
    name = "m.isa.safetensors"
    assert (tmp_path / name).read_bytes() == (compiled.folder / name).read_bytes()


def without_file_name(path: Path) -> str:
    """The text but for the name of the weight file."""
    return re.sub(r'(?<=smalti.weights = )"[^"]*"', '""', ir_of(path))


def weights(path: Path) -> dict[str, bytes]:
    """The weights that the IR in a file names, as bytes by key."""
    ctx = make_context()
    keys = keys_used(read_module(path, ctx).walk())
    return {key: ctx.weights.get(key).tobytes() for key in keys}


@pytest.mark.parametrize("stage", STAGES)
def test_compiling_from_any_stage_gives_the_same_program(
    compiled: Compiled, stage: str, tmp_path: Path
):
    output = tmp_path / "again.smalti"
    words: list[str] = []
    if stage == "top":
        # What is settled in IR of the levels below.
        target = target_name_of(read(compiled.file("isa")))
        words = ["--target", str(target), "--quantize", "f32" if target == "edge-1c" else "int8"]
    call(smalti_main.main, "compile", compiled.file(stage), *words, "-o", output)
    assert without_bound(output) == without_bound(compiled.program)
    assert (output.read_bytes() == compiled.program.read_bytes()) == (stage in NETWORK_LEVELS)


@pytest.mark.parametrize("level", LEVELS)
def test_passes_do_nothing_the_second_time(compiled: Compiled, level: str):
    """Each pass of a level, run on IR that has been through the level, leaves its text as it is."""
    ctx = make_context()
    module = read_module(compiled.file(level), ctx)
    before = print_module(module)
    for text in passes_of(level, target="default-8c", quantize="int8"):  # pyright: ignore[reportArgumentType]
        run_pipeline(ctx, module, parse_pipeline(text))
        assert print_module(module) == before, text


def test_disassembly_is_the_isa_file(compiled: Compiled, tmp_path: Path):
    output = tmp_path / "m.isa.mlir"
    call(smalti_main.main, "disassemble", compiled.program, "-o", output)
    assert output.read_text() == ir_of(compiled.file("isa"))


def onnx_names(model: Path) -> set[str]:
    """The names that locations may have: the nodes', and of nodes without one OpType_index."""
    nodes = onnx.load(model).graph.node
    return {node.name or f"{node.op_type}_{index}" for index, node in enumerate(nodes)}


COMPUTATION = (top.TopOp, tpu.TpuOp, tile.LayerOp, tile.CoreOp, tile.AllocOp, InstructionOp)


def computations(module: ModuleOp) -> list[Operation]:
    """Ops that stem from a node: not weights, whose tensors have no node."""
    return [
        op
        for op in module.walk()
        if isinstance(op, COMPUTATION) and not isinstance(op, top.WeightOp | tpu.WeightOp)
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_every_op_is_located_at_its_onnx_nodes(compiled: Compiled, stage: str):
    known = onnx_names(compiled.model)
    seen: set[str] = set()
    for op in computations(read(compiled.file(stage))):
        names = names_of(op.location)
        assert names, f"no location: {op}"
        assert set(names) <= known, op
        seen.update(names)
    # What computes something is still there at the bottom; constants are folded at import.
    expected = {
        names for op in computations(read(compiled.file("top"))) for names in names_of(op.location)
    }
    assert seen == expected


def test_names_are_unique_and_reach_the_debug_map(compiled: Compiled):
    names: set[str] = set()
    nodes: dict[str, tuple[str, ...]] = {}
    for stage in ("top", "tpu"):
        names = set()
        for op in read(compiled.file(stage)).walk():
            if isinstance(op, top.TopOp | tpu.TpuOp):
                name = op.result_name.data
                assert name not in names
                names.add(name)
                nodes[name] = tuple(names_of(op.location))
    program = container.load(compiled.program)
    for stream in program.streams:
        for word in stream:
            entry = program.origin(int(word["debug"]))
            instruction = BY_OPCODE[int(word["opcode"])]
            assert entry.op in names, (instruction.mnemonic, entry)
            assert entry.nodes == nodes[entry.op], (instruction.mnemonic, entry)
