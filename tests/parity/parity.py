#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""PyTorch's names beside Teff's: every one is had, spelled otherwise, or declined with a reason.

parity.py          compares; names what is missing, and entries of others.txt that say what is not so
parity.py --write  also writes docs/parity.md

The names of classes, optimisers, schedules and functions are the installed PyTorch's; those of tensors are in
tensor_names.txt. Teff's are what its public headers declare. others.txt lists the exceptions.
"""

import inspect
import pathlib
import re
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "parity.md"

INTRODUCTION = """# PyTorch's names

What Teff has of PyTorch {version}, name by name, made by `tests/parity/parity.py` from the installed PyTorch and from
Teff's public headers; a test keeps it so. A name that is not listed as declined or spelled otherwise is there under the
name that it has in Python.
"""


def classes(module, base):
    names = (name for name in dir(module) if not name.startswith("_"))
    return [name for name in names
            if inspect.isclass(getattr(module, name)) and issubclass(getattr(module, name), base)
            and getattr(module, name) is not base]


def functions(module):
    """Those that the module itself or PyTorch's built-in code brings: not what it imports for its own use."""
    helpers = ("typing", "torch._jit_internal", "torch.overrides", "torch._C")
    names = (name for name in dir(module) if not name.startswith("_"))
    return [name for name in names
            if callable(getattr(module, name)) and not inspect.isclass(getattr(module, name))
            and getattr(getattr(module, name), "__module__", None) not in helpers
            and not name.startswith(("has_torch_function", "assert_"))]


def schedules():
    module = torch.optim.lr_scheduler
    names = (name for name in dir(module) if not name.startswith("_"))
    return [name for name in names if inspect.isclass(getattr(module, name))
            and getattr(module, name).__module__ == module.__name__ and name != "LRScheduler"]


def sections():
    nn = torch.nn
    return {
        "torch.nn": classes(nn, nn.Module),
        "torch.nn.functional": functions(nn.functional),
        "torch.nn.init": [name for name in functions(nn.init) if name.endswith("_")],
        "torch.optim": classes(torch.optim, torch.optim.Optimizer),
        "torch.optim.lr_scheduler": schedules(),
        "torch.Tensor": (HERE / "tensor_names.txt").read_text().split(),
    }


def declared():
    """Names of types and functions in the public headers."""
    types, calls = set(), set()
    for folder in ("engine", "nn", "serialize"):
        listed = re.findall(r"^\s+([\w/]+\.h)\b", (ROOT / folder / "CMakeLists.txt").read_text(), re.MULTILINE)
        for header in listed:
            text = re.sub(r"//[^\n]*", "", (ROOT / folder / header).read_text())
            types.update(re.findall(r"\b(?:class|struct)\s+(?:TEFF_EXPORT\s+)?(\w+)", text))
            types.update(re.findall(r"\busing\s+(\w+)\s*=", text))
            calls.update(re.findall(r"[\w>&*]\s+[*&]?(\w+)\(", text))
    return types, calls


def exceptions():
    """others.txt: {(section, name): (sign, text)}; the sign is = (spelled otherwise) or - (declined)."""
    result = {}
    for number, line in enumerate((HERE / "others.txt").read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"(\S+): ([\w ]+?) ([=-]) (\S.*)", line)
        if not match:
            sys.exit(f"others.txt:{number}: expected '<section>: <names> = <spelling>' or '... - <reason>'")
        section, names, sign, text = match.groups()
        for name in names.split():
            if (section, name) in result:
                sys.exit(f"others.txt:{number}: {section}.{name} is there twice")
            result[section, name] = (sign, text)
    return result


def table(rows, title):
    """rows: (name, text); names of one text are one row."""
    texts = {}
    for name, text in rows:
        texts.setdefault(text, []).append(f"`{name}`")
    lines = [f"| {title} | |", "|---|---|"]
    return lines + [f"| {', '.join(names)} | {text} |" for text, names in texts.items()]


def main():
    types, calls = declared()
    others = exceptions()
    problems = []
    page = [INTRODUCTION.format(version=".".join(torch.__version__.split(".")[:2]))]
    for section, names in sections().items():
        had, otherwise, declined = [], [], []
        known = types if section in ("torch.nn", "torch.optim", "torch.optim.lr_scheduler") else calls
        for name in names:
            exception = others.pop((section, name), None)
            if name in known:
                had.append(name)
                if exception is not None:
                    problems.append(f"{section}.{name}: is there, but others.txt names it")
            elif exception is None:
                problems.append(f"{section}.{name}: neither there, nor in others.txt")
            else:
                (otherwise if exception[0] == "=" else declined).append((name, exception[1]))
        page.append(f"## {section}\n")
        page.append(f"{len(had) + len(otherwise)} of {len(names)}: " + ", ".join(f"`{name}`" for name in had) + ".\n")
        if otherwise:
            page += table(otherwise, "spelled otherwise") + [""]
        if declined:
            page += table(declined, "declined") + [""]
    problems += [f"{section}.{name}: in others.txt, but PyTorch has no such name" for section, name in others]
    text = "\n".join(page).rstrip() + "\n"
    if "--write" in sys.argv[1:]:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        problems.append("docs/parity.md: expected what parity.py --write writes")
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
