"""Runs a service until it is told to stop."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from longdoc.batch.request import Request
from longdoc.errors import ConfigError
from longdoc.serve.app import create_app
from longdoc.serve.service import Service
from longdoc.serve.settings import Settings

logger = logging.getLogger(__name__)

_SECONDS_TO_SEND = 10
"""What a response may take that is sent when the server ends."""
_SECONDS_KEPT = 75
"""Of a connection without a request: longer than proxies keep theirs, which might send one while it is closed."""


def serve(settings: Settings, request: Request, ready: Callable[[str], None]) -> None:
    """Serves until SIGTERM or Ctrl-C; what was accepted is finished. A second signal ends it at once.

    Args:
        settings: where to listen, and limits.
        request: names the model.
        ready: called with the server's address when it answers.

    Raises:
        ConfigError: the server cannot listen there, or there is no such model.
        WorkerError: processes cannot start.
    """
    with _listening(settings) as listener:
        service = Service(settings, request)
        try:
            service.load_model()
            config = uvicorn.Config(
                create_app(service),
                log_config=None,
                access_log=False,
                ws="none",
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_SECONDS_KEPT,
                timeout_graceful_shutdown=_SECONDS_TO_SEND,
            )
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            ready(f"http://{host}:{listener.getsockname()[1]}")
            _Server(config, service).run([listener])
        finally:
            service.close()


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        where = f"{settings.host}, port {settings.port}"
        if isinstance(error, socket.gaierror) or not error.errno:  # of an unknown host, whose number is no errno
            reason = error.strerror or str(error)
        else:
            reason = os.strerror(error.errno)
        raise ConfigError(f"{where}: cannot listen there ({reason}); name another --port, or --host") from error


class _Server(uvicorn.Server):
    """A server that goes on answering while the last documents are finished."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begins to stop; the second time, ends."""
        if self._service.is_stopping:
            self.should_exit = self.force_exit = True
        else:
            self._service.stop()

    async def on_tick(self, counter: int) -> bool:
        """Whether to end; called ten times a second."""
        if self._service.is_stopping and self._service.has_drained():
            self.should_exit = True
        return await super().on_tick(counter)
