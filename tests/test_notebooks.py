"""The notebooks run as they stand, and their committed outputs are whole and small."""

import nbformat
import pytest

pytest.importorskip("ipykernel", reason="notebooks need a kernel")
from notebooks import NOTEBOOKS, carried_out, code_cells, running_kernel


def committed(path):
    return code_cells(nbformat.read(path, as_version=4))


@pytest.fixture(scope="module")
def kernel():
    with pytest.MonkeyPatch.context() as monkeypatch:
        # As for a reader with nothing but the package.
        monkeypatch.delenv("HSI_DATA_DIR", raising=False)
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        with running_kernel() as manager:
            yield manager


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs(path, kernel, tmp_path):
    now = code_cells(carried_out(path, tmp_path, kernel))
    # What was committed shows something wherever a run does; bars of progress come and go.
    assert [bool(cell.outputs) for cell in now] == [bool(cell.outputs) for cell in committed(path)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_committed_and_small(path):
    assert path.stat().st_size < 250_000
    cells = committed(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert sum(bool(cell.outputs) for cell in cells) >= 2
    # No path of the machine that made them.
    assert str(path.parents[2]) not in path.read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_first_cell_sets_up_where_the_suite_is_not_installed(path):
    first = committed(path)[0].source
    assert "pip" in first and "SOURCE" in first


def test_there_is_a_notebook_for_each_of_the_tasks():
    assert {path.stem for path in NOTEBOOKS} == {
        "classification",
        "denoise_cube",
        "denoise_photograph",
        "honest_evaluation",
        "own_network",
        "repeated_runs",
        "retrieval",
    }
