"""The page of a report: its style and the elements it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

# Colours that can be told apart in print, at night and by the colour-blind: blue, vermilion,
# bluish green and orange of M. Okabe, K. Ito, Color Universal Design (2008).
_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f23; --pale: #5c6670; --rule: #d5dae0;
  --good: #0072b2; --bad: #d55e00; --third: #009e73; --fourth: #b07800; --panel: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e4e8ec; --pale: #9aa5b0;
  --rule: #363d45; --good: #56a8e0; --bad: #f0803c; --third: #2fc79a; --fourth: #e6ab2e;
  --panel: #1e2327; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 16px; max-width: 1040px; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 8px 0; }
h2 { font-size: 1.25rem; margin: 40px 0 8px; padding-top: 12px; border-top: 2px solid var(--rule); }
h3 { font-size: 1.05rem; margin: 28px 0 8px; }
p { margin: 8px 0; } a { color: var(--good); }
.headline { font-size: 2.4rem; font-weight: 700; line-height: 1.1; margin: 12px 0 4px; }
.pale, figcaption { color: var(--pale); font-size: 0.875rem; }
.warning { border-left: 4px solid var(--bad); padding: 6px 12px; margin: 12px 0;
  background: var(--panel); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 8px;
  margin: 16px 0; }
.tile { background: var(--panel); border-radius: 6px; padding: 8px 12px; }
.tile b { display: block; font-size: 1.2rem; } .tile span { color: var(--pale); font-size: 0.8rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr));
  gap: 16px 28px; align-items: start; }
.charts > * { min-width: 0; } figure { margin: 8px 0; max-width: 520px; }
svg { width: 100%; height: auto; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.9rem; }
th, td { text-align: left; padding: 4px 14px 4px 0; border-bottom: 1px solid var(--rule);
  vertical-align: top; white-space: nowrap; }
td.long { white-space: normal; min-width: 16rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
pre, code { font: 0.8rem/1.45 ui-monospace, monospace; } pre { background: var(--panel);
  padding: 10px 12px; border-radius: 6px; overflow-x: auto; margin: 8px 0; }
pre.lines { white-space: pre-wrap; }
details { border-bottom: 1px solid var(--rule); padding: 6px 0; }
summary { cursor: pointer; min-height: 32px; }
details:target > summary { background: var(--panel); }
.film { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 6px; }
.film figure { margin: 0; } .film img { width: 100%; display: block; border-radius: 4px; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
svg text.small { fill: var(--pale); font-size: 12px; } svg text.tiny { fill: var(--pale);
  font-size: 10px; }
svg text.link { fill: var(--good); text-decoration: underline; }
svg text.first { fill: var(--good); } svg text.second { fill: var(--fourth); }
svg text.third { fill: var(--third); } svg text.fourth { fill: var(--bad); }
.axis, .mark { stroke: var(--pale); } .mark { stroke-dasharray: 4 3; }
.human { stroke: var(--third); stroke-width: 1.5; }
.takt { stroke: var(--bad); stroke-width: 1.5; } .grid { stroke: var(--rule); }
.limit { stroke: var(--bad); stroke-dasharray: 6 3; }
.good, .bar.first { fill: var(--good); } .bar.second { fill: var(--fourth); }
.bad, .bar.fourth { fill: var(--bad); } .bar.third { fill: var(--third); }
.point { fill: var(--ink); stroke: var(--paper); }
.curve { fill: none; stroke-width: 1.2; stroke-linejoin: round; }
.curve.first { stroke: var(--good); } .curve.second { stroke: var(--fourth); }
.curve.third { stroke: var(--third); } .curve.fourth { stroke: var(--bad); }
@media print { details > * { display: block; } body { font-size: 11px; } }
"""
# A cell with more letters than this is broken into lines.
_LONG = 60


class Html(str):
    """Text that is a part of a page already and is not escaped again."""

    __slots__ = ()


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole page that needs nothing but itself.

    Args:
        title: Of the window.
        parts: What it shows.
    """
    # Nothing is fetched, not even by mistake.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def heading(level: int, words: str, anchor: str = "") -> Html:
    """Return a heading."""
    place = f' id="{escape(anchor)}"' if anchor else ""
    return Html(f"<h{level}{place}>{_safe(words)}</h{level}>")


def paragraph(words: str, kind: str = "") -> Html:
    """Return a paragraph."""
    return Html(f'<p class="{kind}">{_safe(words)}</p>' if kind else f"<p>{_safe(words)}</p>")


def warning(words: str) -> Html:
    """Return something that must not be missed."""
    return Html(f'<div class="warning">{_safe(words)}</div>')


def link(words: str, target: str) -> Html:
    """Return a link."""
    return Html(f'<a href="{escape(target)}">{_safe(words)}</a>')


def tiles(figures: Sequence[tuple[str, str]]) -> Html:
    """Return figures, each with its name, side by side."""
    inner = "".join(
        f'<div class="tile"><b>{_safe(value)}</b><span>{_safe(name)}</span></div>'
        for name, value in figures
    )
    return Html(f'<div class="tiles">{inner}</div>')


def figure(drawing: str, caption: str = "") -> Html:
    """Return a drawing with a line below it.

    Args:
        drawing: An element.
        caption: The line.
    """
    below = f"<figcaption>{_safe(caption)}</figcaption>" if caption else ""
    return Html(f"<figure>{drawing}{below}</figure>")


def charts(figures: Iterable[str]) -> Html:
    """Return figures, two abreast where there is room."""
    return Html(f'<div class="charts">{"".join(figures)}</div>')


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> Html:
    """Return a table that scrolls by itself where it is wider than the screen.

    Args:
        head: Of the columns.
        rows: The cells.
        numbers: Which columns hold numbers.
    """

    def cells(tag: str, row: Sequence[str]) -> str:
        kinds = [
            "number" if i in numbers else "long" if len(cell) > _LONG else ""
            for i, cell in enumerate(row)
        ]
        return "".join(
            f'<{tag} class="{kind}">{_safe(cell)}</{tag}>'
            for kind, cell in zip(kinds, row, strict=True)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return Html(
        f'<div class="wide"><table><thead><tr>{cells("th", head)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def code(text: str, wrapped: bool = False) -> Html:
    """Return text as it is to be typed or was written."""
    return Html(f'<pre class="{"lines" if wrapped else ""}">{escape(text)}</pre>')


def fold(summary: str, parts: Iterable[str], anchor: str = "", opened: bool = False) -> Html:
    """Return something that is seen when it is opened."""
    place = f' id="{escape(anchor)}"' if anchor else ""
    state = " open" if opened else ""
    inner = "".join(parts)
    return Html(f"<details{place}{state}><summary>{_safe(summary)}</summary>{inner}</details>")


def film(pictures: Sequence[tuple[str, str]]) -> Html:
    """Return pictures in a row.

    Args:
        pictures: Each as its time and a `data:` address.
    """
    inner = "".join(
        f'<figure><img src="{escape(address)}" alt="{escape(when)}" loading="lazy">'
        f"<figcaption>{escape(when)}</figcaption></figure>"
        for when, address in pictures
    )
    return Html(f'<div class="film">{inner}</div>')


def _safe(words: str) -> str:
    return words if isinstance(words, Html) else escape(words)
