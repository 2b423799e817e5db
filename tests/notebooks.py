"""The notebooks of the documentation, carried out.

`python -m tests.notebooks` carries every one out and writes its outputs into it; names of notebooks
carry out those alone.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


_KERNEL = "python3"


@contextmanager
def running_kernel() -> Iterator[KernelManager]:
    """A kernel for several notebooks, one after the other: most of a start is imports."""
    manager = KernelManager(kernel_name=_KERNEL)
    manager.start_kernel()
    try:
        yield manager
    finally:
        manager.shutdown_kernel(now=True)


def carried_out(
    path: Path, folder: Path, kernel: KernelManager | None = None
) -> nbformat.NotebookNode:
    """The notebook with the outputs of a kernel that works in `folder`.

    Args:
        path: of the notebook.
        folder: where it is carried out.
        kernel: a running one, in which no name of an earlier notebook is left; None for a new one.

    Raises:
        CellExecutionError: a cell raises.
    """
    if kernel is not None:
        anew = nbformat.v4.new_code_cell(f"import os\nos.chdir({str(folder)!r})\n%reset -f")
        _execute(nbformat.v4.new_notebook(cells=[anew]), folder, kernel)
    notebook = nbformat.read(path, as_version=4)
    _execute(notebook, folder, kernel)
    return notebook


def _execute(notebook: nbformat.NotebookNode, folder: Path, kernel: KernelManager | None) -> None:
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(
        notebook, km=kernel, timeout=300, kernel_name=_KERNEL, resources=resources
    ).execute()


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The cells of a notebook that are carried out."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


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
