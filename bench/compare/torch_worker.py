# SPDX-License-Identifier: MIT
"""PyTorch's worker (the protocol is in worker.h). Usage: torch_worker.py THREADS | cold MODEL.ts | export WORK...

`export` writes what the other engines load: net.ts (TorchScript), and for the works infer and conv_forward ONNX files.
"""
import json
import os
import sys
import time

import torch
import torch.nn as nn

WEIGHT_SCALE = 1 / 64
clock = time.process_time if os.environ.get("TEFF_COMPARE_CLOCK") else time.perf_counter


def pattern(*shape, scale=1.0):
    """fill_pattern of worker.h."""
    count = torch.Size(shape).numel()
    return ((torch.arange(count) * 37 % 101).float() / 64 - 0.75).mul_(scale).reshape(shape)


def make_model(name):
    """The network `name` with the weights of seed 0."""
    from net import MODELS
    torch.manual_seed(0)
    return MODELS[name]()


def make_conv(channels, kernel, out, stride):
    """A convolution with the pattern as its weights."""
    conv = nn.Conv2d(channels, out, kernel, stride=stride, padding=kernel // 2)
    with torch.no_grad():
        for parameter in conv.parameters():
            parameter.copy_(pattern(*parameter.shape, scale=WEIGHT_SCALE))
    return conv


def infer(name, batch, channels, size):
    model = make_model(name).eval()
    images = pattern(batch, channels, size, size)

    @torch.inference_mode()
    def run():
        return model(images)
    return run


def step(name, batch, channels, size):
    model = make_model(name)
    images, labels = pattern(batch, channels, size, size), torch.arange(batch) % 10
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    criterion = nn.CrossEntropyLoss()

    def run():
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()
    return run


def conv_forward(batch, channels, size, kernel, out, stride):
    conv, images = make_conv(channels, kernel, out, stride), pattern(batch, channels, size, size)

    @torch.inference_mode()
    def run():
        return conv(images)
    return run


def conv_both(batch, channels, size, kernel, out, stride):
    conv, images = make_conv(channels, kernel, out, stride), pattern(batch, channels, size, size).requires_grad_()
    side = (size + 2 * (kernel // 2) - kernel) // stride + 1
    grad = pattern(batch, out, side, side)

    def run():
        conv.zero_grad(set_to_none=True)
        images.grad = None
        conv(images).backward(grad)
        return conv.weight.grad
    return run


def matmul(n, k, m):
    a, b = pattern(n, k), pattern(k, m)

    @torch.inference_mode()
    def run():
        return torch.matmul(a, b)
    return run


def scattered(count, limit):
    return torch.arange(count) * 7919 % limit


def sort(count):
    x = scattered(count, 1000003).float()

    @torch.inference_mode()
    def run():
        return torch.sort(x).values
    return run


def topk(count, k):
    x = scattered(count, 1000003).float()

    @torch.inference_mode()
    def run():
        return torch.topk(x, k).values
    return run


def gather(rows, columns):
    x, index = pattern(rows, columns), scattered(rows * columns, columns).reshape(rows, columns)

    @torch.inference_mode()
    def run():
        return torch.gather(x, 1, index)
    return run


def einsum(*shape):
    q, k = pattern(*shape), pattern(*shape)

    @torch.inference_mode()
    def run():
        return torch.einsum("bhid,bhjd->bhij", q, k)
    return run


def make_lstm(batch, steps, size):
    """The layer with the pattern as its weights, and its input."""
    lstm = nn.LSTM(size, size)
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.copy_(pattern(*parameter.shape, scale=WEIGHT_SCALE))
    return lstm, pattern(steps, batch, size)


def lstm_forward(batch, steps, size):
    lstm, x = make_lstm(batch, steps, size)

    @torch.inference_mode()
    def run():
        return lstm(x)[0]
    return run


def lstm_both(batch, steps, size):
    lstm, x = make_lstm(batch, steps, size)
    grad = pattern(steps, batch, size)
    x.requires_grad_()

    def run():
        lstm.zero_grad(set_to_none=True)
        x.grad = None
        lstm(x)[0].backward(grad)
        return lstm.weight_ih_l0.grad
    return run


def attention(q, k, v):
    return (q / q.shape[-1] ** 0.5 @ k.mT).softmax(-1) @ v


def attention_forward(heads, positions, size):
    q, k, v = (pattern(1, heads, positions, size, scale=scale) for scale in (0.5, 1, 1))

    @torch.inference_mode()
    def run():
        return attention(q, k, v)
    return run


def attention_both(heads, positions, size):
    inputs = [pattern(1, heads, positions, size, scale=scale).requires_grad_() for scale in (0.5, 1, 1)]
    grad = pattern(1, heads, positions, size)

    def run():
        for x in inputs:
            x.grad = None
        attention(*inputs).backward(grad)
        return inputs[0].grad
    return run


def matrices():
    return {f"w{i}": pattern(1024, 1024, scale=i + 1) for i in range(64)}


def save(_):
    """In PyTorch's own format, whatever Teff's is."""
    tensors = matrices()

    def run():
        torch.save(tensors, "big.pt")
        return tensors["w63"]
    return run


def load(_):
    torch.save(matrices(), "big.pt")
    return lambda: torch.load("big.pt")["w63"]


WORKS = {work.__name__: work for work in (
    infer, step, conv_forward, conv_both, lstm_forward, lstm_both, attention_forward, attention_both, matmul, sort, topk,
    gather, einsum, save, load)}


def parse(work):
    """The kind of a work and its arguments."""
    kind, *arguments = work.split("/")
    return kind, [int(a) if a.isdigit() else a for a in arguments]


def values(tensor):
    return tensor.flatten()[:8].tolist()


def serve():
    """Answers requests until the input ends."""
    print(json.dumps({"version": torch.__version__}), flush=True)
    current, run, first = None, None, None
    for line in sys.stdin:
        _, work, repetitions = line.split()
        kind, arguments = parse(work)
        if kind not in WORKS:
            print(json.dumps({"skip": True}), flush=True)
            continue
        try:
            if work != current:
                current = run = None
                run = WORKS[kind](*arguments)
                first = values(run())
                current = work
            for _ in range(1 + int(repetitions) // 10):
                run()
            times = []
            for _ in range(int(repetitions)):
                start = clock()
                run()
                times.append((clock() - start) * 1e6)
            print(json.dumps({"times": times, "first": first}), flush=True)
        except Exception as error:  # whatever it is, the other engines go on
            print(json.dumps({"error": str(error)}), flush=True)


def export(works):
    """Writes the files of the other engines to the working directory."""
    for work in works:
        kind, arguments = parse(work)
        if kind == "infer":
            name, batch, channels, size = arguments
            model, path = make_model(name).eval(), name
            any_batch = {"x": {0: "n"}, "y": {0: "n"}}
            torch.jit.save(torch.jit.script(model), path + ".ts")
        else:
            batch, channels, size, *rest = arguments
            model, path, any_batch = make_conv(channels, *rest), work.replace("/", "_"), None
        torch.onnx.export(model, pattern(batch, channels, size, size), path + ".onnx", input_names=["x"],
                          output_names=["y"], dynamic_axes=any_batch)


def main():
    if sys.argv[1] == "export":
        export(sys.argv[2:])
    elif sys.argv[1] == "cold":
        with torch.inference_mode():
            print(json.dumps({"first": values(torch.jit.load(sys.argv[2])(pattern(1, 3, 32, 32)))}))
    else:
        torch.set_num_threads(int(sys.argv[1]))
        serve()


main()
