"""Networks written here in PyTorch: structures that the libraries have as parts only, or not at all."""

from __future__ import annotations

from typing import Any

from .architecture import Architecture


def unet() -> Any:
    """Return a U-Net of two levels, with transposed convolutions."""
    import torch
    from torch import nn

    def block(inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()
        )

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.third = block(3, 16), block(16, 32), block(32, 64)
            self.up = nn.ConvTranspose2d(64, 32, 2, stride=2)
            self.top = nn.ConvTranspose2d(32, 16, 2, stride=2)
            self.fourth, self.last = (
                block(64, 32),
                nn.Sequential(block(32, 16), nn.Conv2d(16, 5, 1)),
            )

        def forward(self, x):
            a = self.first(x)
            b = self.second(nn.functional.max_pool2d(a, 2))
            c = self.third(nn.functional.max_pool2d(b, 2))
            b = self.fourth(torch.cat([self.up(c), b], dim=1))
            return self.last(torch.cat([self.top(b), a], dim=1))

    return UNet(), (torch.randn(1, 3, 48, 48),)


def dcgan() -> Any:
    """Return a generator of images from noise."""
    import torch
    from torch import nn

    def up(inputs: int, outputs: int, stride: int, padding: int) -> list[nn.Module]:
        layer = nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)
        return [layer, nn.BatchNorm2d(outputs), nn.ReLU()]

    layers = [*up(32, 64, 1, 0), *up(64, 32, 2, 1), *up(32, 16, 2, 1)]
    last = nn.ConvTranspose2d(16, 3, 4, 2, 1)
    return nn.Sequential(*layers, last, nn.Tanh()), (torch.randn(1, 32, 1, 1),)


def cnn_3d() -> Any:
    """Return a network over clips of frames."""
    import torch
    from torch import nn

    model = nn.Sequential(
        nn.Conv3d(3, 16, 3, padding=1),
        nn.BatchNorm3d(16),
        nn.ReLU(),
        nn.MaxPool3d((1, 2, 2)),
        nn.Conv3d(16, 32, 3, padding=1, stride=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool3d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )
    return model, (torch.randn(1, 3, 8, 24, 24),)


def spatial_transformer() -> Any:
    """Return a network that turns its image before it looks at it: sampling at computed places."""
    import torch
    from torch import nn

    class SpatialTransformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.locate = nn.Sequential(
                nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 144, 6)
            )
            self.see = nn.Sequential(
                nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 169, 10)
            )

        def forward(self, x):
            turn = 0.1 * self.locate(x).view(-1, 2, 3) + torch.eye(2, 3)
            grid = nn.functional.affine_grid(turn, [1, 1, 28, 28], align_corners=False)
            return self.see(nn.functional.grid_sample(x, grid, align_corners=False))

    return SpatialTransformer(), (torch.randn(1, 1, 28, 28),)


def detector() -> Any:
    """Return a detector as YOLOv8 is built: joined pools, two scales, boxes decoded from distributions."""
    import torch
    from torch import nn

    def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
        layer = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.SiLU())

    class Detector(nn.Module):
        BINS, CLASSES = 8, 4

        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(conv(3, 16, 2), conv(16, 32, 2), conv(32, 32))
            self.deep = conv(32, 64, 2)
            self.joined = nn.Conv2d(64 * 3, 64, 1)
            self.merged = conv(96, 32)
            self.heads = nn.ModuleList(
                nn.Conv2d(width, 4 * self.BINS + self.CLASSES, 1) for width in (32, 64)
            )

        def forward(self, x):
            shallow = self.stem(x)
            deep = self.deep(shallow)
            pooled = nn.functional.max_pool2d(deep, 5, 1, 2)
            wide = torch.cat([deep, pooled, nn.functional.max_pool2d(pooled, 5, 1, 2)], 1)
            deep = self.joined(wide)
            up = nn.functional.interpolate(deep, scale_factor=2.0, mode="nearest")
            scales = [self.merged(torch.cat([up, shallow], 1)), deep]
            found = [head(scale).flatten(2) for head, scale in zip(self.heads, scales, strict=True)]
            boxes, scores = torch.cat(found, 2).split([4 * self.BINS, self.CLASSES], 1)
            bins = torch.arange(self.BINS, dtype=torch.float32)
            spread = boxes.view(1, 4, self.BINS, -1).softmax(2)
            distance = (spread * bins.view(1, 1, -1, 1)).sum(2)
            low, high = distance.chunk(2, 1)
            return torch.cat([(high - low) / 2, high + low, scores.sigmoid()], 1)

    return Detector(), (torch.randn(1, 3, 64, 64),)


def tagger(kind: str) -> Any:
    """Return a tagger of words: an embedding, a recurrent layer in both directions, a score for each word."""
    import torch
    from torch import nn

    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(200, 32)
            self.layer = getattr(nn, kind)(32, 24, 2, batch_first=True, bidirectional=True)
            self.score = nn.Linear(48, 9)

        def forward(self, words):
            return self.score(self.layer(self.embed(words))[0])

    return Tagger(), (torch.randint(0, 200, (1, 12)),)


def experts() -> Any:
    """Return a layer whose tokens are given to the two best of four experts, weighted by a mask of the best."""
    import torch
    from torch import nn

    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Linear(32, 4)
            self.experts = nn.ModuleList(
                nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 32)) for _ in range(4)
            )

        def forward(self, x):
            best, places = self.gate(x).topk(2, dim=-1)
            weights = torch.zeros(1, 10, 4).scatter(-1, places, best.softmax(-1))
            results = torch.stack([expert(x) for expert in self.experts], -1)
            return x + (results * weights.unsqueeze(-2)).sum(-1)

    return Experts(), (torch.randn(1, 10, 32),)


def gathered_experts() -> Any:
    """Return a layer that gathers the weights of each token's two experts and multiplies by them."""
    import torch
    from torch import nn

    class GatheredExperts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Linear(16, 4)
            self.weights = nn.Parameter(torch.randn(4, 16, 16) / 4)

        def forward(self, x):
            best, places = self.gate(x).topk(2, dim=-1)
            chosen = self.weights[places]
            results = torch.einsum("tkoi,ti->tko", chosen, x)
            return (results * best.softmax(-1).unsqueeze(-1)).sum(1)

    return GatheredExperts(), (torch.randn(6, 16),)


ARCHITECTURES = (
    Architecture("unet", unet),
    Architecture("dcgan", dcgan),
    Architecture("cnn_3d", cnn_3d),
    Architecture("spatial_transformer", spatial_transformer),
    Architecture("detector", detector),
    Architecture("lstm_tagger", lambda: tagger("LSTM"), ("words",)),
    Architecture("gru_tagger", lambda: tagger("GRU"), ("words",)),
    Architecture("experts", experts),
    Architecture("gathered_experts", gathered_experts),
)
