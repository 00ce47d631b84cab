"""The gated linear recurrence h_t = f_t * h_{t-1} + u_t, with its gradient.

It is registered as one operator, so that a compiled model calls it whole instead of unrolling the loop over time.
"""
import torch


@torch.library.custom_op("setun::gated_scan", mutates_args=())
def gated_scan(f: torch.Tensor, u: torch.Tensor, initial: torch.Tensor) -> torch.Tensor:
    """Scans f and u [batch, time, width] from the state `initial` [batch, width]; returns all states."""
    h = torch.empty_like(u)
    previous = initial
    for f_t, u_t, h_t in zip(f.unbind(1), u.unbind(1), h.unbind(1)):
        torch.addcmul(u_t, f_t, previous, out=h_t)
        previous = h_t
    return h


@gated_scan.register_fake
def _(f, u, initial):
    return torch.empty_like(u)


@torch.library.custom_op("setun::gated_scan_backward", mutates_args=())
def gated_scan_backward(grad: torch.Tensor, f: torch.Tensor) -> torch.Tensor:
    """The same recurrence, run backward in time: d_t = grad_t + f_{t+1} * d_{t+1}."""
    d = torch.empty_like(f)
    grads, gates, outs = grad.unbind(1), f.unbind(1), d.unbind(1)
    outs[-1].copy_(grads[-1])
    for t in range(len(outs) - 2, -1, -1):
        torch.addcmul(grads[t], gates[t + 1], outs[t + 1], out=outs[t])
    return d


@gated_scan_backward.register_fake
def _(grad, f):
    return torch.empty_like(f)


def _setup_context(ctx, inputs, output):
    f, _, initial = inputs
    ctx.save_for_backward(f, output, initial)


def _backward(ctx, grad):
    f, h, initial = ctx.saved_tensors
    d = gated_scan_backward(grad, f)
    previous = torch.cat([initial.unsqueeze(1), h[:, :-1]], 1)
    return d * previous, d, f[:, 0] * d[:, 0]


gated_scan.register_autograd(_backward, setup_context=_setup_context)
