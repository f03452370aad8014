"""Products and convolutions that ONNX Runtime has fused with what stands around them."""

import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler import import_model

from .one_node import check, floats, model_of


@pytest.mark.parametrize(
    ("left", "right", "attributes"),
    [
        ((2, 4, 3), (2, 5, 4), {"transA": 1, "transB": 1, "alpha": 0.3}),
        ((4, 2, 3), (2, 3, 5), {"transBatchA": 1}),
        ((2, 4, 3), (3, 2, 5), {"transBatchB": 1}),
        ((2, 3), (3, 5), {"alpha": 2.0}),
    ],
)
def test_transposed_operands(left, right, attributes):
    check("FusedMatMul", {"a": floats(*left), "b": floats(*right)}, {}, "a b", **attributes)


@pytest.mark.parametrize(
    ("activation", "parameters"),
    [
        ("Relu", []),
        ("Sigmoid", []),
        ("Tanh", []),
        ("LeakyRelu", [0.3]),
        ("Clip", [-0.3, 0.7]),
        ("HardSigmoid", [0.2, 0.5]),
    ],
)
def test_activation_behind_a_convolution(activation, parameters):
    more = {"activation_params": parameters} if parameters else {}
    check(
        "FusedConv",
        {"x": floats(1, 3, 6, 6)},
        {"w": floats(4, 3, 3, 3), "b": floats(4)},
        "x w b",
        activation=activation,
        **more,
    )


def test_residual_operand_comes_before_the_activation():
    inputs = {"x": floats(1, 3, 6, 6), "z": floats(1, 4, 6, 6)}
    constants = {"w": floats(4, 3, 3, 3), "b": floats(4)}
    window = {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}
    check("FusedConv", inputs, constants, "x w b z", device=True, activation="Relu", **window)


def test_channels_last():
    """ONNX Runtime's kernel is for some processors only: it is the convolution of transposed images."""
    x, z, w = floats(1, 6, 5, 3), floats(1, 4, 3, 4), floats(4, 3, 3, 3)
    inputs = {"x": x, "z": z}
    model = model_of("NhwcFusedConv", inputs, {"w": w}, "x w - z", activation="Relu")
    first = {"x": x.transpose(0, 3, 1, 2), "z": z.transpose(0, 3, 1, 2)}
    plain = model_of("FusedConv", first, {"w": w}, "x w - z", activation="Relu")
    expected = run_onnx(plain, first)["y"].transpose(0, 2, 3, 1)
    assert abs(import_model(model).run(inputs)["y"] - expected).max() < 1e-5


def test_activation_behind_a_product():
    constants = {"w": floats(5, 3), "c": floats(5)}
    attributes = {"transB": 1, "alpha": 0.5, "beta": 2.0}
    inputs = {"a": floats(4, 3)}
    check("FusedGemm", inputs, constants, "a w c", activation="Relu", **attributes)
    more = {"activation": "LeakyRelu", "activation_alpha": 0.3}
    check("FusedGemm", inputs, constants, "a w c", **more, **attributes)


def test_another_activation_is_refused():
    inputs, constants = {"x": floats(1, 3, 6, 6)}, {"w": floats(4, 3, 3, 3)}
    model = model_of("FusedConv", inputs, constants, "x w", activation="Swirl")
    with pytest.raises(DiagnosticError, match="its activation is Swirl"):
        import_model(model)
