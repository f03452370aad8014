"""Every network by name: how to make its model, and data for its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto

from ..shared_files import ROOT, SHARED
from .heads import DETECTION_SIZE, SEGMENTATION_SIZE, detector, segmenter
from .images import smooth_images
from .light import TOPOLOGIES, light_model
from .mobilenet import SIZE, mobilenet_v2
from .transformer import (
    BERT_HIDDEN,
    GPT2_SMALL_HIDDEN,
    GPT_HIDDEN,
    bert_base,
    bert_layer,
    gpt2_block,
    gpt2_small,
)

CIFAR_MEAN = np.array([125.3, 123.0, 113.9], np.float32).reshape(1, 3, 1, 1)
CIFAR_STD = np.array([63.0, 62.1, 66.7], np.float32).reshape(1, 3, 1, 1)

Data = dict[str, np.ndarray]


@dataclass(frozen=True)
class Network:
    """A network and data for it.

    `make(seed)` gives the model; one from a file ignores the seed. `data(samples, seed)` gives inputs by name, samples
    one after the other along axis 0. `symbols` are the sizes at which its symbolic dimensions are measured, a batch
    of 1. `class_axis` is that of a classifier's classes in its logits. `file` is the model's file, which need not be
    here.
    """

    name: str
    make: Callable[[int], ModelProto]
    data: Callable[[int, int], Data]
    symbols: Mapping[str, int] = field(default_factory=dict)
    class_axis: int | None = 1
    file: Path | None = None

    @property
    def is_here(self) -> bool:
        """Whether its file is, where it comes from one."""
        return self.file is None or self.file.is_file()


def _images(name: str, channels: int, size: int) -> Callable[[int, int], Data]:
    return lambda samples, seed: {name: smooth_images(samples, channels, size, size, seed)}


def _tokens(name: str, sequence: int, size: int) -> Callable[[int, int], Data]:
    """Normal numbers, as the residual stream of a transformer is after its normalization."""

    def make(samples: int, seed: int) -> Data:
        rng = np.random.default_rng([seed, samples])
        return {name: rng.standard_normal((samples, sequence, size), dtype=np.float32)}

    return make


def _pixels(name: str, low: float, high: float, channels: int, size: int):
    """Images cut to the range of an input, most of it used."""

    def make(samples: int, seed: int) -> Data:
        images = smooth_images(samples, channels, size, size, seed)
        return {name: np.clip((images + 2) / 4, 0, 1) * np.float32(high - low) + np.float32(low)}

    return make


def _digits(samples: int, seed: int) -> Data:
    from smalti.compiler.demo.digits import load_images

    calibration, test, _ = load_images()
    return {"image": _choose(np.concatenate([calibration, test]), samples, seed)}


def _cifar10(samples: int, seed: int) -> Data:
    """Calibration photographs where they are here, else seeded images."""
    path = SHARED / "models" / "cifar10.npz"
    if not path.is_file():
        return {"input": smooth_images(samples, 3, 32, 32, seed)}
    with np.load(path, allow_pickle=False) as arrays:
        images = arrays["calibration_images"]
    return {"input": (_choose(images, samples, seed) - CIFAR_MEAN) / CIFAR_STD}


def _choose(images: np.ndarray, samples: int, seed: int) -> np.ndarray:
    return images[np.random.default_rng(seed).permutation(len(images))[:samples]]


def _from_file(
    name: str, file: Path, data: Callable[[int, int], Data], class_axis: int | None = 1
) -> Network:
    return Network(name, lambda seed: onnx.load(file), data, class_axis=class_axis, file=file)


_LIGHT_INPUTS = {
    "resnet50": "gpu_0/data_0", "shufflenet": "gpu_0/data_0", "zfnet512": "gpu_0/data_0",
}  # fmt: skip


def _light(topology: str) -> Network:
    data = _images(_LIGHT_INPUTS.get(topology, "data_0"), 3, 224)
    return Network(topology.removeprefix("bvlc_"), partial(light_model, topology), data)


_ALL = [
    _from_file("digits", ROOT / "compiler" / "demo" / "digits_mobilenet.onnx", _digits),
    _from_file("mnist", SHARED / "models" / "mnist.onnx", _pixels("Input3", 0, 255, 1, 28)),
    _from_file("cifar10", ROOT / "tests" / "data" / "cifar10_mobilenetv2.onnx", _cifar10),
    _from_file(
        "blazeface", SHARED / "models" / "blazeface.onnx", _pixels("x.1", -1, 1, 3, 128), None
    ),
    *[_light(topology) for topology in TOPOLOGIES],
    Network("mobilenet_v2", mobilenet_v2, _images("image", 3, SIZE)),
    Network("bert_layer", bert_layer, _tokens("hidden", 128, BERT_HIDDEN), {"sequence": 128}, None),
    Network(
        "bert_layer_opset11",
        partial(bert_layer, opset=11),
        _tokens("hidden", 128, BERT_HIDDEN),
        {"sequence": 128},
        None,
    ),
    Network("detector", detector, _images("image", 3, DETECTION_SIZE), class_axis=None),
    Network("segmenter", segmenter, _images("image", 3, SEGMENTATION_SIZE), class_axis=None),
    Network("gpt2_block", gpt2_block, _tokens("embedding", 32, GPT_HIDDEN), {"sequence": 32}, -1),
]
NETWORKS: dict[str, Network] = {network.name: network for network in _ALL}
"""The networks that Smalti is measured on, by name."""

_MEASURED_ALONE = [
    Network("bert_base", bert_base, _tokens("hidden", 128, BERT_HIDDEN), {"sequence": 128}, None),
    Network(
        "gpt2_small", gpt2_small, _tokens("embedding", 1, GPT2_SMALL_HIDDEN), {"sequence": 1}, -1
    ),
]
LARGER = {network.name: network for network in _MEASURED_ALONE}
"""Networks of which only the cycles are measured: nothing in them is new to the comparison with ONNX Runtime."""
