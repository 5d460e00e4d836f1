"""Draws the ratios of a run of the suite, or what a record costs by the number of series:

python3 benches/plot.py suite.json > benches/suite.svg
target/release/souk-kernels plot > sizes.json && python3 benches/plot.py sizes.json > benches/sizes.svg
"""

import html
import json
import math
import sys

ROW, LEFT, WIDTH = 26, 330, 420
LEAST, MOST = 0.1, 3.0


def at(ratio: float) -> float:
    """Where a ratio stands, on a logarithmic scale."""
    ratio = min(max(ratio, LEAST), MOST)
    return LEFT + WIDTH * math.log(ratio / LEAST) / math.log(MOST / LEAST)


HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="sans-serif" font-size="12">'
    '<rect width="100%" height="100%" fill="white"/>'
)


def sizes(rows: list[dict]) -> list[str]:
    """Nanoseconds a record against the number of series, which stands on a logarithmic scale."""
    left, top, wide, high = 50, 40, 560, 260
    least, most = rows[0]["series"], rows[-1]["series"]
    top_nanos = math.ceil(max(max(row["tally"], row["bare"]) for row in rows)) + 1

    def place(series: int, nanos: float) -> tuple[float, float]:
        across = math.log(series / least) / math.log(most / least)
        return left + wide * across, top + high * (1 - nanos / top_nanos)

    out = [
        HEAD.format(left + wide + 40, top + high + 50),
        '<text x="10" y="20" font-size="14">Nanoseconds a new record, by the number of series</text>',
    ]
    for nanos in range(0, top_nanos + 1, max(1, top_nanos // 6)):
        _, y = place(least, nanos)
        out.append(f'<line x1="{left}" x2="{left + wide}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#666">{nanos}</text>')
    for row in rows:
        x, _ = place(row["series"], 0)
        out.append(f'<text x="{x:.1f}" y="{top + high + 20}" text-anchor="middle" fill="#666">{row["series"]:,}</text>')
    lines = [("tally", "#3b7a57", "the tally"), ("bare", "#888", "one dense array with a bitmap")]
    for number, (key, colour, name) in enumerate(lines):
        points = [place(row["series"], row[key]) for row in rows]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.extend(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
        out.append(f'<text x="{left + 10 + 120 * number}" y="{top + high + 42}" fill="{colour}">{name}</text>')
    return out


def ratios(all_rows: list[dict]) -> list[str]:
    """A bar a row, on a logarithmic scale."""
    rows = [row for row in all_rows if row.get("target", "").endswith(" x")]
    height = ROW * len(rows) + 60
    out = [
        HEAD.format(LEFT + WIDTH + 60, height),
        '<text x="10" y="20" font-size="14">Ratio to the baseline of the same run; the mark is the goal</text>',
    ]
    for ratio in (0.1, 0.2, 0.5, 1, 2, 3):
        out.append(f'<line x1="{at(ratio):.1f}" x2="{at(ratio):.1f}" y1="32" y2="{height - 22}" stroke="#ddd"/>')
        out.append(f'<text x="{at(ratio):.1f}" y="{height - 8}" text-anchor="middle" fill="#666">{ratio:g}</text>')
    for number, row in enumerate(rows):
        y = 38 + number * ROW
        sign, goal, _ = row["target"].split()
        colour = {True: "#3b7a57", False: "#b5483a"}.get(row["met"], "#888")
        out.append(f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{html.escape(row["name"])}</text>')
        out.append(f'<rect x="{LEFT}" y="{y}" width="{at(row["ratio"]) - LEFT:.1f}" height="18" fill="{colour}"/>')
        out.append(f'<text x="{at(row["ratio"]) + 6:.1f}" y="{y + 14}">{row["ratio"]:.2f} ({html.escape(sign)} {goal})</text>')
        mark = at(float(goal))
        out.append(f'<line x1="{mark:.1f}" x2="{mark:.1f}" y1="{y - 2}" y2="{y + 20}" stroke="black" stroke-width="2"/>')
    return out


def main() -> None:
    run = json.load(open(sys.argv[1]))
    out = sizes(run["sizes"]) if "sizes" in run else ratios(run["rows"])
    print("\n".join(out + ["</svg>"]))


if __name__ == "__main__":
    main()
