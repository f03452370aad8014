"""What AIMET makes of the CIFAR-10 network: run by a Python that has aimet-onnx, which wants packages of its own.

`python tests/networks/aimet_peer.py MODEL IMAGES.npz WEIGHT_BITS ITERATIONS LOGITS.npy`: the model, its `calibration`
and `test` images, bits of weights (activations have 8), the iterations of AdaRound for each layer (0 for none), and the
file for the logits of the test images. Prints the seconds of processor time. Ranges are those of least squared error,
weights have a scale for each output.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import onnx


def main(model: str, images: str, bits: str, iterations: str, logits: str) -> None:
    """Quantize, and write the logits."""
    import aimet_onnx  # pyright: ignore[reportMissingImports]
    from aimet_onnx.batch_norm_fold import (  # pyright: ignore[reportMissingImports]
        fold_all_batch_norms_to_weight,
    )

    with np.load(images, allow_pickle=False) as data:
        calibration, test = data["calibration"], data["test"]
    network = onnx.load(model)
    name = network.graph.input[0].name
    batches = [{name: image[None]} for image in calibration]
    start = time.process_time()
    network = onnx.version_converter.convert_version(network, 17)
    fold_all_batch_norms_to_weight(network)
    sim = aimet_onnx.QuantizationSimModel(
        network,
        param_type=f"int{bits}",
        activation_type="int8",
        quant_scheme="tf_enhanced",
    )
    if int(iterations):
        aimet_onnx.apply_adaround(sim, batches, num_iterations=int(iterations))
    sim.compute_encodings(batches)
    seconds = time.process_time() - start
    np.save(logits, np.concatenate([sim.session.run(None, {name: x[None]})[0] for x in test]))
    print(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
