"""Checkpoint directories: writing a trained model with packed trits, and reading one back.

    python -m setun_reference.export --run run/best.pt --tokenizer tokenizer/ --output export/

A directory holds config.json, generation_config.json, tokenizer.json, tokenizer_config.json and model.safetensors.
"""
import argparse
import copy
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from .model import ExpertTable, TernaryLM
from .quantization import PACKINGS, absmean_ternary, pack, unpack
from .tokenizer import load_tokenizer, save_tokenizer

FLOATS = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
SAMPLING = {"do_sample": True, "temperature": 0.7, "top_p": 0.9, "max_new_tokens": 256}


# ------------------------------------------------------------------ writing
def packed_config(config, linear, experts):
    """Returns the configuration with every "online" quantization replaced by a packing."""
    config = copy.deepcopy(config)
    for owner in [config, *config["layers"]]:
        quantization = owner.get("quantization", {})
        if quantization.get("experts", quantization.get("linear")) == "online":
            quantization["experts"] = experts
        for key, kind in quantization.items():
            if kind == "online":
                quantization[key] = linear
    return config


def packed_tensors(model, linear, experts, dtype):
    """Returns the tensors of a checkpoint: trits packed, everything else as `dtype`."""
    owners, tensors = dict(model.named_modules()), {}
    for name, value in model.state_dict().items():
        owner_name, _, leaf = name.rpartition(".")
        owner = owners[owner_name]
        if getattr(owner, "quantization", None) == "online" and leaf == "weight":
            table = isinstance(owner, ExpertTable)
            trits, scale = absmean_ternary(value, dim=-1 if table else None)
            tensors[name] = pack(experts if table else linear, trits.to(torch.int8)).contiguous()
            tensors[name + "_scale"] = scale.reshape(-1).float()
        else:
            tensors[name] = value.to(dtype).contiguous()
    return tensors


@torch.no_grad()
def export(model, tokenizer, directory, linear="b3", experts="b3", floats="f16"):
    """Writes a model trained with "online" linears as a packed checkpoint directory."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    config = packed_config(model.config, linear, experts)
    tensors = packed_tensors(model, linear, experts, FLOATS[floats])
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    (directory / "model.safetensors").chmod(0o644)  # save_file makes it private
    write_json(directory / "config.json", config)
    special = {key: config[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
    write_json(directory / "generation_config.json", {**special, **SAMPLING})
    save_tokenizer(tokenizer, directory, config["max_position_embeddings"])


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


# ------------------------------------------------------------------ reading
def read_tensors(directory):
    """Reads model.safetensors, or the shards that its index names."""
    index = directory / "model.safetensors.index.json"
    if not index.exists():
        return load_file(directory / "model.safetensors")
    shards = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    return {name: value for shard in shards for name, value in load_file(directory / shard).items()}


def load_checkpoint(directory):
    """Builds the model of a checkpoint directory, in float32 and evaluation mode."""
    directory = Path(directory)
    model = TernaryLM(json.loads((directory / "config.json").read_text()))
    owners, expected = dict(model.named_modules()), model.state_dict()
    tensors = {}
    for name, value in read_tensors(directory).items():
        if name not in expected:
            raise ValueError(f"{directory}: unexpected tensor {name}")
        owner = owners[name.rpartition(".")[0]]
        kind = getattr(owner, "quantization", None)
        if value.dtype == torch.uint8:
            value = unpack(kind, value, expected[name].shape[1])
        if name.endswith("weight_scale"):
            owner.weight_scale = torch.ones(value.shape)  # one scale, or one per expert
        elif value.shape != expected[name].shape:
            raise ValueError(
                f"{directory}: tensor {name}: expected {list(expected[name].shape)}, found {list(value.shape)}")
        tensors[name] = value.float()
    model.load_state_dict(tensors)
    return model.eval()


def load_run(path):
    """Builds the model of a training run's best.pt or last.pt."""
    saved = torch.load(path, map_location="cpu")
    model = TernaryLM(saved["config"])
    model.load_state_dict(saved["model"])
    return model.eval()


def main():
    parser = argparse.ArgumentParser(description="Export a trained model.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--run", required=True, help="best.pt or last.pt of a training run")
    parser.add_argument("--tokenizer", required=True, help="directory with tokenizer.json")
    parser.add_argument("--output", required=True, help="checkpoint directory to write")
    parser.add_argument("--packing", choices=PACKINGS, default="b3", help="how linears are stored")
    parser.add_argument("--expert-packing", choices=PACKINGS, default="b3", help="how expert tables are stored")
    parser.add_argument("--floats", choices=FLOATS, default="f16", help="type of all other tensors")
    args = parser.parse_args()
    export(load_run(args.run), load_tokenizer(args.tokenizer), args.output, args.packing, args.expert_packing, args.floats)
    size = sum(file.stat().st_size for file in Path(args.output).iterdir())
    print(f"{args.output}: {size:,} bytes")


if __name__ == "__main__":
    main()
