"""MobileNetV2 at 224x224 (Sandler et al. 2018, table 2) with seeded weights and batch norms that are not folded."""

from __future__ import annotations

from onnx import ModelProto

from . import weights
from .graph import Graph, tensor
from .images import smooth_images

# Expansion t, channels c, repeats n, stride s of each stage.
STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
SIZE = 224


def mobilenet_v2(seed: int = 0) -> ModelProto:
    """The classifier of 1,000 classes: `image` [batch, 3, 224, 224] → `logits` [batch, 1000]; opset 13."""
    graph = Graph(seed)
    low, high = graph.scalar("relu6.low", 0.0), graph.scalar("relu6.high", 6.0)

    def convolution(
        x: str, name: str, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1,
        *, activates: bool = True,
    ) -> str:  # fmt: skip
        fan_in = inputs // groups * kernel**2
        shape = (outputs, inputs // groups, kernel, kernel)
        weight = graph.add(weights.he_normal(seed, f"{name}.weight", shape, fan_in))
        border = kernel // 2
        y = graph.op(
            "Conv", [x, weight], f"{name}/Conv", kernel_shape=[kernel, kernel], strides=[stride, stride],
            pads=[border] * 4, group=groups,
        )  # fmt: skip
        scale = graph.add(weights.factor(seed, f"{name}.bn.scale", (outputs,)))
        shift = graph.add(weights.bias(seed, f"{name}.bn.bias", (outputs,)))
        mean = graph.add(weights.bias(seed, f"{name}.bn.mean", (outputs,)))
        variance = graph.add(weights.factor(seed, f"{name}.bn.var", (outputs,)))
        norm = [y, scale, shift, mean, variance]
        y = graph.op("BatchNormalization", norm, f"{name}/BatchNormalization")
        return graph.op("Clip", [y, low, high], f"{name}/Clip") if activates else y

    x, channels = convolution("image", "features.0", 3, 32, 3, 2), 32
    block = 0
    for expansion, outputs, repeats, first_stride in STAGES:
        for repeat in range(repeats):
            block += 1
            name, stride = f"features.{block}", first_stride if repeat == 0 else 1
            hidden, y = channels * expansion, x
            if expansion != 1:
                y = convolution(y, f"{name}.expand", channels, hidden, 1)
            y = convolution(y, f"{name}.depthwise", hidden, hidden, 3, stride, hidden)
            y = convolution(y, f"{name}.project", hidden, outputs, 1, activates=False)
            residual = stride == 1 and channels == outputs
            x, channels = (graph.op("Add", [x, y], f"{name}/Add") if residual else y), outputs
    x = convolution(x, f"features.{block + 1}", channels, 1280, 1)
    x = graph.op("GlobalAveragePool", [x], "pool/GlobalAveragePool")
    x = graph.op("Flatten", [x], "pool/Flatten", axis=1)
    weight = graph.add(weights.he_normal(seed, "classifier.weight", (1000, 1280), 1280))
    bias = graph.add(weights.bias(seed, "classifier.bias", (1000,)))
    graph.op("Gemm", [x, weight, bias], "logits", transB=1)
    model = graph.model(
        "mobilenet_v2",
        [tensor("image", "batch", 3, SIZE, SIZE)],
        [tensor("logits", "batch", 1000)],
        opset=13,
    )
    weights.set_batch_norm_statistics(model, {"image": smooth_images(4, 3, SIZE, SIZE, seed=seed)})
    return model
