# SPDX-License-Identifier: MIT
"""Tables and pictures from results.json alone. Usage: report.py RESULTS.json [median|best] writes them beside it anew.

The ratio of an engine is its time over that of Teff: of the faster one, where Teff ran a module and a session.
"""
import json
import math
import os
import sys
from html import escape

TEFF = ("Teff", "Teff session")
COLOURS = {"PyTorch": "#ee6c4d", "libtorch": "#b5462d", "ONNX Runtime": "#4d7ea8", "OpenBLAS": "#7a9e5f",
           "oneDNN": "#8b6fb0", "dlib": "#c9a227", "Teff": "#222222", "Teff session": "#888888"}
LINES = ["#222222", "#4d7ea8", "#ee6c4d"]


def ratio(row, engine, by="median"):
    """Time of the engine over that of Teff, or None."""
    teff = [row["times"][name][by] for name in TEFF if name in row["times"]]
    return row["times"][engine][by] / min(teff) if teff and engine in row["times"] else None


def lead(row, by):
    """The ratio of the fastest other engine, or None."""
    ratios = [ratio(row, name, by) for name in row["times"] if name not in TEFF + tuple(row.get("not_held", ()))]
    return min((r for r in ratios if r is not None), default=None)


def times_sign(value):
    return "" if value is None else f"{value:.2f}x" if value < 10 else f"{value:.0f}x"


def thread_count(run):
    """Of a run's key: "1 thread", "2 threads, AVX2"."""
    threads, _, isa = run.partition("-")
    return f"{threads} thread" + ("" if threads == "1" else "s") + (f", {isa.upper()}" if isa else "")


def column(row, name):
    """The head of an engine's column: one that could not be held to an instruction set says so."""
    return f"{name} (not held)" if name in row.get("not_held", ()) else name


def clock_time(microseconds):
    """A time in three digits with its unit."""
    unit, size = ("s", 1e6) if microseconds >= 1e6 else ("ms", 1e3) if microseconds >= 1e3 else ("us", 1)
    return f"{microseconds / size:.3g} {unit}"


def cell(row, engine):
    """Median time and ratio."""
    if engine not in row["times"]:
        return ""
    time = clock_time(row["times"][engine]["median"])
    return time if ratio(row, engine) in (None, 1) else f"{time} ({times_sign(ratio(row, engine))})"


def text_row(row):
    return f"{row['title']:<67}" + "  ".join(f"{name} {cell(row, name)}" for name in row["times"])


def gain(row):
    """Time of one thread over that of several."""
    one, several = (times["median"] for times in row["times"].values())
    return one / several


def threads_cells(row):
    return ([row["title"]] + [clock_time(times["median"]) for times in row["times"].values()] +
            [times_sign(gain(row)), f"{row['round_trip_ns']:.0f} ns"])


def text_threads(row):
    title, *cells = threads_cells(row)
    return f"{title:<67}" + "  ".join(cells)


def text_scaling(chart):
    """Best time for a unit of work at each point, and how far it rises again after its lowest point so far."""
    lines = [f"{chart['title']}, by {chart['axis']}, best times:"]
    for series in chart["series"]:
        lowest, rise = math.inf, (1, None)
        for point, _, best in series["points"]:
            lowest = min(lowest, best)
            rise = max(rise, (best / lowest, point), key=lambda pair: pair[0])
        values = "  ".join(f"{point}: {best:.3g}" for point, _, best in series["points"])
        lines.append(f"  {series['name']}: {values}  (highest rise: {rise[0]:.2f}x at {rise[1]})")
    return "\n".join(lines)


def heading(results):
    """Machine, versions, command: what a reader needs to judge the numbers."""
    m = results["machine"]
    lines = [f"{results['date']}, {m['cpu']}, {m['cores']} cores, {m['system']}; load average "
             f"{results['load_before']:.1f} before, {results['load_after']:.1f} after. "
             f"Commit {results['commit']}. Medians of {results['clock']}, {results['rounds']} interleaved rounds."]
    restless = sum(row.get("spread", 1) > 1.1 for run in results["runs"].values() for row in run["rows"])
    if results.get("unrest") or restless:
        lines.append("The machine was not quiet: " + ", ".join(filter(None, [
            results.get("unrest"), f"turns of {restless} rows disagree by more than a tenth" if restless else ""])) + ".")
    lines.append(", ".join(f"{name} {version}" for name, version in results["engines"].items()) + ".")
    if results["skipped"]:
        lines.append("Skipped: " + ", ".join(results["skipped"]) + ".")
    return lines + [f"`{results['command']}`", "In brackets: the time over that of the faster of Teff's two."]


