"""Starting a model from a packed checkpoint with fewer layers.

Packed trits have lost their float masters, so masters are drawn that round to the same trits with nearly the same scale.
"""
import math

import torch

from .export import load_checkpoint
from .quantization import PACKINGS

DAMPING = 0.1  # of the last matrix of a mixer that the source lacks, so that its layer begins as almost nothing


def draw_masters(trits, scale, generator=None):
    """Draws normal floats [rows, cols] of mean magnitude `scale`, given that each rounds to its trit."""
    deviation = scale * math.sqrt(math.pi / 2)
    border = 0.5 * (1 + math.erf(0.5 / math.sqrt(math.pi)))  # share of a normal distribution below half its mean magnitude
    low = torch.where(trits == 0, 1 - border, border)
    high = torch.where(trits == 0, border, 1.0)
    share = low + (high - low) * torch.rand(trits.shape, generator=generator)
    drawn = deviation * math.sqrt(2) * torch.erfinv((2 * share - 1).clamp(-0.99999, 0.99999))
    return torch.where(trits == 0, drawn, drawn * trits)


@torch.no_grad()
def warm_start(model, directory, seed=0):
    """Copies embedding, norms and layers of a checkpoint into an initialised model; returns which layers were taken.

    Layers are matched in order: each takes the next layer of the source if that has tensors of the same names and shapes.
    """
    source = load_checkpoint(directory)
    generator = torch.Generator().manual_seed(seed)
    adopt(model.model.embed_tokens, source.model.embed_tokens, generator)
    adopt(model.model.norm, source.model.norm, generator)
    remaining, taken = list(source.model.layers), []
    for index, block in enumerate(model.model.layers):
        if remaining and shapes(block) == shapes(remaining[0]):
            adopt(block, remaining.pop(0), generator)
            taken.append(index)
        else:
            block.mixer.o_proj.weight.mul_(DAMPING)
    if remaining:
        raise ValueError(f"{directory}: {len(remaining)} layers found no place, the model has {len(model.model.layers)}")
    return taken


def shapes(module):
    """Returns the shape of every parameter by name."""
    return {name: value.shape for name, value in module.named_parameters()}


def adopt(module, source, generator):
    """Copies every parameter of `source`; trits become masters."""
    owners, values = dict(source.named_modules()), dict(source.named_parameters())
    for name, parameter in module.named_parameters():
        owner_name, _, leaf = name.rpartition(".")
        owner = owners[owner_name]
        value = values[name]
        if leaf == "weight" and getattr(owner, "quantization", None) in PACKINGS:
            value = draw_masters(value, owner.weight_scale.reshape(-1, 1), generator)
        parameter.copy_(value)
