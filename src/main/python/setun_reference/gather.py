"""Products with a few rows of a large table for each token, and their gradients.

Three products are closed under differentiation: the gradients of each are the other two. None of them holds a copy of the
gathered rows [tokens, k, width]: sums over rows are embedding bags, and a table's gradient is a bag of tokens for every row.
They are registered as operators, so that a compiled model calls them whole.
"""
import torch
import torch.nn.functional as F


@torch.library.custom_op("setun::gather_dot", mutates_args=())
def gather_dot(x: torch.Tensor, table: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Returns <x[t], table[index[t, j]]> for x [tokens, width] and index [tokens, k], as [tokens, k]."""
    tokens, k = index.shape
    offsets = torch.arange(0, tokens * k, k)
    bags = torch.arange(tokens).repeat_interleave(k)
    # PyTorch's own kernel of this product is the gradient of an embedding bag's weights.
    product = torch.ops.aten._embedding_bag_per_sample_weights_backward(
        x.contiguous(), table.contiguous(), index.reshape(-1), offsets, bags, 0)
    return product.view(tokens, k)


@torch.library.custom_op("setun::gather_sum", mutates_args=())
def gather_sum(weight: torch.Tensor, table: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Returns the sum over j of weight[t, j] * table[index[t, j]], [tokens, width]."""
    return F.embedding_bag(index, table, per_sample_weights=weight.contiguous(), mode="sum")


@torch.library.custom_op("setun::scatter_outer", mutates_args=())
def scatter_outer(weight: torch.Tensor, x: torch.Tensor, index: torch.Tensor, rows: int) -> torch.Tensor:
    """Returns a table [rows, width] whose row e is the sum of weight[t, j] * x[t] over all index[t, j] = e."""
    order = torch.argsort(index.reshape(-1).to(torch.int32), stable=True)  # stable: always the same order of additions
    counts = torch.bincount(index.reshape(-1), minlength=rows)
    return F.embedding_bag(
        order // index.shape[1], x.contiguous(), counts.cumsum(0) - counts,
        per_sample_weights=weight.reshape(-1)[order], mode="sum")


@gather_dot.register_fake
def _(x, table, index):
    return x.new_empty(index.shape)


@gather_sum.register_fake
def _(weight, table, index):
    return table.new_empty(index.shape[0], table.shape[1])


@scatter_outer.register_fake
def _(weight, x, index, rows):
    return x.new_empty(rows, x.shape[1])


def _keep(ctx, inputs, output):
    ctx.save_for_backward(*inputs[:3])


def _gather_dot_backward(ctx, grad):
    x, table, index = ctx.saved_tensors
    return gather_sum(grad, table, index), scatter_outer(grad, x, index, table.shape[0]), None


def _gather_sum_backward(ctx, grad):
    weight, table, index = ctx.saved_tensors
    return gather_dot(grad, table, index), scatter_outer(weight, grad, index, table.shape[0]), None


def _scatter_outer_backward(ctx, grad):
    weight, x, index = ctx.saved_tensors
    return gather_dot(x, grad, index), gather_sum(weight, grad, index), None, None


gather_dot.register_autograd(_gather_dot_backward, setup_context=_keep)
gather_sum.register_autograd(_gather_sum_backward, setup_context=_keep)
scatter_outer.register_autograd(_scatter_outer_backward, setup_context=_keep)
