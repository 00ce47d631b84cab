"""Trains a ternary language model on a text file.

    python -m setun_reference.train --train train.txt --validation valid.txt --tokenizer tokenizer/ --output run/

The learning rate falls to zero at the end of a budget of running time, so the run always ends on time, whatever the speed
of the machine. Pauses (SIGSTOP, a suspended laptop) do not count, unless a deadline is given. Starting again with the same
output directory resumes.
"""
import argparse
import json
import math
import time
from datetime import datetime, timezone
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

from .data import TrainingStream, read_books
from .evaluate import score
from .model import MLGRU, ExpertTable, TernaryLM
from .quantization import compile_selection
from .tokenizer import load_tokenizer
from .variants import VARIANTS
from .warm_start import warm_start

LONGEST_COUNTED_STEP = 5.0  # seconds; what a step takes beyond this was a pause
HIGHEST_LOWER_BOUND = 0.9   # of the last layer; the first has 0


def initialize(model):
    """Normal weights with deviation 1/sqrt(inputs), embeddings 0.02, lower bounds rising linearly over the layers."""
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.02 if "embed_tokens" in name else parameter.shape[-1] ** -0.5)
    layers = model.model.layers
    for index, block in enumerate(layers):
        if isinstance(block.mixer, MLGRU) and block.mixer.lower_bound is not None:
            block.mixer.lower_bound.data.fill_(HIGHEST_LOWER_BOUND * index / max(1, len(layers) - 1))


def make_optimizer(model, args):
    """AdamW; weight decay on matrices only, a learning rate of their own for expert tables."""
    tables = {id(p) for m in model.modules() if isinstance(m, ExpertTable) for p in m.parameters()}
    trainable = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.dim() > 1 and id(p) not in tables], "weight_decay": args.weight_decay},
        {"params": [p for p in trainable if p.dim() <= 1], "weight_decay": 0.0},
        {"params": [p for p in trainable if id(p) in tables], "weight_decay": 0.0, "factor": args.table_factor},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=args.learning_rate, betas=(0.9, 0.95), fused=True)


def time_budget(args, elapsed):
    """Returns the running time in seconds at which to end: the budget, or less if the deadline comes before."""
    budget = 60 * args.minutes
    if args.until:
        budget = min(budget, elapsed + (args.until - datetime.now(timezone.utc)).total_seconds())
    return max(budget, 1.0)


def share_done(args, step, elapsed):
    """Returns how much of the run lies behind, 0 to 1, by steps if they are given and by running time otherwise."""
    return min(1.0, step / args.steps if args.steps else elapsed / time_budget(args, elapsed))


def learning_rate(args, step, elapsed):
    """Warms up over steps and falls linearly to zero over the run."""
    return args.learning_rate * min(1.0, (step + 1) / args.warmup) * (1.0 - share_done(args, step, elapsed))


