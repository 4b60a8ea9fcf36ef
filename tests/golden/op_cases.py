# SPDX-License-Identifier: MIT
"""What the scripts that write golden numbers of operations share.

A case has op, attributes, inputs, output; if it is differentiable also grad (the incoming gradient) and gradients by
input; `after` where the operation changes an input, `seed` where it draws random numbers. An op of several results has
outputs and grads (of those that have one) by result instead. All in float64.
"""
from pathlib import Path

import torch

from golden_file import write

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(1)
cases = []


def normal(*shape, scale=1.0):
    return (torch.randn(shape, generator=generator) * scale).mul(1000).round().div(1000)


def positive(*shape):
    return (torch.rand(shape, generator=generator) * 2 + 0.25).mul(1000).round().div(1000)


def distinct(*shape):
    """No two elements are equal or nearly so."""
    count = torch.Size(shape).numel()
    return (torch.randperm(count, generator=generator).double().reshape(shape) - count // 2) / 8


def integers(low, high, *shape):
    return torch.randint(low, high, shape, generator=generator)


def case(op, note, attributes, inputs, function, seed=None, fixed=()):
    """function takes the inputs that are tensors; those of the indices `fixed` have no gradient."""
    originals = [x.clone() for x in inputs]
    leaves = [x.clone().requires_grad_(x.is_floating_point() and i not in fixed) for i, x in enumerate(inputs)]
    if seed is not None:
        torch.manual_seed(seed)
    output = function(*leaves)
    entries = {"op": op}
    if seed is not None:
        entries["seed"] = seed
    entries["attributes"] = attributes
    entries["inputs"] = dict(enumerate(originals))
    several = not isinstance(output, torch.Tensor)
    outputs = dict(enumerate(output if several else [output]))
    grads = {i: normal(*y.shape) for i, y in outputs.items() if y.requires_grad}
    entries.update({"outputs": outputs} if several else {"output": output})
    if grads:
        wanted = [i for i, x in enumerate(leaves) if x.requires_grad]
        gradients = torch.autograd.grad([outputs[i] for i in grads], [leaves[i] for i in wanted],
                                        list(grads.values()), allow_unused=True)
        entries.update({"grads": grads} if several else {"grad": grads[0]})
        entries["gradients"] = {i: g for i, g in zip(wanted, gradients) if g is not None}
    changed = {i: x for i, (x, original) in enumerate(zip(leaves, originals)) if not torch.equal(x, original)}
    if changed:
        entries["after"] = changed
    cases.append((f"{op}: {note}", entries))


def write_cases(name):
    write(Path(__file__).with_name(name), cases)
