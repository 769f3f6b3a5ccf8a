"""The picture: CPU time of every query on every engine, on a logarithmic axis. Plain SVG, nothing to install."""

from __future__ import annotations

import math
from html import escape

from .engines import LABELS, OURS
from .figures import Figures

ROW, LEFT, WIDTH, TOP, GAP = 20, 300, 860, 84, 46
COLOURS = {
    "meunier-tuned": "#c2410c", "meunier-plain": "#fdba74", "meunier-half": "#9a3412",
    "pinot-tuned": "#7c3aed", "pinot-plain": "#c4b5fd",
    "chdb": "#a16207", "chdb-plain": "#fde047",
    "duckdb": "#15803d", "duckdb-sorted": "#86efac",
    "datafusion": "#1d4ed8", "datafusion-pushdown": "#60a5fa", "datafusion-sorted": "#bfdbfe",
}
STYLE = "text{font:12px system-ui,sans-serif;fill:#1f2937}.small{font-size:11px;fill:#6b7280}.head{font-size:14px;font-weight:600}"


def draw(charts: list[Figures]) -> str:
    """Returns one chart below the other."""
    engines = [engine for engine in LABELS if any(engine in chart.engines for chart in charts)]
    body = [legend(engines)]
    top = TOP + 14 * (len(engines) // 6)
    for chart in charts:
        lines, top = draw_chart(chart, top)
        body += lines
    size = f'width="{LEFT + WIDTH + 40}" height="{top}" viewBox="0 0 {LEFT + WIDTH + 40} {top}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><style>{STYLE}</style>'
    return "\n".join([head, '<rect width="100%" height="100%" fill="#ffffff"/>', *body, "</svg>", ""])


def legend(engines: list[str]) -> str:
    """Returns what each mark means."""
    items = []
    for number, engine in enumerate(engines):
        x, y = 16 + number % 6 * 196, 22 + number // 6 * 18
        items.append(mark(engine, x, y) + f'<text x="{x + 12}" y="{y + 4}">{escape(LABELS[engine])}</text>')
    return "\n".join(items)


def draw_chart(chart: Figures, top: int) -> tuple[list[str], int]:
    """Returns the chart's lines and where the next may begin."""
    queries = chart.dataset.queries()
    times = [time for query in queries for engine in chart.engines if (time := chart.time(engine, query.id)) is not None]
    if not times:
        return [], top
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    place = lambda value: LEFT + (math.log10(value) - low) / max(high - low, 1) * WIDTH
    bottom = top + GAP + ROW * len(queries)
    title = f"{chart.dataset.name}: CPU milliseconds, {chart.threads} thread{'s' if chart.threads > 1 else ''}, logarithmic; further left is faster"
    lines = [f'<text class="head" x="16" y="{top + 12}">{escape(title)}</text>']
    for power in range(low, high + 1):
        x = place(10.0**power)
        lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top + GAP - 10}" y2="{bottom - 8}" stroke="#e5e7eb"/>')
        lines.append(f'<text class="small" x="{x:.1f}" y="{top + GAP - 14}" text-anchor="middle">{10.0**power:g}</text>')
    for number, query in enumerate(queries):
        y = top + GAP + ROW * number + 2
        lines.append(f'<text x="16" y="{y + 4}">{escape(query.id)}</text><text class="small" x="48" y="{y + 4}">{escape(query.title)}</text>')
        # Ours last, so that nothing covers it.
        for engine in sorted(chart.engines, key=lambda engine: engine in OURS):
            time = chart.time(engine, query.id)
            if time is not None:
                lines.append(mark(engine, place(time), y))
    return lines, bottom + 24


def mark(engine: str, x: float, y: float) -> str:
    """Returns an engine's mark: a diamond for ours, a circle for others."""
    colour = COLOURS[engine]
    if engine in OURS:
        return f'<path d="M{x:.1f} {y - 7}l7 7l-7 7l-7 -7z" fill="{colour}" stroke="#7c2d12"/>'
    return f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{colour}" stroke="#374151" stroke-width="0.6"/>'
