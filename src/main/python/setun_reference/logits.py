"""Prints logits as JSON, to compare another implementation with.

    python -m setun_reference.logits CHECKPOINT --ids 0,7,42
    python -m setun_reference.logits CHECKPOINT --text "Once upon a time" --last --greedy 16
"""
import argparse
import json

import torch

from .export import load_checkpoint
from .tokenizer import load_tokenizer


@torch.no_grad()
def logits_of(model, ids):
    """Returns float32 logits [time, vocab] of a list of token ids."""
    return model(torch.tensor([ids]))[0][0]


def greedy(model, ids, count):
    """Returns `count` greedily chosen tokens and the gap between best and second logit at each; ties take the lowest id."""
    ids, chosen, gaps = list(ids), [], []
    for _ in range(count):
        last = logits_of(model, ids)[-1]
        best, second = last.topk(2).values.tolist()
        token = int((last == last.max()).nonzero()[0])
        chosen.append(token)
        gaps.append(best - second)
        ids.append(token)
    return chosen, gaps


def main():
    parser = argparse.ArgumentParser(description="Print logits as JSON.")
    parser.add_argument("checkpoint", help="checkpoint directory")
    prompt = parser.add_mutually_exclusive_group(required=True)
    prompt.add_argument("--ids", help="token ids, separated by commas, used as they are")
    prompt.add_argument("--text", help="text; the beginning-of-text token is added")
    parser.add_argument("--last", action="store_true", help="only the logits of the last token")
    parser.add_argument("--greedy", type=int, default=0, metavar="N", help="also decode N tokens")
    args = parser.parse_args()
    model = load_checkpoint(args.checkpoint)
    if args.ids:
        ids = [int(part) for part in args.ids.split(",")]
    else:
        ids = load_tokenizer(args.checkpoint).encode(args.text).ids
    logits = logits_of(model, ids)
    result = {"ids": ids, "logits": (logits[-1:] if args.last else logits).tolist()}
    if args.greedy:
        result["greedy"], result["greedy_top2_margin"] = greedy(model, ids, args.greedy)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
