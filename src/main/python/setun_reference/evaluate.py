"""Bits per byte of a text under a model.

    python -m setun_reference.evaluate CHECKPOINT --text validation.txt
"""
import argparse
import math

import torch
import torch.nn.functional as F

from .data import read_books
from .tokenizer import BOS_ID, load_tokenizer


@torch.no_grad()
def bits_per_byte(model, tokenizer, books, bytes_per_book=None):
    """Scores every book as one sequence after <|bos|>: total negative log2 likelihood over UTF-8 bytes.

    Uses evaluation mode (integer products, float32), that is what an inference runtime computes. `bytes_per_book` bounds
    the characters read from each book, for a quick estimate.
    """
    was_training = model.training
    model.eval()
    bits, count = 0.0, 0
    for book in books:
        text = book[:bytes_per_book]
        ids = torch.tensor([[BOS_ID] + tokenizer.encode(text, add_special_tokens=False).ids])
        logits, _ = model(ids[:, :-1])
        bits += F.cross_entropy(logits[0].float(), ids[0, 1:], reduction="sum").item() / math.log(2)
        count += len(text.encode())
    model.train(was_training)
    return bits / count


def main():
    from .export import load_checkpoint

    parser = argparse.ArgumentParser(description="Measure bits per byte.")
    parser.add_argument("checkpoint", help="exported checkpoint directory")
    parser.add_argument("--text", required=True, help="text file, books separated by two empty lines")
    args = parser.parse_args()
    model, tokenizer = load_checkpoint(args.checkpoint), load_tokenizer(args.checkpoint)
    print(f"{bits_per_byte(model, tokenizer, read_books(args.text)):.4f} bits per byte")


if __name__ == "__main__":
    main()
