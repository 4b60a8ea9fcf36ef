# SPDX-License-Identifier: MIT
"""Tries the command `teff` on model files that anybody has: show, verify, convert to .teff and back, and compares with
PyTorch, NumPy and safetensors, where this Python has them and they read the file. Nothing in a file is run: PyTorch
loads with weights_only (--trust lets it run what whole pickled models ask for), NumPy without pickles.

    python3 strangers.py --teff build/release/bin/teff FOLDER...    prints a table and what was found
    python3 strangers.py --teff build/release/bin/teff              does so for files that it makes itself

Exits with 1 if something crashed, took longer than --seconds, or came back otherwise. --anonymous leaves the names of
files out: such a table can be sent to anybody."""
import argparse
import gzip
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
ANSWERS = {0: "ok", 1: "damaged", 2: "not read", 3: "not supported"}
FINDINGS = ("crashed", "hung", "differs")


def imported(name):
    try:
        return __import__(name)
    except Exception:  # not there, or not for this Python
        return None


torch, numpy = imported("torch"), imported("numpy")
safetensors = imported("safetensors.numpy") and sys.modules.get("safetensors.numpy")


class Command:
    def __init__(self, path, seconds):
        self.path, self.seconds = str(path), seconds

    def __call__(self, *words):
        """Answer ("ok", "damaged", ...), output and error, each as text."""
        try:
            done = subprocess.run([self.path, *map(str, words)], capture_output=True, text=True, errors="replace",
                                  timeout=self.seconds, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return "hung", "", f"took longer than {self.seconds} s"
        return ANSWERS.get(done.returncode, "crashed"), done.stdout, done.stderr.strip()


# What Teff is to give for a value of Python.


def is_array(value):
    return numpy is not None and isinstance(value, numpy.ndarray)


def bits(array):
    """Type, shape and bytes of an array or tensor."""
    if torch is not None and isinstance(array, torch.Tensor):
        plain = array.detach().cpu().contiguous()
        name = str(plain.dtype).removeprefix("torch.")
        size = plain.element_size()
        raw = b"" if plain.numel() == 0 else bytes(plain.reshape(-1).view(torch.uint8 if size else None).numpy())
        return name, tuple(plain.shape), raw
    plain = numpy.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    return str(plain.dtype), tuple(plain.shape), plain.tobytes()


def difference(expected, found, place=""):
    """Where the two differ; empty if they do not. Tuples and sets count as lists, numbers as keys as text."""
    if is_array(expected) or (torch is not None and isinstance(expected, torch.Tensor)):
        try:
            return "" if bits(expected) == bits(found) else f"{place}: {bits(expected)[:2]}, {bits(found)[:2]}"
        except Exception as error:
            return f"{place}: {type(error).__name__}: {error}"
    if torch is not None and torch.is_storage(expected):
        expected = torch.tensor(expected.tolist(), dtype=getattr(expected, "dtype", torch.uint8))
        return difference(expected, found, place)
    if isinstance(expected, dict):
        if not isinstance(found, dict) or [str(k) for k in expected] != [str(k) for k in found]:
            return f"{place}: other keys"
        pairs = zip(expected, expected.values(), found.values())
        return next(filter(None, (difference(a, b, f"{place}/{key}") for key, a, b in pairs)), "")
    if isinstance(expected, (list, tuple, set, frozenset)):
        if not isinstance(found, list) or len(found) != len(expected):
            return f"{place}: not a list of {len(expected)}"
        pairs = enumerate(zip(expected, found))
        return next(filter(None, (difference(a, b, f"{place}[{i}]") for i, (a, b) in pairs)), "")
    if torch is not None and isinstance(expected, (torch.dtype, torch.device)):
        expected = str(expected)
    same = type(expected) is type(found) and (expected == found or expected != expected)
    return "" if same else f"{place}: {str(expected)[:40]!r}, {str(found)[:40]!r}"


def read_elsewhere(path, trust):
    """What others read of the file, and who; None if nobody here does."""
    with open(path, "rb") as file:
        start = file.read(16)
    if start.startswith(b"\x93NUMPY"):
        return None if numpy is None else ({"": numpy.load(path, allow_pickle=False)}, "NumPy")
    if start[8:9] == b"{":
        return None if safetensors is None else (dict(safetensors.load_file(path)), "safetensors")
    if start.startswith(b"PK") and path.suffix == ".npz":
        if numpy is None:
            return None
        with numpy.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}, "NumPy"
    if torch is not None:
        value = torch.load(path, map_location="cpu", weights_only=not trust)
        return (value if isinstance(value, dict) else {"": value}), "PyTorch"
    return None


