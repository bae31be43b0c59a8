"""The notebooks, run from the first cell to the last in a kernel of their own."""

from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.processes import ROOT

pytestmark = [
    pytest.mark.slow,
    # Of the packages that run a notebook, on each other.
    pytest.mark.filterwarnings("ignore"),
]


def executed(name: str, folder: Any) -> Any:
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    return NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()


def outputs(notebook: Any, kind: str) -> list[str]:
    """Return what the cells show of a kind, as "image/png"."""
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output["data"][kind] for output in shown if kind in output.get("data", {})]


def printed(notebook: Any) -> str:
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output["text"] for output in shown if output["output_type"] == "stream")


def test_the_founding_question_in_five_cells(tmp_path):
    notebook = executed("founding", tmp_path)
    assert sum(cell.cell_type == "code" for cell in notebook.cells) == 5
    assert len(outputs(notebook, "image/png")) == 2
    assert "Refuted: " in printed(notebook)
    (bar,) = [html for html in outputs(notebook, "text/html") if "<progress" in html]
    trained = bar.partition("</progress> ")[2].partition(" ")[0]
    done, total = trained.split("/")
    assert done == total
    assert (tmp_path / "founding" / "report.html").is_file()


def test_own_data_and_network(tmp_path):
    notebook = executed("own_data_and_network", tmp_path)
    assert 'Refuted: "stop" is worse in test accuracy' in printed(notebook)
    assert len(outputs(notebook, "image/png")) == 1
    assert any("clinic" in html for html in outputs(notebook, "text/html"))


@pytest.mark.parametrize("name", ["founding", "own_data_and_network"])
def test_what_is_kept_of_it_was_run_without_an_error(name):
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [*range(1, 1 + len(code))]
    assert outputs(notebook, "image/png")
    text = nbformat.writes(notebook)
    assert str(ROOT) not in text
    assert '"output_type": "error"' not in text
