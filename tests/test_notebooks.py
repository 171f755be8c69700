"""Every notebook runs from its first cell to its last, and shows its saved outputs."""

import base64
import io
import re
import tempfile
from pathlib import Path

import nbformat
import numpy as np
import pypdfium2
import pytest
from nbclient import NotebookClient
from PIL import Image, ImageFilter

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
LONG = ("02", "03", "06", "07", "08")
"""Beginnings of the names of notebooks that take 15 to 50 s each."""
DECIMAL = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")
TOLERANCE = 0.01
TILE = 16
"""Pixels to each side of the squares in which pictures are compared."""


def executed(path: Path) -> nbformat.NotebookNode:
    """The notebook after a run in which training takes a single pass over few documents."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = re.sub(r'("passes": |log_every=)\d+', r"\g<1>1", cell.source)
        cell.source = cell.source.replace("limit=80", "limit=16").replace("limit=20", "limit=8")
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}})
    with tempfile.TemporaryDirectory() as folder:  # sockets in files: parallel kernels could share a port
        client.km = client.create_kernel_manager()
        client.km.transport, client.km.ip = "ipc", f"{folder}/kernel"
        client.execute()
    return notebook


def shown(cell: nbformat.NotebookNode) -> dict[str, str]:
    """Media type -> the output of a cell of that type, in one text."""
    texts: dict[str, str] = {}
    for output in cell.get("outputs", []):
        for kind, text in (output.get("data") or {output.get("name"): output.get("text")}).items():
            texts[kind] = texts.get(kind, "") + text
    return texts


def assert_same_text(found: str, saved: str) -> None:
    """Texts are equal, decimal numbers within a tolerance."""
    assert DECIMAL.sub("#", found) == DECIMAL.sub("#", saved)
    assert [*map(float, DECIMAL.findall(found))] == pytest.approx([*map(float, DECIMAL.findall(saved))], abs=TOLERANCE)


def assert_same_picture(found: str, saved: str) -> None:
    """Pictures are equal except for a few pixels, such as those of another version of a font renderer."""
    pictures = [np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")) for data in (found, saved)]
    assert pictures[0].shape == pictures[1].shape
    difference = np.abs(pictures[0].astype(int) - pictures[1]).mean(axis=2)
    height, width = (size // TILE for size in difference.shape)
    tiles = difference[: height * TILE, : width * TILE].reshape(height, TILE, width, TILE).mean(axis=(1, 3))
    assert tiles.max() < 18  # of 255: the fill of a box alone is about 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.rare] * path.name.startswith(LONG), id=path.name) for path in NOTEBOOKS],
)
def test_a_notebook_shows_its_saved_outputs(path: Path) -> None:
    saved = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    found = [cell for cell in executed(path).cells if cell.cell_type == "code"]
    is_trained = False  # after a single pass, other numbers are shown
    for new, old in zip(found, saved, strict=True):
        assert shown(new).keys() == shown(old).keys(), old.source
        is_trained |= "train(" in old.source
        for kind, text in shown(new).items():
            if kind == "image/png":
                assert_same_picture(text, shown(old)[kind])
            elif not is_trained:
                assert_same_text(text, shown(old)[kind])


def test_a_difference_is_found() -> None:
    assert_same_text("0.331 Acme", "0.33 Acme")
    for found, saved in [("0.39 Acme", "0.33 Acme"), ("0.33 Acne", "0.33 Acme"), ("3 pages", "4 pages")]:
        with pytest.raises(AssertionError):
            assert_same_text(found, saved)


def test_a_page_without_its_boxes_is_another_picture() -> None:
    def encoded(image: Image.Image) -> str:
        image.save(stream := io.BytesIO(), "png")
        return base64.b64encode(stream.getvalue()).decode()

    cells = nbformat.read(NOTEBOOKS[0], as_version=4).cells
    (saved,) = (shown(cell)["image/png"] for cell in cells if "image/png" in shown(cell))
    drawn = Image.open(io.BytesIO(base64.b64decode(saved))).convert("RGB")
    page = pypdfium2.PdfDocument(NOTEBOOKS[0].parents[1] / "examples/hyatt-playa-strategic-alliance.pdf")[0]
    assert_same_picture(encoded(drawn.filter(ImageFilter.GaussianBlur(0.5))), saved)
    with pytest.raises(AssertionError):
        assert_same_picture(encoded(page.render(scale=1.25).to_pil().resize(drawn.size)), saved)
