"""The networks, the whole path: near ONNX Runtime's floats, and INT8 as near as ONNX Runtime's own INT8.

Outputs are those of the program on the simulator; intermediates are taken at the tpu level, whose outputs are the same
to the bit.
"""

import numpy as np
import pytest
from smalti.compiler.analysis.comparison import Difference
from smalti.passes.top_to_tpu.precision.schemes import Quantize

from tests.commit_seed import number_of_commit, runs_all, share_of_commit

from .accuracy import Accuracy, Case, count_products, measure
from .catalog import NETWORKS

QUICK = ("digits", "mnist", "cifar10", "blazeface", "gpt2_block", "detector", "segmenter")
KINDS = (
    ("mobilenet_v2",), ("squeezenet",), ("shufflenet",), ("resnet50",), ("densenet121",),
    ("inception_v1", "inception_v2"), ("alexnet", "vgg19", "zfnet512"), ("bert_layer", "bert_layer_opset11"),
)  # fmt: skip
SLOW = [name for kind in KINDS for name in share_of_commit(kind, len(kind))]
"""Of the larger networks that have the same layers one, another one with another commit."""

every_network = pytest.mark.parametrize(
    "case",
    [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)],
    indirect=True,
)

FLOAT_TOLERANCE = 1e-4
"""Largest error of an f32 output, as a part of its range."""
LEAST_SNR_DB: dict[Quantize, float] = {"f32": 80.0, "f16": 40.0, "bf16": 25.0}
LARGEST_LOSS_DB = 3.0
"""By how much INT8 may be worse than ONNX Runtime's, tensor by tensor."""


@pytest.mark.share(4)
@every_network
def test_floats(case: Case):
    """Every tensor, and the program's outputs: quick networks in each float type, each other one in one of the three,
    another with another commit.
    """
    name = case.network.name
    for quantize in LEAST_SNR_DB if name in QUICK else type_of_commit(name):
        found = measure(case, quantize)
        report(found, case)
        assert found.worst.snr_db >= LEAST_SNR_DB[quantize], quantize
        if quantize == "f32":
            assert found.output_error <= FLOAT_TOLERANCE
            continue
        judged = [output for name, output in found.outputs.items() if name in found.tensors]
        assert all(output.snr_db >= LEAST_SNR_DB[quantize] for output in judged), quantize


def type_of_commit(name: str) -> list[Quantize]:
    """Return the float type in which one of the larger networks is run, or all: each type for a third of them."""
    types = list(LEAST_SNR_DB)
    if runs_all():
        return types
    order = sorted(SLOW, key=number_of_commit)
    return [types[order.index(name) % len(types)]]


@pytest.mark.share(4)
@every_network
def test_int8(case: Case):
    """Every tensor that both have, the logits before a Softmax and without their mean."""
    found = measure(case, "int8")
    losses = found.losses()
    report(found, case)
    assert found.levels_differ == 0
    assert len(losses) >= count_products(case.model)
    worse = {name: loss for name, loss in losses.items() if loss > LARGEST_LOSS_DB}
    assert not worse


@pytest.mark.share(3)
def test_a_mask_leaves_the_scores():
    """-10000 in the place of later tokens' scores does not widen the 8-bit steps of all others."""
    case = Case(NETWORKS["gpt2_block"])
    found = measure(case, "int8")
    assert found.tensors["logits"].snr_db > 25
    assert case.yardstick["logits"].snr_db < 15  # what 8 bits for all leave


@pytest.mark.share(3)
def test_boxes_and_scores_keep_their_own_scales():
    """Boxes to 640 and scores below 1 in one output: ONNX Runtime's INT8 leaves the scores nothing."""
    case = Case(NETWORKS["detector"])
    _, program, _ = case.compile("int8", "default-8c")
    got, expected = program.run(case.inputs)["detections"], case.reference["detections"]
    assert expected[:, :4].max() > 600 and expected[:, 4:].max() <= 1
    for row in range(expected.shape[1]):
        assert Difference.between("", got[:, row], expected[:, row]).snr_db > 20


@pytest.mark.share(3)
def test_poles_of_a_segmenter_give_finite_numbers():
    case = Case(NETWORKS["segmenter"])
    _, program, _ = case.compile("int8", "default-8c")
    got = program.run(case.inputs)
    assert all(np.isfinite(value).all() for value in got.values())
    assert Difference.between("", got["log_shares"], case.reference["log_shares"]).snr_db > 35
    np.testing.assert_allclose(got["shares"].sum(axis=1), 1, atol=0.05)
    assert Difference.between("", got["vectors"], case.reference["vectors"]).snr_db > 24


def report(found: Accuracy, case: Case) -> None:
    """What was compared, and what was not."""
    worst = found.worst
    print(
        f"{case.network.name}: {len(found.tensors)} tensors compared, {found.absent} fused or folded away; "
        f"largest error {found.output_error:.1e} of the range, least SNR {worst.snr_db:.1f} dB ({worst.name})"
    )
    if found.yardstick:
        name, loss = max(found.losses().items(), key=lambda item: item[1])
        print(
            f"against ONNX Runtime's INT8: {len(found.losses())} tensors, worst by {loss:.2f} dB ({name})"
        )
