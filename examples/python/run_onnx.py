#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs an ONNX file in ONNX Runtime on the example that lies beside it, and compares with the outputs that it has there.

    python3 run_onnx.py fine_tuned.onnx [test_data_set_0]

Needs onnx and onnxruntime (Debian 13: python3-onnx, python3-onnxruntime).
"""
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper


def tensors(folder, kind):
    """By number: input_0.pb, input_1.pb, ..."""
    count = len(list(folder.glob(f"{kind}_*.pb")))
    return [numpy_helper.to_array(onnx.load_tensor(folder / f"{kind}_{i}.pb")) for i in range(count)]


def main():
    path = Path(sys.argv[1])
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else path.parent / "test_data_set_0"
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = {port.name: value for port, value in zip(session.get_inputs(), tensors(folder, "input"))}
    outputs = session.run(None, inputs)
    for port, made, expected in zip(session.get_outputs(), outputs, tensors(folder, "output")):
        np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)
        print(f"{port.name}: {made.dtype} {list(made.shape)}, largest difference {np.abs(made - expected).max():.2g}")


main()
