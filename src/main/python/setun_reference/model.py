"""The composable ternary language model: token mixers, channel mixers and the loop over layers.

A model is built from the contents of a checkpoint's config.json. Activations are [batch, time, width]. In training mode
ternary layers keep float master weights and use straight-through estimators; in evaluation mode they compute integer dot
products followed by one rescale, which is what an inference runtime must reproduce.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from .gather import gather_dot, gather_sum
from .quantization import PACKINGS, absmean_ternary, activation_scale, quantize, sparsify, straight_through
from .recurrence import gated_scan

ACTIVATIONS = {
    "silu": F.silu,
    "relu2": lambda x: F.relu(x).square(),
    "relu": F.relu,
    "gelu": F.gelu,
}
SCORES = {"softmax": lambda s: s.softmax(-1), "sigmoid": torch.sigmoid, "relu": F.relu}


# ------------------------------------------------------------------ building blocks
class RMSNorm(nn.Module):
    """x / rms(x) * weight, over the last axis."""

    def __init__(self, width, eps):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


class TernaryLinear(nn.Module):
    """Optional RMSNorm, int8 codes, optional sparsity, dot product with trits, one rescale.

    `quantization` says what `weight` holds: trits ("u2_rows", "u2_cols", "b3", after unpacking), float masters that are
    rounded on the fly ("online"), or an ordinary float matrix ("float", which quantises nothing).
    """

    def __init__(self, width_in, width_out, quantization, norm_eps=None, sparsity=None):
        super().__init__()
        self.quantization, self.sparsity = quantization, sparsity
        self.weight = nn.Parameter(torch.empty(width_out, width_in))
        if quantization in PACKINGS:
            self.register_buffer("weight_scale", torch.ones(1))
        self.norm = RMSNorm(width_in, norm_eps) if norm_eps is not None else None

    def trits(self):
        """Returns (trits, scale)."""
        if self.quantization in PACKINGS:
            return self.weight, self.weight_scale
        return absmean_ternary(self.weight)

    def prepare(self, x):
        """Turns activations into (codes, scale); gate and up projections share the result."""
        if self.norm is not None:
            x = self.norm(x)
        if self.quantization == "float":
            return x, None
        if not self.training:
            codes, scale = quantize(x)
            return sparsify(codes, self.sparsity), scale
        scale = activation_scale(x).detach()
        scaled = x * scale
        return straight_through(scaled, sparsify(scaled.round(), self.sparsity, exact=False)), scale

    def apply_prepared(self, prepared):
        """Multiplies prepared codes by the trits. Codes and trits are exact even in bfloat16."""
        codes, scale = prepared
        if self.quantization == "float":
            return F.linear(codes, self.weight)
        trits, weight_scale = self.trits()
        if self.training:
            trits, weight_scale = straight_through(self.weight / weight_scale.detach(), trits), weight_scale.detach()
        return F.linear(codes, trits) * (weight_scale / scale)

    def forward(self, x):
        return self.apply_prepared(self.prepare(x))


class LinearFactory:
    """Makes the linears of one layer, as its configuration says; `name` is the one `float` lists use."""

    def __init__(self, config, layer):
        linear = config["linear"]
        self.quantization = layer.get("quantization", config["quantization"])
        self.sparsity = layer.get("sparsity", config.get("sparsity"))
        self.norm_eps = linear["norm_eps"] if linear["input_norm"] else None

    def __call__(self, name, width_in, width_out, norm=True):
        kind = "float" if name in self.quantization.get("float", ()) else self.quantization["linear"]
        return TernaryLinear(width_in, width_out, kind, self.norm_eps if norm else None, self.sparsity)


# ------------------------------------------------------------------ token mixers
class MLGRU(nn.Module):
    """The MatMul-free linear gated recurrent unit: h_t = f_t * h_{t-1} + (1 - f_t) * silu(i_t)."""

    def __init__(self, config, spec, linear):
        super().__init__()
        hidden = config["hidden_size"]
        width = int(hidden * spec.get("expand_ratio", 1))
        self.width = width
        self.i_proj = linear("mixer.i_proj", hidden, width)
        self.f_proj = linear("mixer.f_proj", hidden, width)
        self.g_proj = linear("mixer.g_proj", hidden, width)
        self.o_proj = linear("mixer.o_proj", width, hidden)
        self.g_norm = RMSNorm(width, config["rms_norm_eps"])
        # Constant: the share of the state that a token must leave in place. Rising over the layers, see train.py.
        has_bound = spec.get("lower_bound", True)
        self.lower_bound = nn.Parameter(torch.zeros(width), requires_grad=False) if has_bound else None
        conv = spec.get("conv")
        self.conv = CausalConv(hidden, conv["size"]) if conv and conv["shared"] else None
        self.i_conv = CausalConv(width, conv["size"]) if conv and not conv["shared"] else None
        self.f_conv = CausalConv(width, conv["size"]) if conv and not conv["shared"] else None

    def forward(self, x, state=None, keep=None):
        """Returns the output and the last state [batch, width].

        `keep` [batch, time, 1], used in training, is 0 where a new document begins and the state must be forgotten.
        """
        if self.conv is not None:
            x = self.conv(x)
        i, f, g = self.i_proj(x), self.f_proj(x), self.g_proj(x)
        if self.i_conv is not None:
            i, f = self.i_conv(i), self.f_conv(f)
        f = f.to(x.dtype).sigmoid()
        if self.lower_bound is not None:
            f = self.lower_bound + (1 - self.lower_bound) * f
        update = F.silu(i.to(x.dtype)) * (1 - f)
        if keep is not None:
            f = f * keep
        if state is None:
            state = x.new_zeros(x.shape[0], self.width)
        h = gated_scan(f, update, state)
        return self.o_proj(self.g_norm(g) * h * h.sigmoid()), h[:, -1]


class CausalConv(nn.Module):
    """Depthwise convolution over the last `size` tokens, followed by silu. The last tap weighs the current token."""

    def __init__(self, width, size):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width, size))

    def forward(self, x):
        width, size = self.weight.shape
        padded = F.pad(x.transpose(1, 2), (size - 1, 0))
        return F.silu(F.conv1d(padded, self.weight[:, None], groups=width).transpose(1, 2))


class Attention(nn.Module):
    """Causal attention with rotary positions and shared key-value heads. It sees only the tokens of one call."""

    def __init__(self, config, spec, linear):
        super().__init__()
        hidden = config["hidden_size"]
        self.heads, self.kv_heads = spec["num_heads"], spec["num_kv_heads"]
        self.head_dim = spec.get("head_dim") or hidden // self.heads
        self.theta = spec["rope_theta"]
        if spec.get("rope_scaling"):
            raise ValueError("rope_scaling is not supported here")
        self.q_proj = linear("mixer.q_proj", hidden, self.heads * self.head_dim)
        self.k_proj = linear("mixer.k_proj", hidden, self.kv_heads * self.head_dim)
        self.v_proj = linear("mixer.v_proj", hidden, self.kv_heads * self.head_dim)
        self.o_proj = linear("mixer.o_proj", self.heads * self.head_dim, hidden)
        self.sub_norm = RMSNorm(self.heads * self.head_dim, config["rms_norm_eps"]) if spec.get("sub_norm") else None

    def rotate(self, x):
        """Applies rotary positions to [batch, heads, time, head_dim]; feature j is paired with j + head_dim/2."""
        half = self.head_dim // 2
        frequency = 1.0 / (self.theta ** (torch.arange(0, self.head_dim, 2, dtype=torch.float32) / self.head_dim))
        angle = torch.arange(x.shape[2], dtype=torch.float32)[:, None] * frequency
        cos, sin = angle.cos(), angle.sin()
        first, second = x[..., :half], x[..., half:]
        return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)

    def forward(self, x, state=None, keep=None):
        def heads(y, count):
            return y.unflatten(-1, (count, self.head_dim)).transpose(1, 2)

        q = self.rotate(heads(self.q_proj(x), self.heads))
        k = self.rotate(heads(self.k_proj(x), self.kv_heads))
        v = heads(self.v_proj(x), self.kv_heads)
        group = self.heads // self.kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        score = (q @ k.transpose(-1, -2)) * self.head_dim**-0.5
        future = torch.ones(score.shape[-2:], dtype=torch.bool).triu(1)
        y = score.masked_fill(future, float("-inf")).softmax(-1) @ v
        y = y.transpose(1, 2).flatten(2)
        return self.o_proj(self.sub_norm(y) if self.sub_norm is not None else y), None


# ------------------------------------------------------------------ channel mixers
class GLU(nn.Module):
    """down( act(gate(x)) * up(x) ); both projections consume the same codes."""

    def __init__(self, config, spec, linear):
        super().__init__()
        hidden, width = config["hidden_size"], spec["intermediate_size"]
        self.activation = ACTIVATIONS[spec["activation"]]
        self.gate_proj = linear("channel.gate_proj", hidden, width)
        self.up_proj = linear("channel.up_proj", hidden, width, norm=False)
        self.down_proj = linear("channel.down_proj", width, hidden)
        self.sub_norm = RMSNorm(width, config["rms_norm_eps"]) if spec.get("sub_norm") else None

    def forward(self, x):
        prepared = self.gate_proj.prepare(x)
        y = self.activation(self.gate_proj.apply_prepared(prepared)) * self.up_proj.apply_prepared(prepared)
        return self.down_proj(self.sub_norm(y) if self.sub_norm is not None else y)


class ExpertTable(nn.Module):
    """One vector per expert, with a scale per row, or one for the whole table in some packed files."""

    def __init__(self, count, width, quantization):
        super().__init__()
        self.quantization = quantization
        self.weight = nn.Parameter(torch.empty(count, width))
        if quantization in PACKINGS:
            self.register_buffer("weight_scale", torch.ones(count))

    def rows(self, index):
        """Returns (vectors, scales) of the chosen experts, [..., width] and [...]."""
        rows = self.weight[index]
        if self.quantization == "float":
            return rows, torch.ones(index.shape)
        if self.quantization in PACKINGS:
            scale = self.weight_scale
            return rows, scale[index] if scale.numel() > 1 else scale.expand(index.shape)
        trits, scale = absmean_ternary(rows, dim=-1)
        return trits, scale.squeeze(-1)

    def table(self):
        """Returns the vectors of all experts as training sees them, scale included.

        A batch retrieves more rows than there are experts, so rounding every row once is cheaper than the retrieved ones.
        """
        if self.quantization != "online":
            return self.weight if self.quantization == "float" else self.weight * self.weight_scale[:, None]
        trits, scale = absmean_ternary(self.weight, dim=-1)
        return straight_through(self.weight, trits * scale)


class PEER(nn.Module):
    """Parameter-efficient expert retrieval: each head picks top_k of n*n single-neuron experts by product keys."""

    def __init__(self, config, spec, linear):
        super().__init__()
        hidden = config["hidden_size"]
        self.heads, self.top_k, self.key_dim = spec["num_heads"], spec["top_k"], spec["key_dim"]
        self.side = math.isqrt(spec["num_experts"])
        if self.side**2 != spec["num_experts"]:
            raise ValueError(f"num_experts must be a square, found {spec['num_experts']}")
        self.activation = ACTIVATIONS[spec.get("activation", "gelu")]
        self.score = SCORES[spec.get("score", "softmax")]
        self.query_proj = linear("channel.query_proj", hidden, self.heads * 2 * self.key_dim)
        key_heads = 1 if spec.get("shared_keys", True) else self.heads
        self.sub_keys = nn.Parameter(torch.empty(key_heads, 2, self.side, self.key_dim))
        norm_kind = spec.get("query_norm", "none")
        self.query_norm = None
        if norm_kind != "none":
            self.query_norm = QueryNorm(self.heads, 2 * self.key_dim, norm_kind == "layer", config["rms_norm_eps"])
        tables = linear.quantization.get("experts", linear.quantization["linear"])
        self.down = ExpertTable(spec["num_experts"], hidden, tables)
        self.up = ExpertTable(spec["num_experts"], hidden, tables)

    def retrieve(self, x):
        """Returns the scores and ids of the chosen experts, both [batch, time, heads, top_k]."""
        query = self.query_proj(x).unflatten(-1, (self.heads, 2 * self.key_dim))
        if self.query_norm is not None:
            query = self.query_norm(query)
        query = query.unflatten(-1, (2, self.key_dim))
        keys = self.sub_keys.expand(self.heads, -1, -1, -1)
        with torch.autocast("cpu", enabled=False):  # bfloat16 would make equal scores common
            half, half_id = self.best(torch.einsum("bthpd,hpnd->bthpn", query.to(keys.dtype), keys))
        # The best sums of two halves are among the sums of the best halves.
        total = (half[..., 0, :, None] + half[..., 1, None, :]).flatten(-2)
        expert = (half_id[..., 0, :, None] * self.side + half_id[..., 1, None, :]).flatten(-2)
        score, position = self.best(total)
        return score, expert.gather(-1, position)

    def best(self, x):
        """The top_k largest values; equal values keep the lowest index in evaluation mode."""
        if self.training:
            return torch.topk(x, self.top_k, dim=-1)
        value, index = torch.sort(x, dim=-1, descending=True, stable=True)
        return value[..., : self.top_k], index[..., : self.top_k]

    def forward(self, x):
        score, expert = self.retrieve(x)
        codes, scale = x, torch.ones_like(x[..., :1])
        if self.down.quantization != "float":
            codes, scale = quantize(x)
            codes = sparsify(codes, self.query_proj.sparsity, exact=not self.training)
        if self.training:
            return self.train_experts(straight_through(x, codes / scale), self.score(score), expert)
        down, down_scale = self.down.rows(expert)
        up, up_scale = self.up.rows(expert)
        a = torch.einsum("btd,bthkd->bthk", codes, down) * (down_scale / scale[..., None])
        return torch.einsum("bthk,bthkd->btd", self.activation(a) * self.score(score) * up_scale, up)

    def train_experts(self, x, score, expert):
        """The same sum over experts, without a copy of their rows for every token."""
        index = expert.flatten(0, 1).flatten(1)
        a = gather_dot(x.float().flatten(0, 1), self.down.table(), index)
        weight = self.activation(a) * score.float().flatten(0, 1).flatten(1)
        return gather_sum(weight, self.up.table(), index).view(x.shape)


class QueryNorm(nn.Module):
    """An affine map of each query head, after a layer norm if `normalize`."""

    def __init__(self, heads, width, normalize, eps):
        super().__init__()
        self.normalize, self.eps = normalize, eps
        self.weight = nn.Parameter(torch.ones(heads, width))
        self.bias = nn.Parameter(torch.zeros(heads, width))

    def forward(self, query):
        if self.normalize:
            query = F.layer_norm(query, query.shape[-1:], eps=self.eps)
        return query * self.weight + self.bias


# ------------------------------------------------------------------ model
MIXERS = {"mlgru": MLGRU, "attention": Attention}
CHANNELS = {"glu": GLU, "peer": PEER}


class Block(nn.Module):
    """x += mixer(norm(x)); x += channel(norm(x))."""

    def __init__(self, config, layer):
        super().__init__()
        linear = LinearFactory(config, layer)
        self.mixer_norm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.channel_norm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.mixer = MIXERS[layer["mixer"]["kind"]](config, layer["mixer"], linear)
        self.channel = CHANNELS[layer["channel"]["kind"]](config, layer["channel"], linear)

    def forward(self, x, state=None, keep=None):
        y, state = self.mixer(self.mixer_norm(x), state, keep)
        x = x + y
        return x + self.channel(self.channel_norm(x)), state


class Decoder(nn.Module):
    """Embedding, blocks and final norm."""

    def __init__(self, config):
        super().__init__()
        self.bos = config["bos_token_id"]
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList(Block(config, layer) for layer in expand_layers(config))
        self.norm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])

    def forward(self, ids, states=None):
        x = self.embed_tokens(ids)
        keep = (ids != self.bos).unsqueeze(-1).to(x.dtype) if self.training else None
        states = states or [None] * len(self.layers)
        last = []
        for block, state in zip(self.layers, states):
            x, state = block(x, state, keep)
            last.append(state)
        return self.norm(x), last


class TernaryLM(nn.Module):
    """The language model. Parameter names are the checkpoint's tensor names."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.model = Decoder(config)
        self.lm_head = None
        if not config.get("tie_word_embeddings"):
            kind = config["quantization"].get("lm_head", "float")
            has_norm = kind != "float" and config["linear"]["input_norm"]
            self.lm_head = TernaryLinear(
                config["hidden_size"], config["vocab_size"], kind, config["linear"]["norm_eps"] if has_norm else None)

    def forward(self, ids, states=None):
        """ids [batch, time] -> logits [batch, time, vocab] and each recurrent layer's last state.

        Training packs many documents into one sequence, so there a beginning-of-text token empties the state.
        """
        x, states = self.model(ids, states)
        return self.logits(x), states

    def logits(self, x):
        """Multiplies the last hidden states by the output matrix, which may be the embedding."""
        return self.lm_head(x) if self.lm_head is not None else F.linear(x, self.model.embed_tokens.weight)


def expand_layers(config):
    """Returns one entry per layer from the run-length list `layers`."""
    layers = [entry for entry in config["layers"] for _ in range(entry.get("repeat", 1))]
    if len(layers) != config["num_hidden_layers"]:
        raise ValueError(f"layers describes {len(layers)} layers, num_hidden_layers is {config['num_hidden_layers']}")
    return layers
