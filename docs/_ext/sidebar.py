"""The sidebar: a part for each folder of pages, and within it first what a reader needs first."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent
FOLDERS = {
    "tutorials": "Tutorials",
    "notebooks": "Notebooks",
    "how_to": "How to",
    "explanations": "Explanations",
    "reference": "Reference",
    "course": "The course",
    "zh": "中文",
    "zh/course": "课程",
}
# In this order, where they are; others follow by their names.
FIRST = (
    *("index", "start"),
    *("classify", "audit", "classification", "honest_evaluation", "repeat_runs", "repeated_runs"),
    *("denoise_photographs", "denoise_photograph", "denoise_cubes", "denoise_cube"),
    *("own_scene", "own_polygons", "own_network", "labels", "products", "bands", "many_scenes"),
    *("random_split", "splits", "audits", "reading_the_report", "why_results_differ"),
    *("photographs", "photograph_files", "which_noise", "photograph_noise", "jpeg", "camera_noise"),
    *("python", "commands", "configurations", "models", "data", "glossary"),
)
ENDINGS = {".md", ".ipynb"}
PROJECT = (
    "README <../README>",
    "中文说明 <../README.zh-CN>",
    "../ARCHITECTURE",
    "../CONTRIBUTING",
    "../CHANGELOG",
    "decisions/index",
    "../benchmarks/RESULTS",
    "../hsi_suite/weights/*",
)


def sidebar() -> str:
    """Hidden tables of contents, as MyST writes them."""
    folders = [
        _contents(caption, [f"{name}/{page}" for page in pages_of(DOCS / name)])
        for name, caption in FOLDERS.items()
        if pages_of(DOCS / name)
    ]
    return "\n\n".join([_contents("Begin", ["start"]), *folders, _contents("Project", PROJECT)])


def pages_of(folder: Path) -> list[str]:
    """The names of a folder's pages in the order of the sidebar; none where there is no folder."""
    index = folder / "index.md"
    if index.is_file() and "{toctree}" in index.read_text("utf-8"):
        return [index.stem]  # which lists the others itself
    names = {path.stem for path in folder.glob("*") if path.suffix in ENDINGS}
    places = {name: place for place, name in enumerate(FIRST)}
    return sorted(names, key=lambda name: (places.get(name, len(FIRST)), name))


def _contents(caption: str, entries: list[str] | tuple[str, ...]) -> str:
    lines = "\n".join(entries)
    return f"```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{lines}\n```"
