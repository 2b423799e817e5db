"""The notebooks of the documentation, carried out.

`python -m tests.notebooks` carries every one out and writes its outputs into it; names of notebooks
carry out those alone.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def carried_out(path: Path, folder: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs of a fresh kernel that works in `folder`.

    Raises:
        CellExecutionError: a cell raises.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return notebook


def renew(path: Path) -> None:
    """Put the outputs of a run into the notebook, without what differs from run to run."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = carried_out(path, Path(folder))
    for cell in notebook.cells:
        cell.metadata = {}
    notebook.metadata.language_info = {"name": "python"}
    nbformat.write(notebook, path)
    print(f"{path.name} ({path.stat().st_size // 1024} kB)")


def main() -> None:
    for path in NOTEBOOKS:
        if not sys.argv[1:] or path.stem in sys.argv[1:]:
            renew(path)


if __name__ == "__main__":
    main()
