#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a wheel of the module teff with the library teff_c in it, without network, setuptools or a compiler:

    python3 serialize/python/build_wheel.py --library build/release/serialize/c/libteff_c.so [-o FOLDER]

The same files give the same bytes. The library should be a stripped one: --strip strips the copy.
"""

from __future__ import annotations

import argparse
import base64
import ctypes
import hashlib
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def version_of(library: pathlib.Path) -> str:
    loaded = ctypes.CDLL(str(library))
    loaded.teff_version.restype = ctypes.c_char_p
    return loaded.teff_version().decode()


def stripped(library: pathlib.Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "library"
        subprocess.run(["strip", "-o", copy, library], check=True)
        return copy.read_bytes()


def metadata(version: str) -> str:
    return (f"Metadata-Version: 2.1\nName: teff\nVersion: {version}\n"
            "Summary: Model files and networks of Teff, by NumPy and ctypes\nLicense: MIT\n"
            "Requires-Python: >=3.9\nRequires-Dist: numpy>=1.20\nDescription-Content-Type: text/markdown\n\n"
            + (ROOT / "docs" / "python.md").read_text(encoding="utf-8"))


def contents(library: pathlib.Path, version: str, tag: str, strip: bool) -> dict[str, bytes]:
    """All files of the wheel but its record."""
    files = {f"teff/{path.name}": path.read_bytes() for path in sorted((HERE / "teff").glob("*.py"))}
    files["teff/py.typed"] = b""
    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    files[f"teff/libteff_c{suffix}"] = stripped(library) if strip else library.read_bytes()
    info = f"teff-{version}.dist-info"
    files[f"{info}/METADATA"] = metadata(version).encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: teff\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    for name in ("LICENSE", "NOTICE"):
        files[f"{info}/{name}"] = (ROOT / name).read_bytes()
    return files


def record(files: dict[str, bytes], name: str) -> bytes:
    lines = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}\n")
    return ("".join(lines) + f"{name},,\n").encode()


def write(path: pathlib.Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            wheel.writestr(entry, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("."), help="the folder")
    parser.add_argument("--strip", action="store_true", help="leave out the library's symbols")
    arguments = parser.parse_args()

    version = version_of(arguments.library.resolve())
    tag = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")
    files = contents(arguments.library.resolve(), version, tag, arguments.strip)
    name = f"teff-{version}.dist-info/RECORD"
    files[name] = record(files, name)
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / f"teff-{version}-{tag}.whl"
    write(path, files)
    print(path)


if __name__ == "__main__":
    main()
