"""Perplexity and bits per byte of a text under a model.

    python -m setun_reference.evaluate CHECKPOINT --text validation.txt
    python -m setun_reference.evaluate CHECKPOINT --text validation.txt --keep 0.4 --json
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


@torch.no_grad()
def score(model, tokenizer, books, characters=None):
    """Scores every book as one sequence after <|bos|>.

    Uses evaluation mode (integer products, float32), that is what an inference runtime computes. `characters` bounds what
    is read from each book, for a quick estimate.
    """
    was_training = model.training
    model.eval()
    bits, tokens, length = 0.0, 0, 0
    for book in books:
        text = book[:characters]
        ids = torch.tensor([[BOS_ID] + tokenizer.encode(text, add_special_tokens=False).ids])
        logits, _ = model(ids[:, :-1])
        bits += F.cross_entropy(logits[0].float(), ids[0, 1:], reduction="sum").item() / math.log(2)
        tokens += ids.shape[1] - 1
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
    parser.add_argument("--keep", type=float, metavar="RATIO",
                        help="share of its input that every linear keeps, instead of the model's own; 1 is dense")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    model, tokenizer = load_checkpoint(args.checkpoint), load_tokenizer(args.checkpoint)
    if args.keep is not None:
        keep(model, args.keep)
    result = score(model, tokenizer, read_books(args.text))
    if args.json:
        print(json.dumps({"tokens": result.tokens, "bytes": result.bytes, "perplexity": result.perplexity,
                          "bits_per_byte": result.bits_per_byte}))
    else:
        print(f"{result.bits_per_byte:.4f} bits per byte, perplexity {result.perplexity:.2f} "
              f"of {result.tokens:,} tokens in {result.bytes:,} bytes")


if __name__ == "__main__":
    main()
