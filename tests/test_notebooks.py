"""Every notebook runs from its first cell to its last."""

import re
import tempfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:  # a configuration to train by: one pass says whether it runs
        cell.source = re.sub(r"^( *passes:) \d+$", r"\1 1", cell.source, flags=re.MULTILINE)
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}})
    with tempfile.TemporaryDirectory() as folder:  # sockets: of two kernels that start at once, each might take a port
        client.km = client.create_kernel_manager()
        client.km.transport, client.km.ip = "ipc", f"{folder}/kernel"
        client.execute()
