"""Draws the ratios of a run of the suite: python3 benches/plot.py suite.json > benches/suite.svg"""

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


def main() -> None:
    rows = [row for row in json.load(open(sys.argv[1]))["rows"] if row.get("target", "").endswith(" x")]
    height = ROW * len(rows) + 60
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 60} {height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
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
    print("\n".join(out + ["</svg>"]))


if __name__ == "__main__":
    main()
