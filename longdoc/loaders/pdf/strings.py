"""The strings of a PDF outside its pages, such as titles and values: in all no more than the limits allow.

Ten thousand comments can refer to one string, and each would be a copy of it.
"""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2.raw as pdfium_c

from longdoc.loaders.limits import Limits


class Strings:
    """Reads strings by functions of pdfium.

    Args:
        name: the name of the document, for errors.
        limits: the limits on the input; what is read in all is limited by ``characters``.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        self._name, self._limits, self._size = f"{name}, outline, links, fields and comments", limits, 0

    def count(self, size: int) -> None:
        """Counts characters that are read.

        Raises:
            LimitExceededError: they are more than the limits allow, with those before.
        """
        self._size += size
        self._limits.check("characters", self._size, self._name)

    def raw(self, function: Any, *arguments: Any) -> bytes:
        """Calls a function of pdfium that writes bytes: first for their number, then for the bytes.

        Raises:
            LimitExceededError: like :meth:`count`.
        """
        size = function(*arguments, None, 0)
        self.count(size // 2)
        buffer = ctypes.create_string_buffer(size)
        function(*arguments, ctypes.cast(buffer, function.argtypes[-2]), size)
        return buffer.raw

    def text(self, function: Any, *arguments: Any) -> str:
        """Calls a function of pdfium that writes a UTF-16 string.

        Raises:
            LimitExceededError: like :meth:`count`.
        """
        return self.raw(function, *arguments).decode("utf-16-le", "replace").rstrip("\0")

    def value(self, annotation: Any, key: bytes) -> str:
        """The string under a key of an annotation; empty if there is none.

        Raises:
            LimitExceededError: like :meth:`count`.
        """
        return self.text(pdfium_c.FPDFAnnot_GetStringValue, annotation, key)
