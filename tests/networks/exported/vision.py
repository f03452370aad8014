"""Networks of torchvision and timm, on small images; narrower ones of the same structure where the whole is large."""

from __future__ import annotations

from functools import partial
from typing import Any

from .architecture import Architecture


def image(side: int) -> Any:
    """Return one random image of three channels."""
    import torch

    return torch.randn(1, 3, side, side)


def torchvision_model(name: str, side: int = 64, **options: Any) -> Any:
    """Return a model of torchvision by the name of its function, and an image."""
    import torchvision

    return getattr(torchvision.models, name)(weights=None, **options), (image(side),)


def timm_model(name: str, side: int = 64) -> Any:
    """Return a model of timm, and an image."""
    import timm

    return timm.create_model(name, pretrained=False), (image(side),)


def convnext() -> Any:
    """Return a narrow ConvNeXt."""
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt

    stages = [CNBlockConfig(32, 64, 2), CNBlockConfig(64, 96, 2), CNBlockConfig(96, None, 2)]
    return ConvNeXt(stages, num_classes=20), (image(64),)


def densenet() -> Any:
    """Return a shallow DenseNet."""
    from torchvision.models import DenseNet

    return DenseNet(16, (3, 4, 4), 32, num_classes=20), (image(64),)


def vision_transformer() -> Any:
    """Return a small ViT, whose head torchvision leaves at 0."""
    import torch
    from torchvision.models import VisionTransformer

    model = VisionTransformer(64, 16, 2, 4, 64, 128, num_classes=20)
    torch.nn.init.normal_(model.heads.head.weight)
    return model, (image(64),)


def swin() -> Any:
    """Return a small Swin transformer with shifted windows."""
    from torchvision.models import SwinTransformer

    model = SwinTransformer([4, 4], 32, [2, 2], [2, 4], [4, 4], num_classes=20)
    return model, (image(64),)


ARCHITECTURES = (
    Architecture("resnet18", partial(torchvision_model, "resnet18")),
    Architecture("mobilenet_v2", partial(torchvision_model, "mobilenet_v2")),
    Architecture("mobilenet_v3", partial(torchvision_model, "mobilenet_v3_small")),
    Architecture("mobilenet_v4", partial(timm_model, "mobilenetv4_conv_small")),
    Architecture("efficientnet", partial(torchvision_model, "efficientnet_b0")),
    Architecture("shufflenet", partial(torchvision_model, "shufflenet_v2_x0_5")),
    Architecture("convnext", convnext),
    Architecture("densenet", densenet),
    Architecture("vit", vision_transformer),
    Architecture("swin", swin),
)
