"""Methods of calibration: what they choose for known distributions, and what holds for all numbers."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.backends.numerics.quantization import activation_parameters
from smalti.compiler.calibration.clipping.analytic import aciq_gauss, aciq_laplace
from smalti.compiler.calibration.clipping.divergence import BINS, LEVELS, _divergence, entropy, kl
from smalti.compiler.calibration.clipping.extremes import maximum, min_max, percentile
from smalti.compiler.calibration.clipping.histogram import Histogram
from smalti.compiler.calibration.clipping.log_histogram import LogHistogram
from smalti.compiler.calibration.clipping.method import METHODS, method_named
from smalti.compiler.calibration.clipping.squared_error import mse
from smalti.compiler.calibration.clipping.statistics import Clip, Statistics

NAMES = [name.replace("P", "99.9") for name in METHODS]
NUMBERS = st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=60)


def statistics(values, histogram=LogHistogram) -> Statistics:
    made = Statistics(histogram())
    made.add(np.asarray(values, np.float32))
    return made


def error(values: np.ndarray, clip: Clip) -> float:
    """The mean squared error of 8 bits between the bounds of a clip."""
    scale, zero = activation_parameters(clip.low, clip.high)
    quantized = (np.clip(np.rint(values / scale) + zero, -128, 127) - zero) * scale
    return float(np.mean((quantized - values) ** 2))


@given(NUMBERS, st.sampled_from(NAMES))
@example([-3.799368013237453e16] * 3, "mse-i4")
def test_clips_are_sane(values, name):
    """Bounds are finite, the right way round and no wider than the numbers, whatever these are."""
    method = method_named(name)
    given_statistics = statistics(values, method.histogram or LogHistogram)
    clip = method.clip(given_statistics)
    largest = given_statistics.largest
    assert all(type(each) is float for each in (clip.threshold, clip.low, clip.high))
    assert 0 <= clip.threshold <= largest
    assert -largest <= clip.low <= clip.high <= largest
    if name != "max":
        assert given_statistics.low <= clip.low and clip.high <= given_statistics.high
    activation_parameters(clip.low, clip.high)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0.0, 3.0, -2.5])
def test_constant_tensors_keep_their_number(name, value):
    method = method_named(name)
    clip = method.clip(statistics([value] * 10, method.histogram or LogHistogram))
    assert (clip.threshold, clip.low, clip.high) == (abs(value), value, value)


def test_extremes():
    both, above = statistics([-1.0, 4.0]), statistics([0.5, 4.0])
    assert min_max(both) == Clip(4.0, -1.0, 4.0)
    assert maximum(both) == Clip(4.0, -4.0, 4.0)
    assert maximum(above) == Clip(4.0, 0.5, 4.0)


@pytest.mark.parametrize("percent", [99.99, 99.0, 50.0, 100.0])
def test_percentiles_are_those_of_numpy(percent):
    values = np.random.default_rng(0).normal(0.5, 1, 100_000).astype(np.float32)
    clip = percentile(statistics(values), percent)
    cut = 100 - percent
    near = {"rel": 1 / 128, "abs": 1e-3}
    assert clip.low == pytest.approx(np.percentile(values, cut / 2), **near)
    assert clip.high == pytest.approx(np.percentile(values, 100 - cut / 2), **near)
    assert clip.threshold == pytest.approx(np.percentile(np.abs(values), percent), **near)


@pytest.mark.parametrize("outlier", [1e3, 1e6, 1e30])
def test_percentiles_do_not_see_an_outlier(outlier):
    values = np.random.default_rng(0).normal(0, 1, 100_000).astype(np.float32)
    clip = percentile(statistics(np.append(values, outlier)), 99.99)
    assert clip.high == pytest.approx(np.percentile(values, 99.995), rel=1 / 64)


def test_a_percentile_of_zeros_is_0():
    assert percentile(statistics([0.0] * 9999 + [7.0]), 99).high == 0


@pytest.mark.parametrize("outlier", [500.0, 1e6, 1e30])
def test_mse_is_no_worse_than_min_max_with_an_outlier(outlier):
    values = np.append(np.random.default_rng(0).normal(0, 1, 200_000), outlier).astype(np.float32)
    found = statistics(values)
    wide = values.astype(np.float64)
    assert error(wide, mse(found)) <= 1.02 * error(wide, min_max(found))


@pytest.mark.parametrize("make", ["normal", "laplace", "relu", "uniform", "lognormal"])
def test_mse_is_near_the_best_that_a_search_finds(make):
    rng = np.random.default_rng(1)
    values = {
        "normal": rng.normal(0, 1, 20_000),
        "laplace": rng.laplace(0.3, 1, 20_000),
        "relu": np.maximum(rng.normal(0, 1, 20_000), 0),
        "uniform": rng.uniform(-1, 1, 20_000),
        "lognormal": rng.lognormal(0, 2, 20_000),
    }[make].astype(np.float32)
    shares = np.linspace(0.02, 1, 50)
    low, high = min(float(values.min()), 0.0), float(values.max())
    best = min(error(values, Clip(0, low * a, high * b)) for a in shares for b in shares)
    assert error(values, mse(statistics(values))) <= 1.03 * best


def test_aciq_clips_where_the_paper_does():
    """8 bits: 3.92 standard deviations of a Gaussian, 9.89 mean distances of a Laplace distribution (its table 1)."""
    rng = np.random.default_rng(2)
    normal, laplace = rng.normal(0, 1, 10**6), rng.laplace(0, 1, 10**6)
    assert aciq_gauss(statistics(normal)).threshold == pytest.approx(3.92, abs=0.03)
    assert aciq_laplace(statistics(laplace)).threshold == pytest.approx(9.89, abs=0.05)
    assert aciq_gauss(statistics(normal), bits=4).threshold == pytest.approx(2.55, abs=0.02)
    assert aciq_laplace(statistics(laplace), bits=4).threshold == pytest.approx(5.03, abs=0.03)
    assert aciq_gauss(statistics(np.maximum(normal, 0))).low == 0


@pytest.mark.parametrize("method", [kl, entropy, aciq_gauss])
def test_a_lone_outlier_does_not_set_the_range(method):
    rng = np.random.default_rng(3)
    values = np.append(rng.normal(0, 1, 10**6), 1000.0)
    histogram = LogHistogram if method is aciq_gauss else Histogram
    assert method(statistics(values, histogram)).high < 500


def test_kl_agrees_with_bins_counted_one_by_one():
    """The divergence of the choice is that of exact bins: joined bins are shared out to those that they overlap."""
    values = np.abs(np.random.default_rng(5).laplace(0, 1, 10**6)).astype(np.float32)
    largest = float(values.max())
    exact, _ = np.histogram(values, BINS, (0, largest))
    ends = range(LEVELS, BINS + 1, 8)
    losses = [_divergence(exact[:end], (0.0, exact[end:].sum()), LEVELS) for end in ends]
    best = largest * ends[int(np.argmin(losses))] / BINS
    assert kl(statistics(values, Histogram)).threshold == pytest.approx(best, rel=0.05)


@pytest.mark.parametrize("method", [kl, entropy])
def test_zeros_do_not_count_as_information(method):
    values = np.random.default_rng(4).normal(0, 1, 50_000)
    without = method(statistics(np.abs(values), Histogram))
    many = np.append(np.abs(values), np.zeros(10**6))
    assert method(statistics(many, Histogram)).high == without.high


@pytest.mark.parametrize(
    ("name", "words"),
    [("mes", "did you mean mse"), ("percentile:0", "no percentile"), ("percentile:x", "no percentile"),
     ("percentile:101", "no percentile"), ("best", "did you mean best-of"),
     ("none", "the methods are")],
)  # fmt: skip
def test_unknown_methods_are_diagnostics(name, words):
    with pytest.raises(DiagnosticError) as caught:
        method_named(name)
    assert words in str(caught.value)
