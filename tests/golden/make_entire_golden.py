#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes entire/: networks of PyTorch's own layers, pickled whole, with the text that Python prints for each; in
golden.pt inputs, outputs, and what five steps of SGD make of a loss.

    python3 make_entire_golden.py

tests/serialize/torch/entire_model_test.cpp loads them. The files in the repository are those of PyTorch 1.13.1.
"""
import collections
import copy
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FOLDER = Path(__file__).parent / "entire"
NUMBERS = {}
MEMBERS = ("_parameters", "_buffers", "_modules")


def newer(module, name, base, forward=None, extra_repr=None):
    """A class that PyTorch 1.13 does not have yet, under the name that it has in later versions."""
    where = getattr(nn.modules, module)
    if hasattr(where, name):
        return getattr(where, name)
    members = {"__module__": where.__name__, "__qualname__": name}
    if forward:
        members.update(forward=forward, extra_repr=extra_repr)
    made = type(name, (base,), members)
    setattr(where, name, made)
    return made


def newer_pad(name, base, mode):
    return newer("padding", name, base, lambda self, x: F.pad(x, self.padding, mode), lambda self: f"{self.padding}")


ZeroPad1d = newer_pad("ZeroPad1d", nn.ConstantPad1d, "constant")
ZeroPad3d = newer_pad("ZeroPad3d", nn.ConstantPad3d, "constant")
CircularPad1d = newer_pad("CircularPad1d", nn.ReflectionPad1d, "circular")
CircularPad2d = newer_pad("CircularPad2d", nn.ReflectionPad2d, "circular")
CircularPad3d = newer_pad("CircularPad3d", nn.ReflectionPad3d, "circular")
def lp_pool3d(self, x):
    sums = F.avg_pool3d(x.pow(self.norm_type), self.kernel_size, self.stride, 0, self.ceil_mode) * np.prod(self.kernel_size)
    return (torch.sign(sums) * F.relu(torch.abs(sums))).pow(1.0 / self.norm_type)


LPPool3d = newer("pooling", "LPPool3d", nn.LPPool2d, lp_pool3d, nn.LPPool2d.extra_repr)
RMSNorm = newer("normalization", "RMSNorm", nn.LayerNorm,
                lambda self, x: x * torch.rsqrt((x * x).mean(-1, keepdim=True) + self.eps) * self.weight,
                lambda self: f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}")
# Files of the older format have the source code of each class.
torch.serialization.get_source_lines_and_file = lambda thing: (["the class's code"], 1, "code.py")
nn.SyncBatchNorm.forward = nn.modules.batchnorm._BatchNorm.forward  # its own asks for a GPU


def rms_norm(size):
    layer = RMSNorm(size, eps=1e-4)
    del layer._parameters["bias"]
    return layer


def shake(model):
    """Running statistics that are not those of the beginning."""
    for module in model.modules():
        if getattr(module, "running_mean", None) is not None:
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, (nn.LayerNorm, nn.GroupNorm, nn.modules.batchnorm._NormBase)):
            for parameter in module.parameters():
                nn.init.uniform_(parameter, 0.5, 1.5)
    return model


def bare(model):
    """Without the empty dictionaries of hooks, as in PyTorch 0.4."""
    for module in model.modules():
        for name in [name for name in module.__dict__ if name.startswith("_") and name not in MEMBERS]:
            del module.__dict__[name]
    return model


def write(name, model, *shapes, words=None, is_bare=False, dtype=None, **options):
    """Of each shape an input; `words`: they are indices below this. `is_bare`: a small file."""
    shake(model).eval()
    if is_bare:
        options["_use_new_zipfile_serialization"] = False
    torch.save(bare(copy.deepcopy(model)) if is_bare else model, FOLDER / f"{name}.pt", **options)
    (FOLDER / f"{name}.txt").write_text(str(model) + "\n")
    for i, shape in enumerate(shapes):
        shape = shape if isinstance(shape[0], tuple) else (shape,)
        inputs = [torch.randint(words, one) if words else torch.randn(one, dtype=dtype) for one in shape]
        for j, x in enumerate(inputs):
            NUMBERS[f"{name}.{i}.x{j}"] = x.numpy()
        with torch.no_grad():
            outputs = flat(model(*inputs))
        for j, y in enumerate(outputs):
            NUMBERS[f"{name}.{i}.y{j}" if j else f"{name}.{i}.y"] = y.numpy()


def flat(outputs):
    """The tensors of nested tuples."""
    if isinstance(outputs, torch.Tensor):
        return [outputs]
    return [tensor for one in outputs for tensor in flat(one)]


def activations():
    return [nn.CELU(0.7), nn.ELU(0.8), nn.GELU(), nn.GELU(approximate="tanh"), nn.Hardsigmoid(), nn.Hardswish(),
            nn.Hardtanh(-0.5, 0.75), nn.LeakyReLU(0.2), nn.LogSigmoid(), nn.Mish(), nn.RReLU(0.1, 0.3), nn.SELU(True),
            nn.SiLU(), nn.Softplus(2, 1.5), nn.Softshrink(0.05), nn.Softsign(), nn.Tanhshrink()]


def features():
    """Between activations, whose values shrink, linear layers bring them back."""
    layers = [nn.Linear(4, 4)]
    for i, activation in enumerate(activations()):
        layers += [activation] if i % 3 else [activation, nn.LayerNorm((4,), elementwise_affine=False)]
    layers += [nn.LayerNorm(4), nn.modules.linear.NonDynamicallyQuantizableLinear(4, 6, bias=False), nn.GLU(), nn.Linear(3, 4),
               nn.PReLU(4), nn.Hardshrink(0.1), nn.Threshold(-0.2, 0.1), rms_norm(4), nn.Identity(3, key=4),
               nn.AlphaDropout(0.2), nn.Dropout(0.3), nn.BatchNorm1d(4, momentum=None), nn.BatchNorm1d(4, affine=False),
               nn.RNNCell(4, 5, nonlinearity="relu"), nn.GRUCell(5, 4, bias=False), nn.Softmax(dim=1), nn.Softmin(1),
               nn.LogSoftmax(None), nn.Tanh(), nn.Sigmoid(), nn.Unflatten(1, (2, 2)), nn.Flatten()]
    return nn.Sequential(*layers)


def rows():
    return nn.Sequential(collections.OrderedDict([
        ("conv", nn.Conv1d(2, 4, 3, padding="same", padding_mode="circular")),
        ("norm", nn.InstanceNorm1d(4, affine=True, track_running_stats=True)), ("pad", nn.ConstantPad1d((1, 2), 0.5)),
        ("mirror", nn.ReflectionPad1d(2)), ("again", nn.ReplicationPad1d((0, 1))), ("round", CircularPad1d(1)),
        ("zero", ZeroPad1d((1, 0), 0)), ("drop", nn.Dropout1d(0.1)), ("batch", nn.BatchNorm1d(4)),
        ("max", nn.MaxPool1d(3, 1, dilation=2)), ("avg", nn.AvgPool1d(2, ceil_mode=True)), ("lp", nn.LPPool1d(2, 2, 1)),
        ("back", nn.ConvTranspose1d(4, 6, 3, 2, 1, output_padding=1, groups=2)), ("most", nn.AdaptiveMaxPool1d(6)),
        ("mean", nn.AdaptiveAvgPool1d(4)), ("up", nn.Upsample(scale_factor=2, mode="linear", align_corners=True)),
        ("group", nn.GroupNorm(3, 6)), ("shuffle", nn.ChannelShuffle(2)), ("softmax", nn.Softmax(None)),
    ]))


def images():
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(4, 8, (3, 2), stride=(1, 2), padding=(2, 1), dilation=(2, 1), groups=2, bias=False,
                                padding_mode="reflect"),
                      nn.BatchNorm2d(8), nn.ReLU(inplace=True)),
        nn.Sequential(nn.ReflectionPad2d((1, 0, 2, 1)), nn.ReplicationPad2d(1), CircularPad2d(1), nn.ZeroPad2d((1, 0, 0, 1)),
                      nn.ConstantPad2d((-1, 0, 1, -1), 0.25)),
        nn.MaxPool2d((3, 2), stride=2, padding=(1, 0), ceil_mode=True), nn.AvgPool2d(2, 1, count_include_pad=False,
                                                                                     padding=1, divisor_override=3),
        nn.LPPool2d(1.5, (2, 1), stride=1), nn.ReLU6(), nn.Dropout2d(), nn.FeatureAlphaDropout(0.1),
        nn.LocalResponseNorm(3, 0.01), nn.CrossMapLRN2d(3, 0.02), nn.InstanceNorm2d(8), nn.PixelShuffle(2),
        nn.PixelUnshuffle(2), nn.ConvTranspose2d(8, 4, 2, stride=2, bias=False), nn.Unfold((2, 2), stride=2),
        nn.Fold((14, 18), (2, 2), stride=2), nn.Upsample(scale_factor=(1.5, 2.0), mode="bilinear"),
        nn.UpsamplingNearest2d((6, 10)), nn.UpsamplingBilinear2d(scale_factor=2), nn.AdaptiveMaxPool2d((None, 5)),
        nn.AdaptiveAvgPool2d(4), nn.SyncBatchNorm(4), nn.Softmax2d())


def volumes():
    return nn.Sequential(
        nn.Conv3d(1, 2, (1, 2, 3), padding=1), nn.BatchNorm3d(2, track_running_stats=False), nn.ReflectionPad3d(1),
        nn.ReplicationPad3d((1, 0, 0, 1, 1, 0)), CircularPad3d(1), ZeroPad3d((0, 1, 1, 0, 0, 0), 0),
        nn.ConstantPad3d(1, -0.5), nn.InstanceNorm3d(2, track_running_stats=True), nn.MaxPool3d(2),
        nn.AvgPool3d((2, 1, 2), stride=1), nn.Dropout3d(0.2), nn.ConvTranspose3d(2, 3, 2, stride=(1, 2, 2)),
        nn.Upsample(scale_factor=2, mode="trilinear", align_corners=False), nn.AdaptiveMaxPool3d((3, None, 4)),
        LPPool3d(2, (1, 1, 2), stride=1), nn.AdaptiveAvgPool3d(2), nn.Flatten(2, -1), nn.Tanh())


def words():
    return nn.Sequential(nn.Embedding(9, 4, padding_idx=0), nn.LayerNorm((4,), elementwise_affine=False),
                         nn.Linear(4, 3))


def encoder():
    """Two kinds of layers, one of which has the batch in front."""
    first = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, activation="gelu", norm_first=True), 2,
                                  nn.LayerNorm(4))
    return nn.Sequential(first, nn.TransformerEncoderLayer(4, 2, 6, batch_first=True))


def tied():
    """A layer that stands in two places, and a weight that two layers share, in a wrapper."""
    layer, other = nn.Linear(4, 4), nn.Linear(4, 4)
    other.weight = layer.weight
    return nn.DataParallel(nn.Sequential(layer, nn.ReLU(), layer, nn.Sequential(), other))


def trained():
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(0.0), nn.AvgPool2d(2), nn.Flatten(),
                         nn.Linear(12, 3))


def old(model):
    """Without what PyTorch 0.4 did not have."""
    for module in bare(model).modules():
        for name in ("padding_mode", "approximate", "divisor_override", "recompute_scale_factor", "align_corners"):
            module.__dict__.pop(name, None)
        module._buffers.pop("num_batches_tracked", None)
    return model


def five_losses(model, x):
    model.train()
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.1), []
    for _ in range(5):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses, np.float32)


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(0)
    write("features", features(), (3, 4), (1, 4), is_bare=True)
    write("rows", rows(), (2, 2, 10), (1, 2, 13), is_bare=True)
    write("images", images(), (1, 4, 8, 12), is_bare=True)
    write("volumes", volumes(), (2, 1, 5, 6, 5), is_bare=True)
    write("words", words(), (2, 5), (1, 3), words=9)
    write("bags", nn.EmbeddingBag(7, 3, mode="max"), (2, 5), words=7)
    write("lstm", nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2), (5, 2, 3), (4, 1, 3), is_bare=True)
    write("gru", nn.GRU(3, 4, batch_first=True, bias=False), (2, 5, 3), (1, 4, 3), is_bare=True)
    write("rnn", nn.RNN(3, 2, 2, nonlinearity="relu", dropout=0.5), (5, 2, 3), is_bare=True)
    write("cell", nn.LSTMCell(3, 2), (2, 3), (1, 3), is_bare=True)
    write("encoder", encoder(), (3, 2, 4), (2, 5, 4), is_bare=True)
    write("bilinear", nn.Bilinear(3, 2, 4), ((2, 3), (2, 2)))
    write("double", nn.Linear(2, 3).double(), (2, 2), dtype=torch.float64)
    write("tied", tied(), (2, 4), (5, 4))
    for protocol in (1, 4):
        write(f"legacy{protocol}", nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU()), (2, 2, 6, 6),
              _use_new_zipfile_serialization=False, pickle_protocol=protocol)
    model = shake(trained())
    torch.save(model, FOLDER / "trained.pt")
    x = torch.randn(4, 2, 6, 6)
    NUMBERS.update({"trained.x": x.numpy(), "trained.losses": five_losses(model, x)})

    model = shake(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.GELU(), nn.AvgPool2d(2),
                                nn.Upsample(scale_factor=2))).eval()
    x = torch.randn(2, 1, 8, 8)
    NUMBERS.update({"old.0.x0": x.numpy(), "old.0.y": model(x).detach().numpy()})
    torch.save(old(model), FOLDER / "old.pt", _use_new_zipfile_serialization=False)

    torch.save(nn.Sequential(nn.utils.weight_norm(nn.Linear(2, 2))), FOLDER / "hooks.pt")
    torch.save({name: torch.from_numpy(array) for name, array in NUMBERS.items()}, FOLDER / "golden.pt",
               _use_new_zipfile_serialization=False)


main()
