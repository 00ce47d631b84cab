"""The same architecture with one part exchanged, to measure what the part costs or brings.

    python -m setun_reference.train --variant top-k-40 --steps 1500 --output runs/top-k-40/ ...

Runs of equal steps, seed and settings see the same tokens in the same order.
"""
import copy


def with_sparsity(config, sparsity):
    """Returns the configuration with one activation sparsity for all layers."""
    config = copy.deepcopy(config)
    config["sparsity"] = sparsity
    for layer in config["layers"]:
        layer.pop("sparsity", None)
    return config


def active_parameters(config, channel):
    """Returns how many weights of a channel mixer one token meets: all of a GLU, of a PEER those it retrieves."""
    hidden = config["hidden_size"]
    if channel["kind"] == "glu":
        return 3 * hidden * channel["intermediate_size"]
    heads, key_dim = channel["num_heads"], channel["key_dim"]
    side = round(channel["num_experts"] ** 0.5)
    query = heads * 2 * key_dim * hidden
    keys = 2 * side * key_dim * (1 if channel.get("shared_keys", True) else heads)
    return query + keys + 2 * heads * channel["top_k"] * hidden


def with_glu(config):
    """Returns the configuration with every PEER replaced by a GLU of equal active parameters."""
    config = copy.deepcopy(config)
    for layer in config["layers"]:
        channel = layer["channel"]
        if channel["kind"] == "peer":
            width = round(active_parameters(config, channel) / (3 * config["hidden_size"]))
            layer["channel"] = {"kind": "glu", "intermediate_size": width, "activation": "silu"}
    return config


def with_floats(config):
    """Returns the configuration with float weights and float activations everywhere, and so without sparsity."""
    config = with_sparsity(config, {"kind": "none"})
    for owner in [config, *config["layers"]]:
        if "quantization" in owner:
            owner["quantization"] = {"linear": "float", "lm_head": "float"}
    return config


VARIANTS = {
    "as-configured": lambda config: config,
    "dense": lambda config: with_sparsity(config, {"kind": "none"}),
    **{f"top-k-{percent}": lambda config, percent=percent: with_sparsity(config, {"kind": "topk", "ratio": percent / 100})
       for percent in (40, 50, 60, 75)},
    "glu": with_glu,
    "float": with_floats,
}
