# SPDX-License-Identifier: MIT
"""Runs what Teff writes as ONNX in ONNX Runtime, after onnx.checker has accepted it, and compares the outputs.

    python3 run_onnx.py PROGRAM             # teff_export_all: writes to a temporary folder
    python3 run_onnx.py --folder DIR        # what it has written before
"""
import os
import subprocess
import sys
import tempfile
import warnings

import numpy
import onnx
import onnxruntime

TOLERANCE = 1e-5


def tensors(folder, kind):
    result = []
    while os.path.exists(path := os.path.join(folder, "test_data_set_0", f"{kind}_{len(result)}.pb")):
        with open(path, "rb") as file:
            tensor = onnx.TensorProto()
            tensor.ParseFromString(file.read())
        result.append((tensor.name, onnx.numpy_helper.to_array(tensor)))
    return result


def difference(actual, expected):
    """The largest, over the largest expected value."""
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        raise ValueError(f"expected {expected.dtype} {expected.shape}, got {actual.dtype} {actual.shape}")
    actual, expected = actual.astype("float64"), expected.astype("float64")
    same = (actual == expected) | (numpy.isnan(actual) & numpy.isnan(expected))
    if same.all():
        return 0.0
    finite = expected[numpy.isfinite(expected)]
    return float(numpy.abs(actual - expected)[~same].max() / max(1e-3, numpy.abs(finite).max(initial=0)))


def run(folder):
    path = os.path.join(folder, "model.onnx")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    expected = tensors(folder, "output")
    outputs = session.run([name for name, _ in expected], dict(tensors(folder, "input")))
    return max((difference(a, e) for a, (_, e) in zip(outputs, expected)), default=0.0)


def main(folder):
    passed, failed, lacking = 0, [], []
    for name in sorted(os.listdir(folder)):
        try:
            apart = run(os.path.join(folder, name))
        except Exception as error:  # of whatever kind: the next one may pass
            lines = str(error).strip().splitlines() or [type(error).__name__]
            # An operator of the standard that this program does not have is no fault of the file.
            (lacking if "NOT_IMPLEMENTED" in str(error) else failed).append(f"{name}: {lines[0][:300]}")
            continue
        if apart <= TOLERANCE:
            passed += 1
        else:
            failed.append(f"{name}: differs by {apart:.3g}")
    for line in lacking:
        print("not in ONNX Runtime:", line)
    for line in failed:
        print("FAILED", line)
    print(f"{passed} passed, {len(failed)} failed, {len(lacking)} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1] == "--folder":
        sys.exit(main(sys.argv[2]))
    with tempfile.TemporaryDirectory() as made:
        subprocess.run([sys.argv[1], made], check=True)
        sys.exit(main(made))
