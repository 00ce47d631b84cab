"""Writes the numbers that another implementation must reproduce for a checkpoint.

    python -m setun_reference.golden CHECKPOINT --text validation.txt --output golden/

Prompts are taken from the text. An activation that lies almost halfway between two int8 codes makes the result depend on
the order of float additions, so among many prompts the one that keeps farthest from such ties is chosen.
"""
import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from . import model as model_module
from .data import read_books
from .export import load_checkpoint
from .logits import greedy, logits_of
from .model import PEER
from .quantization import activation_scale
from .tokenizer import BOS_ID, load_tokenizer

FINALISTS = 12


class RoundingProbe:
    """While active, finds how close any activation comes to the border between two codes."""

    def __enter__(self):
        self.quantize, self.absolute, self.relative = model_module.quantize, float("inf"), float("inf")
        model_module.quantize = self.record
        return self

    def __exit__(self, *exception):
        model_module.quantize = self.quantize

    def record(self, x):
        scaled = x * activation_scale(x)
        distance = (scaled - scaled.floor() - 0.5).abs()
        self.absolute = min(self.absolute, distance.min().item())
        self.relative = min(self.relative, (distance / (scaled.abs() + 1)).min().item())
        return self.quantize(x)


@torch.no_grad()
def trace(model, ids):
    """Returns the logits and the inner values of one forward pass, without the batch axis."""
    values, hooks = {}, []

    def keep_retrieval(index, channel):
        def retrieve(x):
            score, expert = PEER.retrieve(channel, x)
            values[f"peer.{index}.scores"], values[f"peer.{index}.ids"] = score[0].clone(), expert[0].clone()
            return score, expert
        channel.retrieve = retrieve

    def keep(name):
        def hook(module, inputs, output):
            values[name] = (output[0] if isinstance(output, tuple) else output)[0].clone()
        return hook

    hooks.append(model.model.embed_tokens.register_forward_hook(keep("hidden.0")))
    hooks.append(model.model.norm.register_forward_hook(keep("hidden.final_norm")))
    for index, block in enumerate(model.model.layers):
        hooks.append(block.register_forward_hook(keep(f"hidden.{index + 1}")))
        hooks.append(block.mixer.register_forward_hook(keep(f"mixer.{index}")))
        hooks.append(block.channel.register_forward_hook(keep(f"channel.{index}")))
        if isinstance(block.channel, PEER):
            keep_retrieval(index, block.channel)
    logits, states = model(torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    for block in model.model.layers:
        vars(block.channel).pop("retrieve", None)
    values["logits"] = logits[0].clone()
    values["input_ids"] = torch.tensor(ids)
    values.update({f"state.{index}": state[0].clone() for index, state in enumerate(states) if state is not None})
    return values


def candidates(tokenizer, text_path, length):
    """Yields token sequences of the given length from the first sentences of paragraphs."""
    for book in read_books(text_path):
        for paragraph in book.split("\n"):
            ids = tokenizer.encode(paragraph, add_special_tokens=False).ids
            if len(ids) >= length:
                yield [BOS_ID] + ids[: length - 1]


def rounding_margins(model, ids, new_tokens):
    """Returns the probe of decoding `new_tokens` greedily after ids; with 0 that of the prompt alone."""
    with RoundingProbe() as probe:
        if new_tokens:
            greedy(model, ids, new_tokens)
        else:
            logits_of(model, ids)
    return probe


def main():
    parser = argparse.ArgumentParser(description="Write expected values of a checkpoint.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("checkpoint", help="checkpoint directory")
    parser.add_argument("--text", required=True, help="text to take prompts from")
    parser.add_argument("--output", required=True, help="directory for expected.safetensors and expected.json")
    parser.add_argument("--length", type=int, default=24, help="tokens of the prompt")
    parser.add_argument("--greedy", type=int, default=16, help="tokens to decode")
    parser.add_argument("--prompts", type=int, default=256, help="prompts to choose from")
    args = parser.parse_args()
    model, tokenizer = load_checkpoint(args.checkpoint), load_tokenizer(args.checkpoint)
    prompts = list(candidates(tokenizer, args.text, args.length))
    prompts = prompts[:: max(1, len(prompts) // args.prompts)][: args.prompts]
    # Decoding is slow: it is tried for the most promising prompts only.
    prompts.sort(key=lambda ids: rounding_margins(model, ids, 0).relative, reverse=True)
    ids = max(prompts[:FINALISTS], key=lambda ids: rounding_margins(model, ids, args.greedy).relative)
    prompt, both = rounding_margins(model, ids, 0), rounding_margins(model, ids, args.greedy)
    tokens, gaps = greedy(model, ids, args.greedy)

    values = trace(model, ids)
    double = load_checkpoint(args.checkpoint).double()
    with torch.no_grad():
        difference = (double(torch.tensor([ids]))[0][0] - values["logits"]).abs().max().item()
    output = Path(args.output)
    output.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in values.items()}, output / "expected.safetensors")
    (output / "expected.safetensors").chmod(0o644)  # save_file makes it private
    expected = {
        "prompt": tokenizer.decode(ids),
        "input_ids": ids,
        "greedy": tokens,
        "greedy_text": tokenizer.decode(tokens),
        "greedy_top2_margin": gaps,
        "argmax": values["logits"].argmax(-1).tolist(),
        "compute": "float32",
        "rounding_margin": prompt.absolute,
        "rounding_margin_relative": prompt.relative,
        "rounding_margin_relative_with_greedy": both.relative,
        "float64_max_abs_difference": difference,
        "suggested_tolerance": 1e-4,
    }
    (output / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    print(f"{len(prompts)} prompts, relative rounding margin {both.relative:.2e}, float64 differs by {difference:.1e}")


if __name__ == "__main__":
    main()
