#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes tests/golden/script_parser.golden: code of TorchScript archives, and what Python's own parser makes of it.

    /usr/bin/python3 tests/serialize/script/make_parser_golden.py [archive...] > tests/golden/script_parser.golden

The archives are PyTorch 1.13's, made here, and those given. A file is

    === its name
    its code
    ---
    its classes and functions, as script_text.h writes them
"""
import ast
import enum
import io
import math
import sys
import warnings
import zipfile
from typing import Dict, List, NamedTuple, Optional, Tuple

import torch
from torch import Tensor, nn

warnings.simplefilter("ignore")


class Mode(enum.Enum):
    SUM = "sum"
    MEAN = "mean"


class Pair(NamedTuple):
    first: Tensor
    second: Optional[int]


@torch.jit.script
class Counter:
    def __init__(self, start: int):
        self.count = start
        self.seen: Dict[str, List[int]] = {}

    def add(self, key: str, by: int = 2) -> int:
        self.count += by
        self.seen[key] = [by, -by]
        return self.count


@torch.jit.interface
class Layer(nn.Module):
    def forward(self, input: Tensor) -> Tensor:
        pass


def pieces(x: Tensor, sizes: List[int], last: Optional[Tensor] = None) -> List[Tensor]:
    result: List[Tensor] = []
    for size in sizes:
        if size < 0:
            continue
        if size == 0:
            break
        result.append(x[:size])
        x = x[size:]
    if last is not None:
        result.append(last)
    return result


class Scripted(nn.Module):
    layer: Layer

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.ReLU()])
        self.layer = nn.Identity()
        self.names: List[str] = ["a"]
        self.register_buffer("seen", torch.zeros(()))
        self.scale = 1e-5

    def forward(self, x: Tensor, n: int = 3, mode: Mode = Mode.SUM, y: Optional[Tensor] = None,
                least: int = -2**63, low: float = -math.inf, pair: Tuple[int, float] = (1, 2.0)):
        if mode == Mode.MEAN:
            x = x.mean(dim=[1], keepdim=True)
        for layer in self.layers:
            x = layer(x)
        made = Pair(self.layer(x), n)
        counter = Counter(3)
        counter.add("it's \"quoted\"\n\t\\ \x01")
        if y is not None:
            x = x + y * 2.5e-300
        assert n > 2, "n: expected more than 2, got {}".format(n)
        i = 0
        while i < n and not (i == pair[0]):
            i += 1
            if i > 100:
                raise ValueError("too many")
        best, index = x.topk(1)
        both = (x, x, n)[0:2]
        parts = pieces(x, [j * 2 for j in range(n)])
        x[0] = 3
        self.seen += 1
        table: Dict[int, Tensor] = {1: x, 2: best}
        return made, counter.count, both, parts, table[1] * math.inf, -index, ~(x > low), f"{n}", (x,), mode.name


class Traced(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 3, 2, batch_first=True)
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("offset", torch.arange(3.0))

    def forward(self, x):
        y, (h, c) = self.lstm(x)
        a, b = torch.split(y[:, -1], [1, 2], dim=1)
        return self.norm(y[:, -1]) + self.offset, torch.cat([a, b, h[0]], 1).to(torch.float64), c.squeeze(0)


TYPED = {"annotate": 0, "unchecked_cast": 0, "uninitialized": 0, "isinstance": 1}  # the place of the type


def text_of(text):
    """PyTorch's octal codes are bytes."""
    data = b"".join(bytes([ord(c)]) if ord(c) < 256 else c.encode() for c in text)
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in data) + '"'


def real_of(number):
    """In hexadecimal, without zeros at the end."""
    if math.isnan(number) or math.isinf(number):
        return str(number)
    digits, exponent = number.hex().replace("0x", "").split("p")
    return f"real {digits.rstrip('0').rstrip('.') or '0'}p{exponent}"


def type_of(node):
    return ast.unparse(node).replace(" ", "") if node else ""