def read_back(command, path, folder, who):
    """What `who` reads of the file that Teff makes of it."""
    name = folder / {"PyTorch": "same.pt", "safetensors": "same.safetensors", "NumPy": "same.npz"}[who]
    answer, _, error = command("convert", path, name, "--without-metadata")
    if answer != "ok":
        raise ValueError(f"convert: {answer}: {error}")
    return read_elsewhere(name, trust=True)[0]


def try_convert(command, path, folder):
    """To .teff and back to the kind of file it was, and whether that is the same."""
    teff, back = folder / "there.teff", folder / f"back{path.suffix if path.suffix in KINDS else '.pt'}"
    for source, target in ((path, teff), (teff, back)):
        answer, _, error = command("convert", source, target, "--without-metadata")
        if answer != "ok":
            return answer, error
    answer, out, error = command("diff", teff, back)
    return ("ok", "") if answer == "ok" else ("differs", out.strip() or error)


KINDS = (".pt", ".pth", ".safetensors", ".npz", ".npy", ".teff")


def try_compare(command, path, folder, trust):
    try:
        read = read_elsewhere(path, trust)
    except Exception as error:  # they refuse the file in their own ways
        return "-", f"others refuse it: {type(error).__name__}"
    if read is None:
        return "-", "nobody here to compare with"
    expected, who = read
    try:
        found = difference(expected, read_back(command, path, folder, who))
    except Exception as error:
        return "differs", f"{who} does not read it back: {error}"
    return ("differs", found) if found else (f"as {who}", "")


def try_file(command, path, trust):
    """Answers by column, and remarks."""
    row, remarks = {}, []

    def note(column, answer, remark=""):
        row[column] = answer
        if remark:
            remarks.append(f"{column}: {remark.splitlines()[0][:300]}")

    begin = time.monotonic()
    answer, out, error = command("show", path)
    note("show", answer, error)
    row["seconds"] = f"{time.monotonic() - begin:.2f}"
    row["kind"] = out.split(": ", 1)[-1].split(", ")[1] if answer == "ok" and out.count(", ") > 1 else "-"
    answer, out, error = command("verify", path)
    note("verify", answer, "" if answer == "ok" or row["show"] == answer else out + error)
    row["convert"] = row["same"] = "-"
    if row["show"] == "ok" and row["verify"] == "ok":
        with tempfile.TemporaryDirectory() as folder:
            note("convert", *try_convert(command, path, Path(folder)))
            if row["convert"] == "ok":
                note("same", *try_compare(command, path, Path(folder), trust))
    return row, remarks


def files_in(places):
    for place in places:
        place = Path(place)
        if place.is_dir():
            yield from sorted(path for path in place.rglob("*") if path.is_file())
        else:
            yield place


def try_all(command, places, trust, anonymous):
    columns = ["kind", "show", "seconds", "verify", "convert", "same"]
    rows, counts = [], {}
    for number, path in enumerate(files_in(places), 1):
        row, remarks = try_file(command, path, trust)
        name = f"{number}{path.suffix[:12]}" if anonymous else str(path)
        rows.append((name, row))
        findings = [f"{column} {row[column]}" for column in columns if row[column] in FINDINGS]
        outcome = "; ".join(findings) or row["verify"]
        counts[outcome] = counts.get(outcome, 0) + 1
        if not anonymous:
            row["remarks"] = remarks
    width = max([len("file"), *(min(len(name), 50) for name, _ in rows)])
    widths = {c: max([len(c), *(len(row[c]) for _, row in rows)]) for c in columns}
    print("  ".join(["file".ljust(width), *(c.ljust(widths[c]) for c in columns)]).rstrip())
    for name, row in rows:
        print("  ".join([ascii(name)[1:-1].ljust(width), *(row[c].ljust(widths[c]) for c in columns)]).rstrip())
        for remark in row.get("remarks", []):
            print(f"    {ascii(remark)[1:-1]}")
    print(f"{len(rows)} files: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    return rows


# Files to try it on.


def safetensors_bytes(metadata):
    header = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
              "n": {"dtype": "U16", "shape": [2], "data_offsets": [8, 12]}}
    if metadata:
        header["__metadata__"] = metadata
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + struct.pack("<2f2H", 1, 2, 3, 65535)


