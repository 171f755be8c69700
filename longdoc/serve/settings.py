"""What a server is told when it starts: where it listens, which files it may read, and what requests may cost."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass, field
from pathlib import Path

from longdoc.arguments import check_count
from longdoc.errors import ConfigError
from longdoc.loaders.limits import MEMORY


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where a server listens, which files it may read, and what requests may cost.

    Raises:
        ConfigError: a value is out of range, the root is no folder, or other machines could connect without a token.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    """0 for any that is free."""
    root: Path | None = None
    """The folder whose files may be read by their paths; None for uploads alone."""
    token: str | None = field(default=None, repr=False)
    """What each request must bear."""
    max_bytes: int = 32_000_000
    """Size of a document."""
    queue: int = 16
    """Documents that may wait or be worked on; more are refused."""
    queue_bytes: int = 500_000_000
    """Bytes of these documents, as uploaded or as loaded. What would be more is refused, unless it is the only one; and
    while those that are loaded take as much, no other is loaded."""
    timeout: float = 120.0
    """Seconds for an upload to arrive, for a document to be loaded, and for the model to read it; and in all for a
    request that waits for its result."""
    memory: int = MEMORY
    """Bytes that loading a document may use, on Linux."""
    keep: int = 100
    """Results that are kept; the oldest are forgotten first."""
    keep_seconds: float = 900.0
    """How long they are kept."""
    keep_bytes: int = 500_000_000
    """Bytes of the results that are kept; the oldest are forgotten first, the newest never."""

    def __post_init__(self) -> None:
        for name in ("max_bytes", "queue", "queue_bytes", "memory", "keep", "keep_bytes"):
            check_count(name, getattr(self, name), 1)
        for name in ("timeout", "keep_seconds"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must be a number of seconds above 0; got {getattr(self, name)!r}")
        if not 0 <= self.port < 1 << 16:
            raise ConfigError(f"port must be from 0 to 65535; got {self.port}")
        if self.token is not None and (len(self.token) < 8 or not self.token.isascii() or " " in self.token):
            raise ConfigError("the token must have at least 8 characters of ASCII, and no spaces")
        if self.token is None and not is_local(self.host):
            raise ConfigError(
                f"{self.host}: other machines could connect without a token; set the environment variable "
                "LONGDOC_TOKEN, or listen at 127.0.0.1"
            )
        if self.root is not None:
            root = self.root.resolve()
            if not root.is_dir():
                raise ConfigError(f"{self.root}: the root is no folder; name one that exists")
            object.__setattr__(self, "root", root)


def is_local(host: str) -> bool:
    """Whether an address is that of this machine, and of no other.

    >>> is_local("127.0.0.1"), is_local("::1"), is_local("localhost"), is_local("0.0.0.0"), is_local("example.org")
    (True, True, True, False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