def tree_of(node):
    def group(*parts):
        return "(" + " ".join(parts) + ")"

    match node:
        case ast.Constant(value=bool() | None as value):
            return str(value)
        case ast.Constant(value=int() as value):
            return str(value)
        case ast.Constant(value=float() as value):
            return real_of(value)
        case ast.Constant(value=str() as value):
            return text_of(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)):
            return tree_of(ast.Constant(-value))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name(id="inf")):
            return "-inf"
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return group("." + name, tree_of(value))
        case ast.Subscript(value=value, slice=ast.Slice(lower=lower, upper=upper)):
            bounds = [tree_of(bound) if bound else "None" for bound in (lower, upper)]
            return group("call", "(.slice torch)", tree_of(value), *bounds)
        case ast.Subscript(value=value, slice=index):
            return group("item", tree_of(value), tree_of(index))
        case ast.List(elts=items):
            return group("list", *map(tree_of, items))
        case ast.Tuple(elts=items):
            return group("tuple", *map(tree_of, items))
        case ast.Dict(keys=keys, values=values):
            return group("dict", *(tree_of(part) for pair in zip(keys, values) for part in pair))
        case ast.IfExp(test=test, body=body, orelse=other):
            return group("if", tree_of(test), tree_of(body), tree_of(other))
        case ast.Call(func=function, args=arguments, keywords=named):
            typed = TYPED.get(function.id, -1) if isinstance(function, ast.Name) else -1
            values = [text_of(type_of(a)) if i == typed else tree_of(a) for i, a in enumerate(arguments)]
            return group("call", tree_of(function), *values, *(f"{n.arg}={tree_of(n.value)}" for n in named))
    raise TypeError(ast.dump(node))


def statements(body, indent):
    for node in body:
        begin = f"{'  ' * indent}{node.lineno}: "
        match node:
            case ast.Expr(value=value):
                yield begin + "do " + tree_of(value)
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
                yield begin + "take apart " + " ".join([*map(tree_of, targets), "=", tree_of(value)])
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=value):
                yield begin + f"set {tree_of(target)} = {tree_of(value)}"
            case ast.If(test=test, body=then, orelse=other):
                yield begin + "if " + tree_of(test)
                yield from statements(then, indent + 1)
                if other:
                    yield "  " * indent + "else"
                    yield from statements(other, indent + 1)
            case ast.For(target=target, iter=ast.Call(func=ast.Name(id="range"), args=[count]), body=inner):
                yield begin + f"count {tree_of(target)} {tree_of(count)}"
                yield from statements(inner, indent + 1)
            case ast.For(target=target, iter=values, body=inner):
                yield begin + f"each {tree_of(target)} {tree_of(values)}"
                yield from statements(inner, indent + 1)
            case ast.While(test=test, body=inner):
                yield begin + "while " + tree_of(test)
                yield from statements(inner, indent + 1)
            case ast.Return(value=value):
                yield begin + "return " + (tree_of(value) if value else "None")
            case ast.Assert(test=test):
                yield begin + "assert " + tree_of(test)
            case ast.Pass() | ast.Delete():
                yield begin + "nothing"
            case _:
                raise TypeError(ast.dump(node))


def function(node, indent):
    parameters = []
    first_default = len(node.args.args) - len(node.args.defaults)
    for i, parameter in enumerate(node.args.args):
        default = "=" + tree_of(node.args.defaults[i - first_default]) if i >= first_default else ""
        parameters.append(f" {parameter.arg}:{type_of(parameter.annotation)}{default}")
    yield f"{'  ' * indent}{node.lineno}: def {node.name}" + "".join(parameters)
    yield from statements(node.body, indent + 1)


def file(code):
    nodes = ast.parse(code).body
    for node in nodes:
        if not isinstance(node, ast.ClassDef):
            continue
        yield " ".join(["class", node.name, *(base.id for base in node.bases)])
        constants, members, methods = [], [], []
        for part in node.body:
            match part:
                case ast.AnnAssign(target=ast.Name(id=name), value=None):
                    members.append("  member " + name)
                case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=name))]):
                    members.append("  member " + name)
                case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                    constants.append(f"  constant {name} {tree_of(part.value)}")
                case ast.FunctionDef():
                    methods += function(part, 1)
        yield from members + constants + methods
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            yield from function(node, 0)


def write(name, archive):
    with zipfile.ZipFile(archive) as entries:
        for entry in entries.namelist():
            if not entry.endswith(".py") or entry.endswith("torch/nn/functional.py"):
                continue
            code = entries.read(entry).decode()
            print(f"=== {name}: {entry.partition('/')[2]}")
            print(code, end="")
            print("---")
            print("\n".join(file(code)))


def saved(module):
    data = io.BytesIO()
    torch.jit.save(module, data)
    return data


torch.manual_seed(0)
traced = torch.jit.trace(Traced().eval(), torch.rand(2, 5, 4))
write("scripted", saved(torch.jit.script(Scripted())))
write("traced", saved(traced))
write("frozen", saved(torch.jit.freeze(traced)))
for path in sys.argv[1:]:
    write(path.rpartition("/")[2], path)
