# SPDX-License-Identifier: MIT
"""Runs the engines on the same work, interleaved, and writes results.json, table.md and pictures. Started by run.sh.

Every engine is a process that answers `run <work> <repetitions>` (see worker.h). For each work the engines take turns
for several rounds, so that whatever else the machine does hits all alike.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

import report

HERE = pathlib.Path(__file__).resolve().parent

# The works by title. infer/<model>/<batch>/<channels>/<size>; a network that net.py and teff_worker.cpp know is a line.
WORKS = {f"Net, inference, batch {n}": f"infer/net/{n}/3/32" for n in (1, 32, 128)}
WORKS.update({f"Net, SGD step, batch {n}": f"step/net/{n}/3/32" for n in (1, 32, 128)})

WORKS.update({"ResNet-18, inference, batch 1": "infer/resnet18/1/3/224",
              "MobileNetV2, inference, batch 1": "infer/mobilenet_v2/1/3/224"})

# conv_.../<batch>/<channels>/<size>/<kernel>/<out>/<stride>
CONVS = ["64/56/3/64/1", "128/28/3/128/1", "256/14/3/256/1", "512/7/3/512/1", "3/224/7/64/2", "256/14/1/1024/1"]
for kind, what, batch in (("conv_forward", "forward, batch 1", 1), ("conv_both", "forward + backward, batch 8", 8)):
    for c, size, k, out, stride in (conv.split("/") for conv in CONVS):
        title = f"conv {c}x{size}x{size}, {k}x{k}, out {out}{', stride 2' if stride == '2' else ''}, {what}"
        WORKS[title] = f"{kind}/{batch}/{c}/{size}/{k}/{out}/{stride}"

for kind, what in (("forward", "forward"), ("both", "forward + backward")):
    WORKS.update({f"LSTM, 64 steps, 128 hidden, {what}, batch {n}": f"lstm_{kind}/{n}/64/128" for n in (1, 32)})
    WORKS[f"attention, 8 heads, 256 positions of 64, {what}"] = f"attention_{kind}/8/256/64"
WORKS.update({
    "product 1024 x 1024 x 1024": "matmul/1024/1024/1024",
    "product 1 x 400 x 120": "matmul/1/400/120",
    "product 32 x 400 x 120": "matmul/32/400/120",
    "product 128 x 400 x 120": "matmul/128/400/120",
    "sort of 10^6 float32": "sort/1000000",
    "topk, 100 of 10^6 float32": "topk/1000000/100",
    "gather, 1000 x 1000 along rows": "gather/1000/1000",
    "einsum bhid,bhjd->bhij, 8 heads, 256 positions, 64": "einsum/1/8/256/64",
    "cold start: process, load Net, first result": "cold",
    "save 256 MB, not flushed": "save/teff",
    "load 256 MB": "load/teff",
    "load 256 MB, mapped, not verified": "load_mapped/teff",
    "save 256 MB as .pt, not flushed": "save/pt",
    "load 256 MB from .pt": "load/pt",
    "load 256 MB from .pt, mapped, not verified": "load_mapped/pt",
})

# What Teff does alone over many sizes: the title, the horizontal axis, its points, the units of work at a point, and
# the series as (name, engine, work).
SCALING = [
    ("Net: microseconds an image", "images in a batch", [2 ** i for i in range(9)], lambda n: n, [
        ("inference", "Teff", "infer/net/{}/3/32"),
        ("inference, session", "Teff session", "infer/net/{}/3/32"),
        ("SGD step", "Teff", "step/net/{}/3/32")]),
    ("3x3 convolution, 64 channels: nanoseconds a pixel", "height and width of the image",
     [8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224], lambda n: n * n / 1000, [
         ("forward", "Teff", "conv_forward/1/64/{}/3/64/1"),
         ("forward + backward", "Teff", "conv_both/1/64/{}/3/64/1")]),
]

# What Teff does alone with one thread and with all.
THREADS = {f"Net, SGD step, batch {n}": f"step/net/{n}/3/32" for n in [2 ** i for i in range(9)]}
THREADS.update({f"Net, inference, batch {n}": f"infer/net/{n}/3/32" for n in [2 ** i for i in range(9)]})
THREADS.update({title: work for title, work in WORKS.items() if work.startswith(("infer/resnet", "infer/mobile", "conv"))})
ROUND_TRIPS = 10000

# What would decide for an engine which kernels or how many threads it uses.
TUNING = ("OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "GOTO_", "ATEN_", "TEFF_ISA",
          "TEFF_NUM_THREADS")

# What holds the engines to AVX2 on a machine that has more, and who takes no such order.
HOLD = {"avx2": {"TEFF_ISA": "avx2", "OPENBLAS_CORETYPE": "Haswell", "DNNL_MAX_CPU_ISA": "AVX2",
                 "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}}
NOT_HELD = ("ONNX Runtime",)

# A row is measured again, at most so often, if an engine's turns disagree by more than that.
MOST_TRIES = 3
DISAGREE = 1.1


@dataclass
class Engine:
    """An engine: how its worker starts, and how the process that `cold` times."""
    name: str
    command: list
    cold: list = None
    missing: str = ""  # why it cannot run
    version: str = ""
    settings: dict = field(default_factory=dict)  # folder and environment of its processes
    process: subprocess.Popen = None

    def start(self, threads, folder, isa=""):
        """Starts the worker and takes note of its version."""
        self.settings = {"cwd": folder, "env": environment(threads) | HOLD.get(isa, {}), "text": True}
        command = [str(threads) if part == "THREADS" else part for part in self.command]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, **self.settings)
        self.version = self.read().get("version", self.version)

    def read(self):
        try:
            return json.loads(self.process.stdout.readline())
        except ValueError as error:
            return {"error": f"no answer: {error}"}

    def run(self, work, repetitions):
        """The worker's answer."""
        if work == "cold":
            return self.run_cold(repetitions)
        try:
            self.process.stdin.write(f"run {work} {repetitions}\n")
            self.process.stdin.flush()
        except OSError as error:
            return {"error": str(error)}
        return self.read()

    def run_cold(self, repetitions):
        """Times whole processes."""
        if not self.cold:
            return {"skip": True}
        times = []
        for _ in range(repetitions):
            start = process_clock()
            done = subprocess.run(self.cold, capture_output=True, **self.settings)
            times.append((process_clock() - start) * 1e6)
            if done.returncode != 0:
                return {"error": done.stderr.strip()[-300:]}
        return {"times": times, "first": json.loads(done.stdout)["first"]}

    def stop(self):
        self.process.communicate()


