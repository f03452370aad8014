"""Architectures of PyTorch, torchvision, timm and transformers as their exporters write them, with seeded weights."""
