"""The documentation site is built without a warning, and fetches nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def test_every_page_is_built_and_fetches_nothing(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 60
    for page in pages:
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(
            r"<(?:script|img|iframe|link rel=\"?stylesheet\"?)[^>]*(?:src|href)=[\"']?(https?://[^\"'>\s]+)", text
        )
        assert not fetched, page


def test_docstrings_and_tables_are_on_the_site(site: Path) -> None:
    text = (site / "api" / "pipeline" / "index.html").read_text(encoding="utf-8")
    assert "Reads documents with the heads of one model" in text and "from_pretrained" in text
    assert not re.search(r":(?:class|func|meth|mod|attr):", text)
    assert "p95 / alone" in (site / "results" / "serve" / "index.html").read_text(encoding="utf-8")
    measured = (site / "measurements" / "index.html").read_text(encoding="utf-8")
    assert len(re.findall(r'href="\.\./results/[\w-]+/"', measured)) == len([*ROOT.glob("benchmarks/results/*.md")])
