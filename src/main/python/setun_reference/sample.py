"""Continues a text by sampling.

    python -m setun_reference.sample CHECKPOINT --prompt "Once upon a time" --count 3
"""
import argparse

import torch

from .export import load_checkpoint
from .logits import logits_of
from .tokenizer import load_tokenizer


def choose(logits, temperature, top_p):
    """Samples from the smallest set of tokens whose probability reaches top_p."""
    probability, order = (logits / temperature).softmax(-1).sort(descending=True)
    before = probability.cumsum(-1) - probability
    probability[before >= top_p] = 0
    return int(order[torch.multinomial(probability, 1)])


def sample(model, ids, count, temperature, top_p, eos):
    """Returns up to `count` sampled tokens; stops at eos, which is not returned."""
    ids, start = list(ids), len(ids)
    while len(ids) - start < count:
        token = choose(logits_of(model, ids)[-1], temperature, top_p)
        if token == eos:
            break
        ids.append(token)
    return ids[start:]


def main():
    parser = argparse.ArgumentParser(description="Sample continuations.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("checkpoint", help="checkpoint directory")
    parser.add_argument("--prompt", default="Once upon a time")
    parser.add_argument("--count", type=int, default=1, help="continuations")
    parser.add_argument("--tokens", type=int, default=150, help="longest continuation")
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--top-p", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    model, tokenizer = load_checkpoint(args.checkpoint), load_tokenizer(args.checkpoint)
    ids = tokenizer.encode(args.prompt).ids
    for _ in range(args.count):
        new = sample(model, ids, args.tokens, args.temperature, args.top_p, model.config["eos_token_id"])
        print(args.prompt + tokenizer.decode(new), end="\n\n")


if __name__ == "__main__":
    main()
