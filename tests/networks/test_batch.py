"""A batch of N gives the results of N samples one by one, whatever batch the model was exported with."""

import numpy as np
import pytest
from smalti.backends.program.program import Program
from smalti.backends.simulator.simulate import simulate
from smalti.compiler.calibration.ranges import calibrate
from smalti.compiler.calibration.samples import load_calibration_data
from smalti.compiler.compilation.compilation import Compilation, start_from_model
from smalti.compiler.compilation.compile_options import CompileOptions
from smalti.passes.top.annotate_calibration import annotate
from smalti.passes.top.calibration_table import table_of
from smalti.passes.top_to_tpu.precision.schemes import Quantize

from tests.commit_seed import share_of_commit

from .accuracy import Case

FLOAT_TOLERANCE = 1e-6
"""Of an f32 output's range: a product of other sizes may add in another order."""

Ranges = dict[str, tuple[float, float]]


def compiled(case: Case, batch: int, quantize: Quantize, ranges: Ranges) -> Program:
    """The network for a batch, with the ranges that were found at a batch of 1: `ranges`, filled if it is empty."""
    compilation = start_from_model(
        case.model, CompileOptions(), batch=batch, symbols=case.network.symbols
    )
    compilation.lower_to("top")
    module, ctx = compilation.module, compilation.ctx
    if quantize == "int8":
        ranges.update(
            ranges
            or calibrate(module, ctx.weights, load_calibration_data(case.calibration, module))
        )
        annotate(module, table_of(ranges).rows)
    return Compilation(module, ctx, CompileOptions(quantize=quantize)).assemble()


def check(case: Case, batch: int, quantize: Quantize) -> None:
    inputs = case.network.data(batch, 7)
    ranges: Ranges = {}
    single = simulate(compiled(case, 1, quantize, ranges), inputs).outputs
    together = simulate(compiled(case, batch, quantize, ranges), inputs).outputs
    assert single is not None and together is not None
    for name, value in single.items():
        # The batch may be folded into an axis together with others, as it is in the rows of a matrix product.
        got = together[name].reshape(value.shape)
        tolerance = 0.0 if quantize == "int8" else FLOAT_TOLERANCE * np.ptp(value)
        np.testing.assert_allclose(got, value, rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.share(4)
@pytest.mark.parametrize("case", ["digits", "mnist", "detector", "gpt2_block"], indirect=True)
@pytest.mark.parametrize(("batch", "quantize"), [(2, "int8"), (3, "int8"), (4, "f32")])
def test_batch(case: Case, batch: int, quantize: Quantize):
    check(case, batch, quantize)


LARGE = (
    "cifar10", "blazeface", "bert_layer", "mobilenet_v2", "squeezenet", "shufflenet", "resnet50",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", share_of_commit(LARGE, 2), indirect=True)
def test_batch_of_large_networks(case: Case):
    """Shapes with a batch of 1 in them are rewritten. Half of the networks, another one with each commit."""
    check(case, 2, "int8")
