"""What the site adds to the pages of ``docs/``: files of the repository that are pages too, and the measured tables."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md"}
"""Files of the repository -> pages of the site."""
PICTURES = (".png", ".svg")
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are not in ``docs/``."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=_repository_file(ROOT / source)))
    for path in sorted(RESULTS.iterdir()):
        if path.suffix == ".md":
            files.append(File.generated(config, f"results/{path.name}", content=_repository_file(path)))
        elif path.suffix in PICTURES:
            files.append(File.generated(config, f"results/{path.name}", abs_src_path=str(path)))
    files.append(File.generated(config, "images/drawn.png", abs_src_path=str(ROOT / "examples" / "drawn.png")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links to files of the repository that are no pages become the names of these files."""
    folder = Path(page.file.src_uri).parent
    if page.file.src_uri == "measurements.md":
        markdown = f"{markdown.rstrip()}\n\n{_tables()}"
    return _outside_fences(markdown, lambda text: _LINK.sub(lambda link: _on_site(link, folder, files), text))


def _tables() -> str:
    """A list of all measured tables, by their titles."""
    titles = {path.name: path.read_text(encoding="utf-8").partition("\n")[0] for path in sorted(RESULTS.glob("*.md"))}
    return "".join(f"- [{title.lstrip('# ')}](results/{name})\n" for name, title in titles.items())


def _repository_file(path: Path) -> str:
    """The text of a file, with links to the pages of ``docs/`` as they are from its place on the site."""
    folder = path.parent.relative_to(ROOT).as_posix()
    up = "../" if path.parent == RESULTS else ""

    def moved(link: re.Match[str]) -> str:
        target = link["target"]
        if target.startswith(("http:", "https:", "mailto:", "#")):
            return link[0]
        file, mark, anchor = target.partition("#")
        named = (ROOT / folder / file).resolve().relative_to(ROOT).as_posix()
        on_site = named.removeprefix("docs/") if named.startswith("docs/") else PAGES.get(named, f"../{named}")
        on_site = file if path.parent == RESULTS and (RESULTS / file).exists() else f"{up}{on_site}"
        return f"{link['image']}[{link['text']}]({on_site}{mark}{anchor})"

    return _outside_fences(path.read_text(encoding="utf-8"), lambda text: _LINK.sub(moved, text))


def _on_site(link: re.Match[str], folder: Path, files: Files) -> str:
    """A link to a page, or the text of one to another file of the repository."""
    target, _, anchor = link["target"].partition("#")
    if not target.startswith("../") or link["target"].startswith(("http:", "https:")):
        return link[0]
    named = (ROOT / "docs" / folder / target).resolve()
    if not named.is_relative_to(ROOT):
        return link[0]
    name = named.relative_to(ROOT).as_posix()
    up = "../" * len(folder.parts)
    page = PAGES.get(name) or (f"results/{named.name}" if named.parent == RESULTS else None)
    if page is None and name == "examples/drawn.png":
        page = "images/drawn.png"
    if page is not None and files.get_file_from_path(page):
        return f"{link['image']}[{link['text']}]({up}{page}{'#' + anchor if anchor else ''})"
    return link[0] if name.startswith("docs/") else link["text"]


def _outside_fences(text: str, change: object) -> str:
    """The text with what is outside fenced code changed."""
    parts, end = [], 0
    for fence in _FENCE.finditer(text):
        parts += [change(text[end : fence.start()]), fence[0]]  # type: ignore[operator]
        end = fence.end()
    return "".join([*parts, change(text[end:])])  # type: ignore[operator]
