"""Perplexity and bits per byte of a text under a model.

    python -m setun_reference.evaluate CHECKPOINT --text validation.txt
    python -m setun_reference.evaluate CHECKPOINT --text validation.txt --keep 0.4 --json

`setun perplexity` measures the same.
"""
import argparse
import json
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

from .data import read_books
from .tokenizer import BOS_ID, load_tokenizer


class Score(NamedTuple):
    """Total negative log2 likelihood of a text, and its length."""

    bits: float
    tokens: int
    bytes: int

    @property
    def perplexity(self):
        return 2 ** (self.bits / self.tokens)

    @property
    def bits_per_byte(self):
        return self.bits / self.bytes


ATTENTION_CONTEXT = 2048  # the length that papers report perplexity at


def default_context(config):
    """Returns None, for whole books, unless a layer has attention: then what it was trained for, within bounds."""
    if all(layer["mixer"]["kind"] == "mlgru" for layer in config["layers"]):
        return None
    return min(config["max_position_embeddings"], ATTENTION_CONTEXT)


@torch.no_grad()
def score(model, tokenizer, books, characters=None, context=None):
    """Scores every book as one sequence after <|bos|>, or as windows of `context` tokens, each after <|bos|>.

    Uses evaluation mode (integer products, float32), that is what an inference runtime computes. `characters` bounds what
    is read from each book, for a quick estimate.
    """
    was_training = model.training
    model.eval()
    bits, tokens, length = 0.0, 0, 0
    for book in books:
        text = book[:characters]
        all_ids = tokenizer.encode(text, add_special_tokens=False).ids
        for start in range(0, len(all_ids), context or len(all_ids)):
            ids = torch.tensor([[BOS_ID] + all_ids[start:][:context]])
            logits, _ = model(ids[:, :-1])
            bits += F.cross_entropy(logits[0].float(), ids[0, 1:], reduction="sum").item() / math.log(2)
        tokens += len(all_ids)
        length += len(text.encode())
    model.train(was_training)
    return Score(bits, tokens, length)


def keep(model, ratio):
    """Makes every sparse or sparsifiable linear keep the given share of its input; 1 is dense."""
    sparsity = {"kind": "none"} if ratio == 1 else {"kind": "topk", "ratio": ratio}
    for module in model.modules():
        if hasattr(module, "sparsity"):
            module.sparsity = sparsity
    if model.lm_head is not None:
        model.lm_head.sparsity = None


def main():
    from .export import load_checkpoint

    parser = argparse.ArgumentParser(description="Measure perplexity and bits per byte.")
    parser.add_argument("checkpoint", help="exported checkpoint directory")
    parser.add_argument("--text", required=True, help="text file, books separated by two empty lines")
    parser.add_argument("--context", type=int, metavar="N",
                        help="score windows of N tokens; default: whole books, unless a layer has attention")
    parser.add_argument("--keep", type=float, metavar="RATIO",
                        help="share of its input that every linear keeps, instead of the model's own; 1 is dense")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    model, tokenizer = load_checkpoint(args.checkpoint), load_tokenizer(args.checkpoint)
    if args.keep is not None:
        keep(model, args.keep)
    context = args.context or default_context(model.config)
    result = score(model, tokenizer, read_books(args.text), context=context)
    if args.json:
        print(json.dumps({"tokens": result.tokens, "bytes": result.bytes, "perplexity": result.perplexity,
                          "bits_per_byte": result.bits_per_byte}))
    else:
        print(f"{result.bits_per_byte:.3f} bits per byte, perplexity {result.perplexity:.2f} "
              f"of {result.tokens:,} tokens in {result.bytes:,} bytes")


if __name__ == "__main__":
    main()