def utc_time(text):
    """Parses an ISO time as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def save(path, payload):
    """Writes through a temporary file, so that an interrupted run never leaves half a checkpoint."""
    temporary = path.with_suffix(".tmp")
    torch.save(payload, temporary)
    temporary.replace(path)


def train(args):
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    output = Path(args.output)
    output.mkdir(parents=True, exist_ok=True)
    config = VARIANTS[args.variant](json.loads(Path(args.config).read_text()))
    tokenizer = load_tokenizer(args.tokenizer)
    stream = TrainingStream(args.train, tokenizer, args.rows, args.length, args.seed)
    validation = read_books(args.validation)

    model = TernaryLM(config).train()
    initialize(model)
    optimizer = make_optimizer(model, args)
    progress = {"step": 0, "elapsed": 0.0, "epoch": 0, "position": 0, "best": math.inf, "curve": []}
    if (output / "last.pt").exists():
        saved = torch.load(output / "last.pt")
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        progress = saved["progress"]
        print(f"resuming at step {progress['step']}, {progress['elapsed'] / 60:.1f} minutes", flush=True)
    elif args.warm_start:
        print(f"layers {warm_start(model, args.warm_start, args.seed)} begin as in {args.warm_start}", flush=True)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {stream.tokens:,} tokens an epoch", flush=True)

    def cross_entropy(x, targets):
        return F.cross_entropy(model.logits(x).float().flatten(0, 1), targets.flatten())

    if args.compile:  # by parts: layers of one kind share their code, so that compiling takes seconds a kind
        compile_selection()
        for block in model.model.layers:
            block.compile()
        cross_entropy = torch.compile(cross_entropy)
    recurrent = [getattr(block.mixer, "width", None) for block in model.model.layers]
    states = [None if width is None else torch.zeros(args.rows, width) for width in recurrent]
    parameters = [p for p in model.parameters() if p.requires_grad]
    last_eval = last_log = progress["elapsed"]
    tokens, losses, mark = 0, [], time.monotonic()

    for batch, epoch, position in stream.batches(progress["epoch"], progress["position"]):
        rate = learning_rate(args, progress["step"], progress["elapsed"])
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("factor", 1.0)
        batch = torch.from_numpy(batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
            x, states = model.model(batch[:, :-1], states)
            loss = cross_entropy(x, batch[:, 1:])
        states = [None if state is None else state.detach().contiguous() for state in states]
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, args.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

        progress.update(step=progress["step"] + 1, epoch=epoch, position=position)
        losses.append(loss.item())
        tokens += batch[:, 1:].numel()
        now = time.monotonic()
        progress["elapsed"] += min(now - mark, LONGEST_COUNTED_STEP)
        mark = now
        elapsed = progress["elapsed"]
        finished = share_done(args, progress["step"], elapsed) >= 1.0
        if elapsed - last_log >= args.log_seconds:
            print(f"step {progress['step']} minute {elapsed / 60:.2f} epoch {epoch} loss {sum(losses) / len(losses):.4f} "
                  f"rate {rate:.2e} tokens/s {tokens / (elapsed - last_log):.0f}", flush=True)
            tokens, losses, last_log = 0, [], elapsed
        if elapsed - last_eval >= args.eval_seconds or finished:
            bits = score(model, tokenizer, validation, args.eval_characters).bits_per_byte
            progress["curve"].append({"step": progress["step"], "minutes": round(elapsed / 60, 2), "bits_per_byte": bits})
            print(f"step {progress['step']} minute {elapsed / 60:.2f} validation {bits:.4f} bits per byte", flush=True)
            if bits < progress["best"]:
                progress["best"] = bits
                save(output / "best.pt", {"model": model.state_dict(), "progress": progress, "config": config})
            save(output / "last.pt", {"model": model.state_dict(), "optimizer": optimizer.state_dict(),
                                      "progress": progress, "config": config})
            (output / "curve.json").write_text(json.dumps(progress["curve"], indent=1) + "\n")
            last_eval = elapsed
        if finished:
            print(f"finished: {progress['step']} steps, best {progress['best']:.4f} bits per byte", flush=True)
            return


def main():
    parser = argparse.ArgumentParser(description="Train a ternary language model.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--train", required=True, help="training text")
    parser.add_argument("--validation", required=True, help="validation text")
    parser.add_argument("--tokenizer", required=True, help="directory with tokenizer.json")
    parser.add_argument("--output", required=True, help="directory for last.pt, best.pt and curve.json")
    parser.add_argument("--config", default="configs/fairy-tales.json", help="model configuration")
    parser.add_argument("--variant", choices=VARIANTS, default="as-configured", help="exchange one part of it")
    parser.add_argument("--warm-start", help="checkpoint directory to take embedding and layers from")
    parser.add_argument("--minutes", type=float, default=85, help="running time after which the learning rate is zero")
    parser.add_argument("--steps", type=int, help="end after so many steps instead, to compare runs")
    parser.add_argument("--until", type=utc_time, help="end by this time even so, such as 2030-01-31T18:00 (UTC)")
    parser.add_argument("--rows", type=int, default=16, help="sequences in a batch")
    parser.add_argument("--length", type=int, default=256, help="tokens of a sequence in a batch")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--warmup", type=int, default=100, help="steps")
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--table-factor", type=float, default=3.0, help="learning rate of expert tables, relative")
    parser.add_argument("--clip", type=float, default=1.0, help="largest norm of the gradient")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True, help="bfloat16 products")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True, help="use torch.compile")
    parser.add_argument("--log-seconds", type=float, default=30)
    parser.add_argument("--eval-seconds", type=float, default=300)
    parser.add_argument("--eval-characters", type=int, default=1500, help="characters read from each validation book")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
