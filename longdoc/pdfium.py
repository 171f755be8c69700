"""pdfium has global state: only one thread may call it at a time, and no process may be forked meanwhile."""

from __future__ import annotations

import os
import threading

PDFIUM_LOCK = threading.RLock()
"""Held while pdfium runs, also while its objects are closed. ``os.fork`` waits for it, so that a child has it free."""

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=PDFIUM_LOCK.acquire, after_in_parent=PDFIUM_LOCK.release, after_in_child=PDFIUM_LOCK.release
    )
