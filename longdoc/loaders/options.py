"""The options of loading a document."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from longdoc.arguments import check_flags
from longdoc.errors import ConfigError
from longdoc.loaders.limits import Limits

_LANGUAGE = r"[a-z]{3}(_[a-z]+)?"
_OCR = re.compile(rf"auto|never|{_LANGUAGE}(\+{_LANGUAGE})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of :func:`longdoc.load`, which documents them."""

    password: str | None = None
    ocr: str = "auto"
    pages: tuple[int, int] | None = None
    tables: bool = True
    keep_furniture: bool = False
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not isinstance(self.ocr, str) or not _OCR.fullmatch(self.ocr):
            raise ConfigError(f"ocr={self.ocr!r} is unknown; allowed: 'auto', 'never', or languages such as 'fra+eng'")
        if not isinstance(self.limits, Limits):
            raise ConfigError(f"limits={self.limits!r} must be a longdoc.Limits, such as longdoc.Limits(pages=500)")
        if not isinstance(self.password, str | None):
            raise ConfigError(f"password must be a str, not {type(self.password).__name__}")
        check_flags(tables=self.tables, keep_furniture=self.keep_furniture)
        pages = self.pages
        are_two = isinstance(pages, tuple) and len(pages) == 2 and all(isinstance(page, int) for page in pages)
        if pages is not None and not (are_two and 1 <= pages[0] <= pages[1]):
            raise ConfigError(
                f"pages={pages!r} is not a range of pages; allowed: (first, last) with 1 <= first <= last"
            )

    @property
    def languages(self) -> str:
        """The languages to read scanned pages in, as Tesseract names them: ``"eng"``, ``"fra+eng"``."""
        return "eng" if self.ocr == "auto" else self.ocr

    def page_numbers(self, count: int, name: str) -> range:
        """The numbers of the pages to read, from 1.

        Args:
            count: the number of pages of the document.
            name: the name of the document, for errors.

        Raises:
            ConfigError: ``pages`` starts after the last page.
            LimitExceededError: they are more than the limits allow.
        """
        first, last = self.pages or (1, count)
        if first > count:
            raise ConfigError(f"{name}: pages={self.pages} starts after the last page; allowed: 1 to {count}")
        numbers = range(first, min(last, count) + 1)
        self.limits.check("pages", len(numbers), name)
        return numbers
