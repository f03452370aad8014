"""Networks over tokens, of transformers: two narrow layers each."""

from __future__ import annotations

from typing import Any

from .architecture import SMALL, Architecture, outputs_only

TOKENS, VOCABULARY = 10, 120
WORDS = {**SMALL, "vocab_size": VOCABULARY}
"""The sizes of most configurations."""


def tokens(count: int = TOKENS) -> Any:
    """Return the numbers of some words."""
    import torch

    return torch.randint(0, VOCABULARY, (1, count))


def all_words() -> Any:
    """Return a mask that leaves no word out.

    Without one, models look for several texts in one, by an op that the tracing exporter lacks.
    """
    import torch

    return torch.ones(1, TOKENS, dtype=torch.long)


def mask(count: int = TOKENS) -> Any:
    """Return a mask whose last two words are left out."""
    import torch

    return (torch.arange(count) < count - 2).long().unsqueeze(0)


def decoder(model: Any) -> Any:
    """Return a model that says the next word, over a prompt and without a cache."""
    return outputs_only(model, "input_ids", attention_mask=all_words(), use_cache=False)


def bert() -> Any:
    """Return BERT with a mask."""
    from transformers import BertConfig, BertModel

    model = BertModel(BertConfig(**WORDS), add_pooling_layer=False)
    return outputs_only(model, "input_ids", "attention_mask"), (tokens(), mask())


def distilbert() -> Any:
    """Return DistilBERT with a mask."""
    from transformers import DistilBertConfig, DistilBertModel

    config = DistilBertConfig(vocab_size=VOCABULARY, dim=32, n_layers=2, n_heads=4, hidden_dim=64)
    model = DistilBertModel(config)
    return outputs_only(model, "input_ids", "attention_mask"), (tokens(), mask())


def gpt2() -> Any:
    """Return GPT-2 over a prompt."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=32)
    model = GPT2LMHeadModel(config)
    return decoder(model), (tokens(),)


def gpt2_cached() -> Any:
    """Return GPT-2 for one more word, with keys and values of those before as inputs and outputs."""
    import torch
    from torch import nn
    from transformers import DynamicCache, GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=32)

    class OneMore(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = GPT2LMHeadModel(config)

        def forward(self, word, key0, value0, key1, value1):
            cache = DynamicCache()
            cache.update(key0, value0, 0)
            cache.update(key1, value1, 1)
            found = self.model(input_ids=word, past_key_values=cache, use_cache=True)
            kept = found.past_key_values
            return found.logits, kept.layers[0].keys, kept.layers[1].values

    before = tuple(torch.randn(1, 4, 7, 8) for _ in range(4))
    return OneMore(), (tokens(1), *before)


def llama() -> Any:
    """Return Llama: rotary positions, grouped queries, normalization by root mean squares."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(**WORDS, num_key_value_heads=2, max_position_embeddings=32)
    model = LlamaForCausalLM(config)
    return decoder(model), (tokens(),)


def qwen() -> Any:
    """Return Qwen 2: as Llama, with biases of queries, keys and values."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(**WORDS, num_key_value_heads=2, max_position_embeddings=32)
    model = Qwen2ForCausalLM(config)
    return decoder(model), (tokens(),)


def t5() -> Any:
    """Return T5: an encoder and a decoder with relative positions."""
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(vocab_size=VOCABULARY, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
    model = T5ForConditionalGeneration(config)
    return outputs_only(model, "input_ids", "decoder_input_ids", use_cache=False), (
        tokens(),
        tokens(6),
    )


def mamba() -> Any:
    """Return Mamba: a scan of states along the words."""
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(vocab_size=VOCABULARY, hidden_size=16, state_size=4, num_hidden_layers=2)
    return outputs_only(MambaForCausalLM(config), "input_ids", use_cache=False), (tokens(6),)


def clip() -> Any:
    """Return the two towers of CLIP: how alike a text and an image are."""
    import torch
    from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

    text = CLIPTextConfig(**WORDS, eos_token_id=VOCABULARY - 1)
    vision = CLIPVisionConfig(**SMALL, image_size=32, patch_size=8)
    model = CLIPModel(
        CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=16)
    )
    operands = tokens(), torch.randn(1, 3, 32, 32), all_words()
    return outputs_only(model, "input_ids", "pixel_values", "attention_mask"), operands


ARCHITECTURES = (
    Architecture("bert", bert, ("words", "mask")),
    Architecture("distilbert", distilbert, ("words", "mask")),
    Architecture("gpt2", gpt2, ("words",)),
    Architecture("gpt2_cached", gpt2_cached, ("word", "key0", "value0", "key1", "value1")),
    Architecture("llama", llama, ("words",)),
    Architecture("qwen", qwen, ("words",)),
    Architecture("t5", t5, ("words", "answer")),
    Architecture("mamba", mamba, ("words",)),
    Architecture("clip", clip, ("words", "image", "mask")),
)
