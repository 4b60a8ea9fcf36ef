#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes sequence.golden (recurrent layers and attention as operations, in float64) and sequence_modules.golden (the
layers: how they print and begin after manual_seed(5), and what they give, with gradients, in float64).

    python3 make_sequence_golden.py

The numbers in the repository are those of PyTorch 1.13.1.
"""
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from golden_file import write
from op_cases import case, normal, write_cases

GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}


def run(cell, x, weights, bias, h, c):
    """One direction over x [T, 1 or N, input] -> output, h, c."""
    if cell == "lstm":
        output, h, c = torch._VF.lstm(x, (h, c), weights, bias, 1, 0.0, False, False, False)
        return output, h[0], c[0]
    output, h = getattr(torch._VF, cell)(x, h, weights, bias, 1, 0.0, False, False, False)
    return output, h[0], None


def layer(cell, reverse, bias, projection, state, lengths):
    def function(x, *rest):
        rest = list(rest)
        weights = [rest.pop(0) for _ in range(2 + 2 * bias + projection)]
        hidden = weights[0].shape[0] // GATES[cell]
        steps, batch = x.shape[:2]
        h = rest.pop(0)[None] if state else x.new_zeros(1, batch, weights[1].shape[1])
        c = rest.pop(0)[None] if state and cell == "lstm" else x.new_zeros(1, batch, hidden)
        ends = rest.pop(0).tolist() if lengths else [steps] * batch
        results = []
        for row, end in enumerate(ends):
            here = slice(row, row + 1)
            y = x[:end, here].flip(0) if reverse else x[:end, here]
            y, h_n, c_n = run(cell, y, weights, bias, h[:, here].contiguous(), c[:, here].contiguous())
            y = y.flip(0) if reverse else y
            results.append((F.pad(y, (0, 0, 0, 0, 0, steps - end)), h_n, c_n))
        outputs = [torch.cat([r[0] for r in results], 1), torch.cat([r[1] for r in results])]
        return outputs + [torch.cat([r[2] for r in results])] if cell == "lstm" else outputs
    return function


def recurrent(note, cell, reverse=False, bias=True, projection=0, state=True, lengths=None, steps=4, batch=3):
    size, hidden = 2, 3
    width, kept = GATES[cell] * hidden, projection or hidden
    inputs = [normal(steps, batch, size), normal(width, size, scale=0.6), normal(width, kept, scale=0.6)]
    if bias:
        inputs += [normal(width), normal(width)]
    if projection:
        inputs += [normal(projection, hidden)]
    if state:
        inputs += [normal(batch, kept)] + ([normal(batch, hidden)] if cell == "lstm" else [])
    if lengths:
        inputs += [torch.tensor(lengths)]
    attributes = {"cell": cell, "reverse": reverse, "has_bias": bias, "has_projection": projection > 0,
                  "has_state": state, "has_lengths": lengths is not None}
    case("recurrent_layer", f"{cell}, {note}", attributes, inputs,
         layer(cell, reverse, bias, projection > 0, state, lengths is not None))


for cell in GATES:
    recurrent("with a state", cell)
    recurrent("plain", cell, bias=False, state=False)
    recurrent("reverse", cell, reverse=True)
    recurrent("lengths", cell, lengths=[2, 4, 1])
    recurrent("reverse, lengths, one step", cell, reverse=True, state=False, lengths=[1, 1, 1], steps=1)
    recurrent("reverse, lengths", cell, reverse=True, lengths=[3, 1, 4])
    recurrent("one row", cell, batch=1)
recurrent("projection", "lstm", projection=2)
recurrent("projection, plain", "lstm", projection=1, bias=False, state=False)
recurrent("projection, reverse, lengths", "lstm", projection=2, reverse=True, lengths=[3, 1, 4])


def attention(note, shapes, mask=None, **attributes):
    options = {"dropout_p": 0.0, "training": False, "is_causal": False, "scale": None, **attributes}

    def function(q, k, v, mask=None):
        scale = options["scale"] or 1 / math.sqrt(q.shape[-1])
        weights = (q * scale) @ k.transpose(-2, -1)
        if mask is not None:
            weights = weights.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else weights + mask
        if options["is_causal"]:
            weights = weights.masked_fill(~torch.ones(weights.shape[-2:], dtype=torch.bool).tril(), -math.inf)
        weights = F.dropout(weights.softmax(-1), options["dropout_p"], options["training"])
        return weights @ v

    inputs = [normal(*shape) for shape in shapes] + ([] if mask is None else [mask])
    seed = 7 if options["training"] else None
    case("scaled_dot_product_attention", note, options, inputs, function, seed=seed)


def allowed(*shape):
    """Bool, but every row may look at something."""
    mask = normal(*shape) > -0.2
    mask[..., 0] = True
    return mask


attention("plain", [(3, 2), (4, 2), (4, 5)])
attention("batch", [(2, 3, 5, 4), (2, 3, 5, 4), (2, 3, 5, 4)])
attention("scale", [(2, 3, 2), (2, 4, 2), (2, 4, 5)], scale=0.3)
attention("causal", [(2, 5, 4), (2, 5, 4), (2, 5, 4)], is_causal=True)
attention("causal, more queries", [(2, 5, 4), (2, 3, 4), (2, 3, 4)], is_causal=True)
attention("causal, more keys", [(2, 3, 4), (2, 5, 4), (2, 5, 4)], is_causal=True)
attention("mask", [(2, 3, 4), (2, 5, 4), (2, 5, 2)], mask=normal(3, 5))
attention("mask, broadcast", [(2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 2)], mask=normal(2, 1, 1, 5))
attention("mask, one column", [(2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 2)], mask=normal(2, 3, 1))
attention("bool mask", [(2, 3, 4), (2, 5, 4), (2, 5, 2)], mask=allowed(2, 3, 5))
attention("bool mask, causal", [(2, 3, 4), (2, 5, 4), (2, 5, 2)], mask=allowed(2, 1, 5), is_causal=True)
attention("nowhere to look", [(2, 3), (3, 3), (3, 2)], mask=torch.tensor([[True, True, False], [False, False, False]]))
attention("no keys", [(2, 3, 2), (2, 0, 2), (2, 0, 4)])
attention("no queries", [(2, 0, 2), (2, 3, 2), (2, 3, 4)])
attention("dropout", [(2, 3, 4), (2, 5, 4), (2, 5, 2)], dropout_p=0.4, training=True)
attention("dropout of all", [(2, 3, 4), (2, 5, 4), (2, 5, 2)], dropout_p=1.0, training=True)
attention("dropout, evaluation", [(2, 3, 4), (2, 5, 4), (2, 5, 2)], dropout_p=0.4)
write_cases("sequence.golden")

# --- layers

modules = []


def module(name, make, inputs, call=None, fixed=()):
    """call(module, *inputs) gives the results, all of which have a gradient of a fixed pattern."""
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(5)
    layer = make()
    state = {key.replace(".", "/"): value.clone() for key, value in layer.state_dict().items()}
    torch.set_default_dtype(torch.float64)
    entries = {"printed": str(layer), "state": state}
    layer.double()
    leaves = [x.clone().requires_grad_(x.is_floating_point() and i not in fixed) for i, x in enumerate(inputs)]
    torch.manual_seed(6)
    outputs = (call or (lambda m, *x: m(*x)))(layer, *leaves)
    outputs = [y for y in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]
    outputs = [z for y in outputs for z in (y if isinstance(y, tuple) else [y])]
    loss = sum((y * torch.arange(1.0, y.numel() + 1).view(y.shape).cos()).sum() for y in outputs)
    loss.backward()
    entries["inputs"] = dict(enumerate(inputs))
    entries["outputs"] = dict(enumerate(outputs))
    entries["gradients"] = {i: x.grad for i, x in enumerate(leaves) if x.grad is not None}
    grads = {name.replace(".", "/"): p.grad for name, p in layer.named_parameters()}
    if sum(g.numel() for g in grads.values()) > 300:  # of a large layer only the sums
        grads = {name: g.sum() for name, g in grads.items()}
    entries["parameters"] = grads
    modules.append((name, entries))


def with_state(m, x, h, c):
    return m(x, (h, c))


def packed(lengths):
    def call(m, x, *state):
        x = nn.utils.rnn.pack_padded_sequence(x, lengths, m.batch_first, enforce_sorted=False)
        state = (state if isinstance(m, nn.LSTM) else state[0]) if state else None
        y, state = m(x, state)
        y, _ = nn.utils.rnn.pad_packed_sequence(y, m.batch_first)
        return y, state
    return call


module("RNN", lambda: nn.RNN(2, 3), [normal(4, 2, 2)])
module("RNN, relu, state", lambda: nn.RNN(2, 3, 2, nonlinearity="relu", bias=False), [normal(4, 2, 2), normal(2, 2, 3)])
module("GRU, state", lambda: nn.GRU(2, 3, 2, batch_first=True, bidirectional=True), [normal(2, 4, 2), normal(4, 2, 3)])
module("GRU, dropout", lambda: nn.GRU(2, 3, 3, dropout=0.5), [normal(4, 2, 2)])
module("GRU, no batch", lambda: nn.GRU(2, 3, 2, batch_first=True), [normal(4, 2), normal(2, 3)])
module("GRU, lengths", lambda: nn.GRU(2, 3, 1, bidirectional=True), [normal(4, 3, 2)], packed([2, 4, 1]))
module("LSTM", lambda: nn.LSTM(2, 3), [normal(4, 2, 2)])
module("LSTM, state", lambda: nn.LSTM(2, 3, 2), [normal(4, 2, 2), normal(2, 2, 3), normal(2, 2, 3)], with_state)
module("LSTM, projection", lambda: nn.LSTM(2, 4, 2, bidirectional=True, proj_size=3, batch_first=True, dropout=0.25),
       [normal(3, 4, 2), normal(4, 3, 3), normal(4, 3, 4)], with_state)
module("LSTM, no batch", lambda: nn.LSTM(2, 3, bidirectional=True), [normal(4, 2), normal(2, 3), normal(2, 3)],
       with_state)
module("LSTM, lengths", lambda: nn.LSTM(2, 3, 2, bidirectional=True, batch_first=True),
       [normal(3, 4, 2), normal(4, 3, 3), normal(4, 3, 3)], packed([3, 1, 4]))
module("RNNCell", lambda: nn.RNNCell(2, 3), [normal(4, 2), normal(4, 3)])
module("RNNCell, relu", lambda: nn.RNNCell(2, 3, bias=False, nonlinearity="relu"), [normal(4, 2)])
module("GRUCell", lambda: nn.GRUCell(2, 3), [normal(4, 2), normal(4, 3)])
module("GRUCell, no batch", lambda: nn.GRUCell(2, 3), [normal(2), normal(3)])
module("LSTMCell", lambda: nn.LSTMCell(2, 3, bias=False), [normal(4, 2), normal(4, 3), normal(4, 3)], with_state)
module("LSTMCell, no batch", lambda: nn.LSTMCell(2, 3), [normal(2)])

module("MultiheadAttention", lambda: nn.MultiheadAttention(4, 2), [normal(3, 2, 4)], lambda m, x: m(x, x, x))
module("MultiheadAttention, others", lambda: nn.MultiheadAttention(4, 2, kdim=3, vdim=5, batch_first=True),
       [normal(2, 3, 4), normal(2, 5, 3), normal(2, 5, 5)], lambda m, q, k, v: m(q, k, v, average_attn_weights=False))
module("MultiheadAttention, more keys", lambda: nn.MultiheadAttention(4, 2, add_bias_kv=True, add_zero_attn=True),
       [normal(3, 2, 4), normal(5, 2, 4), normal(3, 5)],
       lambda m, q, k, mask: m(q, k, k, attn_mask=mask, need_weights=False)[0])
module("MultiheadAttention, masks", lambda: nn.MultiheadAttention(4, 2, bias=False, batch_first=True),
       [normal(2, 3, 4), torch.tensor([[False, False, True], [False, True, False]]),
        torch.tensor([[[False, True, False]] * 3] * 4)],
       lambda m, x, padding, mask: m(x, x, x, key_padding_mask=padding, attn_mask=mask))
module("MultiheadAttention, dropout", lambda: nn.MultiheadAttention(4, 2, dropout=0.3), [normal(3, 2, 4)],
       lambda m, x: m(x, x, x))
module("MultiheadAttention, no batch", lambda: nn.MultiheadAttention(4, 2),
       [normal(3, 4), torch.tensor([False, True, False])],
       lambda m, x, padding: m(x, x, x, key_padding_mask=padding))

subsequent = nn.Transformer.generate_square_subsequent_mask(3).double()
module("TransformerEncoderLayer", lambda: nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0), [normal(3, 2, 4)])
module("TransformerEncoderLayer, norm first",
       lambda: nn.TransformerEncoderLayer(4, 2, 6, 0.2, "gelu", 1e-3, batch_first=True, norm_first=True),
       [normal(2, 3, 4), subsequent, torch.tensor([[False, False, True], [False, True, False]])],
       lambda m, x, mask, padding: m(x, mask, padding), fixed=[1])
module("TransformerEncoder",
       lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 6, 0.1), 2, nn.LayerNorm(4)),
       [normal(3, 2, 4)])
module("TransformerDecoderLayer", lambda: nn.TransformerDecoderLayer(4, 2, 6, dropout=0.0),
       [normal(3, 2, 4), normal(5, 2, 4), subsequent], lambda m, x, y, mask: m(x, y, mask), fixed=[2])
module("TransformerDecoder",
       lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 6, 0.0, norm_first=True), 2),
       [normal(3, 2, 4), normal(5, 2, 4)])
module("Transformer", lambda: nn.Transformer(4, 2, 1, 2, 6, 0.1, batch_first=True),
       [normal(2, 3, 4), normal(2, 3, 4), subsequent], lambda m, x, y, mask: m(x, y, tgt_mask=mask), fixed=[2])

write(Path(__file__).with_name("sequence_modules.golden"), modules)
