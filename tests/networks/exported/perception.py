"""Networks over images and sound, of transformers: narrow ones."""

from __future__ import annotations

from typing import Any

from .architecture import SMALL, Architecture, outputs_only


def vit() -> Any:
    """Return ViT."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification

    config = ViTConfig(**SMALL, image_size=32, patch_size=8)
    return outputs_only(ViTForImageClassification(config), "pixel_values"), (
        torch.randn(1, 3, 32, 32),
    )


def segformer() -> Any:
    """Return SegFormer: attention over images reduced by convolutions, four scales joined."""
    import torch
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    config = SegformerConfig(
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 16, 24, 32],
        num_attention_heads=[1, 2, 3, 4],
        decoder_hidden_size=32,
    )
    return outputs_only(SegformerForSemanticSegmentation(config), "pixel_values"), (
        torch.randn(1, 3, 64, 64),
    )


def detr() -> Any:
    """Return DETR: a ResNet, an encoder, and a decoder of queries."""
    import torch
    from transformers import DetrConfig, DetrForObjectDetection

    config = DetrConfig(
        use_timm_backbone=True,
        backbone="resnet18",
        use_pretrained_backbone=False,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        num_queries=6,
        dilation=False,
    )
    return outputs_only(DetrForObjectDetection(config), "pixel_values"), (
        torch.randn(1, 3, 64, 64),
    )


def whisper_encoder() -> Any:
    """Return the encoder of Whisper over a short spectrogram."""
    import torch
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    config = WhisperConfig(
        d_model=32,
        encoder_layers=2,
        encoder_attention_heads=4,
        encoder_ffn_dim=64,
        num_mel_bins=16,
        max_source_positions=50,
    )
    return outputs_only(WhisperEncoder(config), "input_features"), (torch.randn(1, 16, 100),)


def wav2vec2() -> Any:
    """Return wav2vec 2: convolutions over samples of sound, then attention."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(
        **SMALL,
        conv_dim=(16, 16, 16),
        conv_stride=(5, 4, 2),
        conv_kernel=(10, 8, 4),
        num_feat_extract_layers=3,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
    )
    return outputs_only(Wav2Vec2Model(config), "input_values"), (torch.randn(1, 1600),)


ARCHITECTURES = (
    Architecture("vit_transformers", vit, ("image",)),
    Architecture("segformer", segformer, ("image",)),
    Architecture("detr", detr, ("image",)),
    Architecture("whisper_encoder", whisper_encoder, ("spectrogram",)),
    Architecture("wav2vec2", wav2vec2, ("sound",)),
)
