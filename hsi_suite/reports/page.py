"""What the pages of runs share: one file that needs nothing else and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from ..printable import UNDEFINED, plain, safe_line
from .content import Metrics, metric_words
from .drawing import INK, data_uri, to_png, to_svg
from .figures import has_curves, learning_curves_figure

_DARK_INK = "#d1d7e0"
_LARGEST_SVG = 400_000  # characters; a chart of more elements than that goes in as PNG
_LONGEST_LIST = 12


@dataclass(frozen=True)
class Picture:
    """An image of a page: its data URI, that for dark pages, and its size in CSS pixels."""

    light: str
    dark: str
    width: int
    height: int
    alt: str
    caption: str


@dataclass(frozen=True)
class RunPage:
    """What the pages of all runs are made of.

    Attributes:
        metrics: the content of metrics.json.
        history: a row of figures for each epoch; empty for models that do not train in epochs.
        environment: versions, device and threads, possibly nested.
        seeds: the seed of each stream.
        config_text: the resolved configuration, YAML.
        command: the command line that makes the run again.
        cost: time and memory.
    """

    metrics: Metrics
    history: Sequence[Mapping[str, Any]]
    environment: Mapping[str, Any]
    seeds: Mapping[str, Any]
    config_text: str
    command: str
    cost: Mapping[str, Any]

    def common_values(self) -> dict[str, Any]:
        """What the templates show of every run, by name."""
        return {
            "seeds": seed_rows(self.seeds),
            "environment": flat_rows(self.environment),
            "config_text": self.config_text.rstrip(),
            "command": self.command.strip(),
            "cost": flat_rows(self.cost),
        }


def render_page(template: str, values: Mapping[str, Any]) -> str:
    """A page as HTML text: no script, nothing loaded, readable in light, dark and print.

    Whatever names and texts hold, they are shown as text: the template escapes them and the
    page's security policy allows nothing but its own style and its embedded images.

    Args:
        template: file name among the templates.
        values: what it shows, beside the style.
    """
    templates = Environment(
        loader=PackageLoader(__package__ or "hsi_suite.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = own_file("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # The style is our own file; escaping would break it and its checksum.
    return templates.get_template(template).render(
        style=Markup(style), style_digest=digest, **values
    )


def own_file(name: str) -> str:
    """The text of a style or script that is put into pages."""
    return (resources.files(__package__) / "templates" / name).read_text("utf-8")


def photograph(png: bytes, alt: str, caption: str) -> Picture:
    """A PNG file of a page, drawn at twice the size it is shown at: sharp on dense screens."""
    # Width and height stand at a fixed place in every PNG file.
    width, height = struct.unpack(">II", png[16:24])
    uri = data_uri(png, "png")
    return Picture(uri, uri, width // 2, height // 2, alt, caption)


def chart(figure: Figure, alt: str, caption: str) -> Picture:
    """A figure of a page as SVG, with its ink lightened for dark pages; large ones as PNG."""
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    svg = to_svg(figure)
    if len(svg) > _LARGEST_SVG:
        uri = data_uri(to_png(figure, 192), "png")
        return Picture(uri, uri, width, height, alt, caption)
    light, dark = (data_uri(text, "svg+xml") for text in (svg, svg.replace(INK, _DARK_INK)))
    return Picture(light, dark, width, height, alt, caption)


def curves_chart(history: Sequence[Mapping[str, Any]], epoch: int | None) -> Picture | None:
    """The learning curves; None where there are none.

    Args:
        history: a row of figures for each epoch.
        epoch: whose model was kept; None or 0 where it is not known.
    """
    if not has_curves(history):
        return None
    last = {key: value for key, value in history[-1].items() if key != "epoch"}
    ends = ", ".join(f"{metric_words(key)} {value_text(value)}" for key, value in last.items())
    caption = f"Learning curves; after {len(history)} epochs: {ends}."
    if epoch:
        caption += f" The model is that of epoch {epoch}."
    alt = f"Learning curves over {len(history)} epochs."
    return chart(learning_curves_figure(history), alt, caption)


def seed_rows(seeds: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The seed of each stream, as (what, value)."""
    return [
        (plain(stream), "derived from the base" if seed is None else value_text(seed))
        for stream, seed in seeds.items()
    ]


def flat_rows(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A tree of values as (what, value), the names of its levels in a row."""
    rows: list[tuple[str, str]] = []
    for key, value in tree.items():
        name = f"{prefix}{plain(key)}"
        if isinstance(value, Mapping):
            rows += flat_rows(value, f"{name}: ")
        else:
            rows.append((name, value_text(value)))
    return rows


def value_text(value: object) -> str:
    """A value in a table."""
    if value is None or value == "":
        return UNDEFINED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, list | tuple) and len(value) > _LONGEST_LIST:
        numbers = all(isinstance(item, int | float) for item in value)
        ends = (min(value), max(value)) if numbers else (value[0], value[-1])
        return f"{len(value)} values, {' … '.join(map(value_text, ends))}"
    if isinstance(value, list | tuple):
        return ", ".join(map(value_text, value)) or UNDEFINED
    return plain(value)


def _shown(value: Any) -> Any:
    """What a template puts in: texts of users without codes, line by line; our own as it is."""
    if type(value) is not str:
        return value
    return "\n".join(map(safe_line, value.split("\n")))