def process_clock():
    """Seconds of the clock that the workers use: on the wall, or of the processes that have ended."""
    if not os.environ.get("TEFF_COMPARE_CLOCK"):
        return time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def environment(threads):
    """The environment of the workers: nothing that tunes one engine, and the number of threads for all."""
    result = {key: value for key, value in os.environ.items() if not key.startswith(TUNING)}
    result.update({name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TEFF_NUM_THREADS")})
    if os.environ.get("TEFF_ORT"):
        result["NODE_PATH"] = os.path.join(os.environ["TEFF_ORT"], "node_modules")
    return result


def python_with_torch():
    """A Python that imports torch and torchvision, or None."""
    for python in dict.fromkeys((sys.executable, "/usr/bin/python3")):
        if shutil.which(python) and subprocess.run([python, "-c", "import torch, torchvision"],
                                                  capture_output=True).returncode == 0:
            return python
    return None


def find_engines(build):
    """All engines; those that this machine lacks say why."""
    build = pathlib.Path(build).resolve()
    python, node = python_with_torch(), shutil.which("node")
    torch_worker, ort_worker = str(HERE / "torch_worker.py"), str(HERE / "ort_worker.js")
    has_ort = node and subprocess.run([node, "-e", "require('onnxruntime-node')"], env=environment(1),
                                      capture_output=True).returncode == 0

    def built(name, *arguments, cold=None):
        path = build / (name + "_worker")
        missing = "" if path.exists() else "its library was not found, so its worker is not built"
        return {"command": [str(path), *arguments], "cold": cold and [str(path), *cold], "missing": missing}

    return [
        Engine("Teff", [str(build / "teff_worker"), "THREADS"], [str(build / "teff_cold_start"), "net.teff"]),
        Engine("Teff session", [str(build / "teff_worker"), "THREADS", "session"]),
        Engine("PyTorch", [python, torch_worker, "THREADS"], [python, torch_worker, "cold", "net.ts"],
               "" if python else "no Python that imports torch and torchvision"),
        Engine("libtorch", **built("libtorch", "THREADS", cold=["cold", "net.ts"])),
        Engine("ONNX Runtime", [node, ort_worker, "THREADS"], [node, ort_worker, "cold", "net.onnx"],
               "" if has_ort and python else "needs node, onnxruntime-node (TEFF_ORT), and PyTorch to write its files"),
        Engine("OpenBLAS", **built("openblas", "THREADS")),
        Engine("oneDNN", **built("onednn")),
        Engine("dlib", **built("dlib")),
    ]


def export_models(engines, folder):
    """Writes the files that the engines load."""
    cold = next(engine.cold for engine in engines if engine.name == "Teff")
    subprocess.run([cold[0], "--write", cold[1]], cwd=folder, check=True)
    torch = next((engine for engine in engines if engine.name == "PyTorch"), None)
    if torch:
        wanted = {work.rsplit("/", 3)[0]: work for work in WORKS.values() if work.startswith("infer")}
        convs = [work for work in WORKS.values() if work.startswith("conv_forward")]
        subprocess.run([*torch.command[:2], "export", *wanted.values(), *convs], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def summary(times):
    return {"median": statistics.median(times), "best": min(times), "runs": len(times)}


def repetitions_for(engine, work, seconds):
    """How often a work fits into the time of one turn."""
    answer = engine.run(work, 1)
    if "times" not in answer:
        return 0, answer
    return max(1, min(2000, int(seconds * 1e6 / max(answer["times"][0], 1)))), answer


def agree(work, values, reference):
    """Whether two engines computed the same; the long sums of a convolution's gradient may differ by more."""
    allowed = (1e-3 if work.startswith(("conv", "lstm_both")) else 1e-4) * max(1, max(map(abs, reference)))
    return len(values) == len(reference) and all(abs(a - b) <= allowed for a, b in zip(values, reference))


def spread(turns):
    """How far the turns of an engine disagree: its upper quarter over its lower one, of their medians."""
    medians = [statistics.median(times) for times in turns if times]
    if len(medians) < 4:
        return 1
    lower, _, upper = statistics.quantiles(medians, n=4)
    return upper / lower


def measure_work(engines, work, options):
    """The row of one work, the calmest of some tries, with how far its turns disagree."""
    best = None
    for _ in range(1 if options.quick else MOST_TRIES):
        row = run_work(engines, work, options)
        if best is None or row[2] < best[2]:
            best = row
        if best[2] <= DISAGREE:
            break
    return best


def run_work(engines, work, options):
    """The row of one work: a summary of times by engine, what went wrong, and how far turns disagree."""
    counts, firsts, times, problems = {}, {}, {}, []
    for engine in engines:
        count, answer = repetitions_for(engine, work, options.seconds)
        if count:
            counts[engine.name], firsts[engine.name], times[engine.name] = count, answer["first"], []
        elif "skip" not in answer:
            problems.append(f"{engine.name}: {answer.get('error', 'no answer')}")
    reference = firsts.get("PyTorch", next(iter(firsts.values()), None))
    for name, values in firsts.items():
        if reference and not agree(work, values, reference):
            problems.append(f"{name}: wrong result {values}, expected {reference}")
            del counts[name], times[name]
    running = [engine for engine in engines if engine.name in counts]
    for turn in range(options.rounds):
        for i in range(len(running)):
            engine = running[(i + turn) % len(running)]
            times[engine.name].append(engine.run(work, counts[engine.name]).get("times", []))
    disagreement = max((spread(turns) for turns in times.values()), default=1)
    everything = {name: [time for turn in turns for time in turn] for name, turns in times.items()}
    return {name: summary(all_times) for name, all_times in everything.items() if all_times}, problems, disagreement


def run_all(engines, threads, isa, folder, options):
    """All works with that many threads, by engines that are held to the instruction set, if one is given."""
    rows, problems = [], []
    not_held = [name for name in NOT_HELD if isa and any(engine.name == name for engine in engines)]
    for engine in engines:
        engine.start(threads, folder, isa)
    for title, work in WORKS.items():
        times, wrong, disagreement = measure_work(engines, work, options)
        rows.append({"title": title, "work": work, "times": times, "spread": disagreement, "not_held": not_held})
        problems += [f"{title}: {text}" for text in wrong]
        print(report.text_row(rows[-1]), *(f"  ! {text}" for text in wrong), sep="\n", flush=True)
    for engine in engines:
        engine.stop()
    return {"rows": rows, "problems": problems, "scaling": [], "versions": {e.name: e.version for e in engines}}


def run_scaling(engines, threads, folder, options):
    """Teff alone over many sizes, as time for a unit of work."""
    teff = {engine.name: engine for engine in engines if engine.name.startswith("Teff")}
    for engine in teff.values():
        engine.start(threads, folder)
    charts = []
    for title, axis, points, units, series in SCALING:
        samples = {name: {point: [] for point in points} for name, _, _ in series}
        for _ in range(max(2, options.rounds // 2)):
            for point in points:
                for name, engine, work in series:
                    count, _ = repetitions_for(teff[engine], work.format(point), options.seconds / 2)
                    samples[name][point] += teff[engine].run(work.format(point), count)["times"]
        charts.append({"title": title, "axis": axis, "series": [
            {"name": name, "points": [[point, statistics.median(t) / units(point), min(t) / units(point)]
                                      for point, t in samples[name].items()]} for name, _, _ in series]})
        print(report.text_scaling(charts[-1]), flush=True)
    for engine in teff.values():
        engine.stop()
    return charts


def run_threads(engines, threads, folder, options):
    """Teff with one thread and with several, in turn. With each row the time of a message between two cores, there and
    back: a virtual machine's cores are at times in different sockets, where several threads gain little."""
    command = next(engine.command for engine in engines if engine.name == "Teff")
    pair = [Engine(report.thread_count(str(n)), command) for n in (1, threads)]
    for engine, count in zip(pair, (1, threads)):
        engine.start(count, folder)

    def distance():
        return min(pair[1].run(f"round_trips/{ROUND_TRIPS}", 3)["times"]) * 1000 / ROUND_TRIPS

    rows, problems = [], []
    for title, work in THREADS.items():
        before = distance()
        times, wrong, _ = run_work(pair, work, options)
        rows.append({"title": title, "work": work, "times": times, "round_trip_ns": max(before, distance())})
        problems += [f"{title}: {problem}" for problem in wrong]
        print(report.text_threads(rows[-1]), *(f"  ! {problem}" for problem in wrong), sep="\n", flush=True)
    for engine in pair:
        engine.stop()
    return {"rows": rows, "problems": problems}


def machine():
    """What the numbers depend on."""
    cpu = platform.processor()
    if os.path.exists("/proc/cpuinfo"):
        lines = dict(line.split(":", 1) for line in open("/proc/cpuinfo", encoding="utf-8") if ":" in line)
        lines = {key.strip(): value.strip() for key, value in lines.items()}
        cpu = lines.get("model name", cpu)
        cpu += "".join(f", {name}" for name, flag in (("AVX2", "avx2"), ("AVX-512", "avx512f"))
                       if flag in lines.get("flags", "").split())
    return {"cpu": cpu, "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}"}


def has_avx512():
    return "AVX-512" in machine()["cpu"]


def busy_share(seconds=1.0):
    """How much of the processor others use while this program waits; None if the system does not tell."""
    def read():
        with open("/proc/stat", encoding="utf-8") as file:
            ticks = [int(field) for field in file.readline().split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]

    try:
        (total, idle), _, (total_after, idle_after) = read(), time.sleep(seconds), read()
    except OSError:
        return None
    return 1 - (idle_after - idle) / max(total_after - total, 1)


def unrest():
    """Why times would mean little here, or an empty text."""
    busy = busy_share()
    return f"other programs use {100 * busy:.0f} % of the processor" if busy and busy > 0.05 else ""


def commit():
    """The commit of the sources, marked if they were changed."""
    done = subprocess.run(["git", "-C", str(HERE), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip()


def parse_arguments():
    parser = argparse.ArgumentParser(description="Runs Teff and other engines on the same work, interleaved.")
    parser.add_argument("--build", required=True, help="the folder of the compiled workers")
    parser.add_argument("--out", required=True, help="the folder for results.json, table.md and pictures")
    parser.add_argument("--threads", type=int, help="only this number; default: one, and all cores")
    parser.add_argument("--isa", choices=("all", "widest", "avx2"), default="all",
                        help="what the machine has, all held to AVX2, or first the one and then the other: the default "
                             "where the machine has AVX-512")
    parser.add_argument("--cpu-time", action="store_true",
                        help="count the processor's time, not the wall's: for one thread on a busy machine")
    parser.add_argument("--quick", action="store_true", help="two short rounds, to see that all works")
    parser.add_argument("--only", default="", help="only works whose title contains this")
    options = parser.parse_args()
    if options.cpu_time:
        os.environ["TEFF_COMPARE_CLOCK"] = "cpu"
        options.threads = 1
    options.rounds, options.seconds = (2, 0.02) if options.quick else (8, 0.2)
    return options


def command(options):
    """The command that makes such results, without this machine's paths."""
    flags = {f"--isa {options.isa}": options.isa != "all", "--cpu-time": options.cpu_time, "--quick": options.quick, f"--threads {options.threads}": options.threads,
             f"--only {shlex.quote(options.only)}": options.only}
    return " ".join(["sh bench/compare/run.sh", *(flag for flag, given in flags.items() if given)])


def main():
    options = parse_arguments()
    for works in (WORKS, THREADS):
        for title in [title for title in works if options.only not in title]:
            del works[title]
    found = find_engines(options.build)
    engines = [engine for engine in found if not engine.missing]
    skipped = {engine.name: engine.missing for engine in found if engine.missing}
    for name, reason in skipped.items():
        print(f"skipped: {name}: {reason}")
    results = {
        "date": datetime.date.today().isoformat(), "machine": machine(), "commit": commit(), "skipped": skipped,
        "command": command(options),
        "clock": "processor time" if options.cpu_time else "wall-clock time",
        "rounds": options.rounds, "load_before": os.getloadavg()[0], "unrest": unrest(), "runs": {}}
    if results["unrest"]:
        print(f"warning: {results['unrest']}: the times mean little", file=sys.stderr)
    held = {"widest": [""], "avx2": ["avx2"]}.get(options.isa, ["", "avx2"] if has_avx512() else [""])
    with tempfile.TemporaryDirectory(prefix="teff_compare_") as folder:
        export_models(engines, folder)
        counts = [options.threads] if options.threads else sorted({1, os.cpu_count()})
        for threads, isa in [(threads, isa) for threads in counts for isa in held]:
            key = f"{threads}-{isa}" if isa else str(threads)
            print(f"\n{report.thread_count(key)}, median times:", flush=True)
            run = run_all(engines, threads, isa, folder, options)
            if not isa:
                results["engines"] = run["versions"]
                run["scaling"] = [] if options.only else run_scaling(engines, threads, folder, options)
            if threads > 1 and not isa:
                run["threads"] = run_threads(engines, threads, folder, options)
                run["problems"] += run["threads"]["problems"]
            results["runs"][key] = run
    results.setdefault("engines", next(iter(results["runs"].values()))["versions"])
    results["load_after"] = os.getloadavg()[0]
    os.makedirs(options.out, exist_ok=True)
    path = os.path.join(options.out, "results.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    print("\n" + report.write_report(path))
    problems = [text for run in results["runs"].values() for text in run["problems"]]
    sys.exit("\n".join(problems) if problems else 0)


if __name__ == "__main__":
    main()