def markdown(results):
    """The table for the README."""
    parts = ["\n".join(line + "  " for line in heading(results))]
    for threads, run in results["runs"].items():
        names = [name for name in results["engines"] if any(name in row["times"] for row in run["rows"])]
        lines = [f"| {thread_count(threads)} | " + " | ".join(column(run["rows"][0], name) for name in names) +
                 " | best other / Teff, medians | best times |", "|---" * (len(names) + 3) + "|"]
        for row in run["rows"]:
            cells = [cell(row, name) for name in names] + [times_sign(lead(row, by)) for by in ("median", "best")]
            lines.append(f"| {row['title']} | " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
        rows = run["threads"]["rows"] if "threads" in run else []
        if rows:
            lines = ["| Teff alone | " + " | ".join(rows[0]["times"]) + " | gain | message there and back |", "|---" * 5 + "|"]
            parts.append("\n".join(lines + ["| " + " | ".join(threads_cells(row)) + " |" for row in rows]))
    return "\n\n".join(parts) + "\n"


def svg(width, height, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11" fill="#222">\n'
            f'<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(body) + "\n</svg>\n")


def text(x, y, words, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {extra}>{escape(words)}</text>'


def ratios_svg(results, threads, by):
    """Bars: how many times as long as Teff each engine takes, on a logarithmic axis."""
    rows = [row for row in results["runs"][threads]["rows"] if lead(row, by) is not None]
    ratios = [(row, [(name, ratio(row, name, by)) for name in row["times"] if name not in TEFF]) for row in rows]
    everything = [r for _, bars in ratios for _, r in bars] + [1, 2]
    low = math.floor(math.log2(min(everything)))
    high = min(math.ceil(math.log2(max(everything))), 4)  # longer bars end at the edge: their number tells
    left, plot, bar, gap, top = 420, 450, 10, 8, 66
    height = top + sum(len(bars) * bar + gap for _, bars in ratios) + 12

    def across(value):
        return left + (min(math.log2(value), high) - low) / (high - low) * plot

    shown = [name for name in COLOURS if any(name == n for _, bars in ratios for n, _ in bars)]
    body = [text(12, 20, f"Time of other engines as a multiple of Teff's, {thread_count(threads)}, {by} "
                         f"{results['clock']}; bars to the right: Teff is faster", 'font-size="14"')]
    for i, name in enumerate(shown):
        body.append(f'<rect x="{12 + i * 100}" y="30" width="10" height="10" fill="{COLOURS[name]}"/>')
        body.append(text(26 + i * 100, 39, name))
    for power in range(low, high + 1):
        x = across(2 ** power)
        body.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top - 6}" y2="{height - 10}" '
                    f'stroke="{"#222" if power == 0 else "#ddd"}"/>')
        body.append(text(x, top - 9, f"{2.0 ** power:g}x", 'text-anchor="middle"'))
    y = top
    for row, bars in ratios:
        body.append(text(left - 30, y + len(bars) * bar / 2 + 4, row["title"], 'text-anchor="end"'))
        for name, r in bars:
            x, start = across(r), across(1)
            body.append(f'<rect x="{min(x, start):.1f}" y="{y + 1}" width="{max(abs(x - start), 1):.1f}" '
                        f'height="{bar - 2}" fill="{COLOURS[name]}"/>')
            side = 'text-anchor="end"' if r < 1 else ""
            body.append(text(x + (-3 if r < 1 else 3), y + bar - 1.5, times_sign(r), side + ' font-size="9"'))
            y += bar
        y += gap
    return svg(left + plot + 50, height, body)


def line_chart(chart, x0, y0, width, height):
    """Lines of the best time for a unit of work over sizes, both axes logarithmic."""
    points = [(p[0], p[2]) for series in chart["series"] for p in series["points"]]
    x_low, x_high = (f(math.log2(p[0]) for p in points) for f in (min, max))
    heights = [math.log2(p[1]) for p in points]
    y_low, y_high = math.floor(min(heights)), math.ceil(max(heights))

    def place(x, y):
        return (x0 + (math.log2(x) - x_low) / (x_high - x_low) * width,
                y0 + height - (math.log2(y) - y_low) / (y_high - y_low) * height)

    body = [text(x0 - 30, y0 - 14, chart["title"], 'font-size="13"'),
            text(x0 + width / 2, y0 + height + 32, chart["axis"], 'text-anchor="middle"')]
    for power in range(y_low, y_high + 1):
        _, y = place(points[0][0], 2.0 ** power)
        body.append(f'<line x1="{x0}" x2="{x0 + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        body.append(text(x0 - 6, y + 4, f"{2.0 ** power:g}", 'text-anchor="end"'))
    for x in [p[0] for p in chart["series"][0]["points"]][::1 if len(points) < 30 else 3]:
        body.append(text(place(x, 2.0 ** y_low)[0], y0 + height + 16, str(x), 'text-anchor="middle"'))
    for i, series in enumerate(chart["series"]):
        line = " ".join("{:.1f},{:.1f}".format(*place(p[0], p[2])) for p in series["points"])
        body.append(f'<polyline points="{line}" fill="none" stroke="{LINES[i]}" stroke-width="2"/>')
        body.append(text(x0 + 130 * i, y0 + height + 52, series["name"], f'font-weight="bold" style="fill:{LINES[i]}"'))
    return body


def scaling_svg(results, threads):
    """Teff over many sizes: flat lines have no cliffs."""
    body = [text(12, 20, f"Teff over many sizes, best {results['clock']}, {thread_count(threads)}", 'font-size="14"')]
    for i, chart in enumerate(results["runs"][threads]["scaling"]):
        body += line_chart(chart, 55 + i * 440, 60, 370, 230)
    return svg(900, 355, body)


def write_report(path, by="median"):
    """Writes table.md and the pictures beside results.json; returns the table."""
    with open(path, encoding="utf-8") as file:
        results = json.load(file)
    files = {"table.md": markdown(results)}
    for threads, run in results["runs"].items():
        files[f"ratios-{threads}.svg"] = ratios_svg(results, threads, by)
        if run["scaling"]:
            files[f"scaling-{threads}.svg"] = scaling_svg(results, threads)
    for name, content in files.items():
        with open(os.path.join(os.path.dirname(path), name), "w", encoding="utf-8") as file:
            file.write(content)
    return files["table.md"]


if __name__ == "__main__":
    print(write_report(*sys.argv[1:]))