def make_files(folder):
    """Files of every kind that this Python can make, and the answer of verify for each."""
    npy = b"{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(npy)) + npy + struct.pack("<2h", -1, 300)
    files = {
        "plain.safetensors": (safetensors_bytes({}), "ok"),
        "metadata.safetensors": (safetensors_bytes({"format": "pt"}), "ok"),
        "cut.safetensors": (safetensors_bytes({})[:-1], "damaged"),
        "array.npy": (npy, "ok"),
        "cut.npy": (npy[:-1], "damaged"),
        "pointer.pt": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "not supported"),
        "page.pth": (b"<!doctype html><title>404</title>", "not supported"),
        "packed.pt.gz": (gzip.compress(npy), "not supported"),
        "empty.pt": (b"", "damaged"),
    }
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    expected = {name: answer for name, (_, answer) in files.items()}
    if numpy is not None:
        arrays = {"a": numpy.arange(6, dtype=">f4").reshape(2, 3), "b": numpy.asfortranarray(numpy.eye(3)),
                  "u": numpy.array([2**64 - 1], "u8"), "flag": numpy.array(True)}
        numpy.savez(folder / "arrays.npz", **arrays)
        numpy.savez_compressed(folder / "packed.npz", **arrays)
        numpy.savez(folder / "objects.npz", a=numpy.array([None], dtype=object))
        expected |= {"arrays.npz": "ok", "packed.npz": "ok", "objects.npz": "not supported"}
    if torch is not None:
        weights = {"w": torch.arange(6.0).reshape(2, 3).t(), "half": torch.ones(3, dtype=torch.float16)}
        checkpoint = {"epoch": 3, "model": weights, "log": [0.5, "x", None, True]}
        torch.save(weights, folder / "weights.pt")
        torch.save(checkpoint, folder / "checkpoint.pth")
        torch.save(checkpoint, folder / "old.pt", _use_new_zipfile_serialization=False)
        whole = (folder / "checkpoint.pth").read_bytes()
        (folder / "cut.pth").write_bytes(whole[:len(whole) // 2])
        expected |= {"weights.pt": "ok", "checkpoint.pth": "ok", "old.pt": "ok", "cut.pth": "damaged"}
    return expected


def check_own_files(command):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = make_files(folder)
        os.chdir(folder)
        rows = dict(try_all(command, sorted(map(Path, expected)), trust=True, anonymous=False))
    wrong = [f"{file}: verify: expected {answer}, got {rows[file]['verify']}"
             for file, answer in expected.items() if rows[file]["verify"] != answer]
    wrong += [f"{file}: convert: {row['convert']}" for file, row in rows.items()
              if row["verify"] == "ok" and row["convert"] != "ok"]
    # Whoever made a file reads it.
    wrong += [f"{file}: nobody compared it" for file, row in rows.items() if row["same"] == "-" and row["verify"] == "ok"
              and (numpy if ".np" in file else safetensors if "safetensors" in file else torch) is not None]
    for text in wrong:
        print(text)
    return bool(wrong), rows.items()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teff", default="teff", help="the command; else that of the PATH")
    parser.add_argument("--seconds", type=float, default=60, help="that one run of the command may take")
    parser.add_argument("--anonymous", action="store_true", help="print numbers in place of names, and no remarks")
    parser.add_argument("--trust", action="store_true", help="files that PyTorch may run code of")
    parser.add_argument("places", nargs="*", metavar="FOLDER", help="folders of files, or files")
    options = parser.parse_args()
    path = Path(options.teff)
    command = Command(path.resolve() if path.exists() else path, options.seconds)
    version = subprocess.run([command.path, "--version"], capture_output=True, text=True).stdout.strip()
    others = [f"{name} {module.__version__}" for name, module in
              (("PyTorch", torch), ("NumPy", numpy), ("safetensors", sys.modules.get("safetensors"))) if module]
    print(f"{version}, compared with {', '.join(others) or 'nothing'}")
    wrong = False
    if options.places:
        rows = try_all(command, options.places, options.trust, options.anonymous)
    else:
        wrong, rows = check_own_files(command)
    return int(wrong or any(value in FINDINGS for _, row in rows for key, value in row.items() if key != "remarks"))


if __name__ == "__main__":
    sys.exit(main())
