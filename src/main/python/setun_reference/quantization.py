"""Trits, int8 codes and activation sparsity: the arithmetic that makes the model ternary, and how trits are stored."""
import math

import torch
import torch.nn.functional as F

ACTIVATION_FLOOR = 1e-5  # smallest absmax of a token
WEIGHT_FLOOR = 1e-5      # smallest absmean of a matrix


def absmean_ternary(weight, dim=None):
    """Rounds a float matrix to trits and a scale with weight ~ trits * scale.

    One scale for the whole matrix, or one per row with dim=-1. Halves round to even.
    """
    magnitude = weight.float().abs()
    scale = magnitude.mean() if dim is None else magnitude.mean(dim, keepdim=True)
    scale = scale.clamp(min=WEIGHT_FLOOR)
    return (weight.float() * (1.0 / scale)).round().clamp(-1, 1), scale


def activation_scale(x):
    """Returns 127 / absmax for each token, [..., 1]."""
    return 127.0 / x.abs().amax(-1, keepdim=True).clamp(min=ACTIVATION_FLOOR)


def quantize(x):
    """Rounds activations to int8 codes (held as floats) and a scale per token, with x ~ codes / scale."""
    scale = activation_scale(x)
    return (x * scale).round().clamp(-128, 127), scale


def straight_through(value, quantized):
    """Returns `quantized` going forward and behaves like `value` going backward."""
    return value + (quantized - value).detach()


def sparsify(codes, sparsity, exact=True):
    """Zeroes all but the largest magnitudes of each token, or of each block of m neighbours.

    Equal magnitudes keep the lowest index when `exact`; training passes False, for speed, and keeps all that equal the
    smallest kept magnitude.
    """
    kind = sparsity["kind"] if sparsity else "none"
    if kind == "none":
        return codes
    if kind == "topk":
        keep, grouped = max(1, math.floor(sparsity["ratio"] * codes.shape[-1] + 0.5)), codes
    elif kind == "block_topk":
        keep, grouped = sparsity["n"], codes.unflatten(-1, (-1, sparsity["m"]))
    else:
        raise ValueError(f"unknown sparsity kind {kind!r}")
    if not exact:
        return keep_largest(grouped.detach(), keep).reshape(codes.shape)
    kept = torch.sort(grouped.abs(), dim=-1, descending=True, stable=True).indices[..., :keep]
    return (grouped * torch.zeros_like(grouped).scatter_(-1, kept, 1.0)).reshape(codes.shape)


@torch.library.custom_op("setun::keep_largest", mutates_args=())
def keep_largest(codes: torch.Tensor, keep: int) -> torch.Tensor:
    """Zeroes all codes smaller than the `keep`-th largest magnitude along the last axis. It has no gradient.

    An operator, so that a compiled model compiles it once for each width and not once for each linear.
    """
    return bisect(codes, keep)


@keep_largest.register_fake
def _(codes, keep):
    return torch.empty_like(codes)


def bisect(codes, keep):
    """Computes keep_largest bit by bit: eight counts, which compile to vector code and cost a twentieth of torch.topk."""
    magnitude = codes.abs()
    smallest = torch.zeros_like(magnitude[..., :1])
    for bit in (128.0, 64.0, 32.0, 16.0, 8.0, 4.0, 2.0, 1.0):  # int8 codes reach -128
        raised = smallest + bit
        enough = (magnitude >= raised).to(codes.dtype).sum(-1, keepdim=True) >= keep
        smallest = torch.where(enough, raised, smallest)
    return codes * (magnitude >= smallest)


def compile_selection():
    """Makes keep_largest run compiled code from now on."""
    global bisect
    bisect = torch.compile(bisect, dynamic=False)


def pack_u2_rows(trits):
    """[rows, cols] -> [rows/4, cols]: bits 2k and 2k+1 of byte (r, c) hold trit (r + k*rows/4, c) plus one."""
    rows = trits.shape[0]
    if rows % 4:
        raise ValueError(f"u2_rows needs a multiple of four rows, found {rows}")
    fields = (trits + 1).to(torch.uint8).reshape(4, rows // 4, -1)
    return fields[0] | (fields[1] << 2) | (fields[2] << 4) | (fields[3] << 6)


def unpack_u2_rows(packed):
    """Inverse of pack_u2_rows."""
    return torch.cat([((packed >> (2 * k)) & 3).to(torch.int8) - 1 for k in range(4)], 0)


def pack_b3(trits):
    """[rows, cols] -> [rows, ceil(cols/5)]: a byte is the base-3 number of five neighbouring trits plus one."""
    rows, cols = trits.shape
    digits = F.pad((trits + 1).to(torch.int32), (0, -cols % 5), value=1).reshape(rows, -1, 5)
    return (digits * torch.tensor([1, 3, 9, 27, 81], dtype=torch.int32)).sum(-1).to(torch.uint8)


def unpack_b3(packed, cols):
    """Inverse of pack_b3."""
    value = packed.to(torch.int32)
    digits = torch.stack([(value // 3**j) % 3 for j in range(5)], -1)
    return (digits.reshape(packed.shape[0], -1)[:, :cols] - 1).to(torch.int8)


PACKINGS = ("u2_rows", "u2_cols", "b3")


def pack(kind, trits):
    """Packs int8 trits [rows, cols] into bytes."""
    if kind == "u2_rows":
        return pack_u2_rows(trits)
    if kind == "u2_cols":
        return pack_u2_rows(trits.T).T.contiguous()
    if kind == "b3":
        return pack_b3(trits)
    raise ValueError(f"unknown packing {kind!r}, expected one of {PACKINGS}")


def unpack(kind, packed, cols):
    """Unpacks bytes into int8 trits [rows, cols]."""
    if kind == "u2_rows":
        return unpack_u2_rows(packed)
    if kind == "u2_cols":
        return unpack_u2_rows(packed.T).T.contiguous()
    if kind == "b3":
        return unpack_b3(packed, cols)
    raise ValueError(f"unknown packing {kind!r}, expected one of {PACKINGS}")
