"""Serving the desk on a port of the loopback interface."""

from __future__ import annotations

import socket
import threading
import time
import webbrowser
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette

from newsletter.errors import NewsletterError

DEFAULT_PORT = 8025
START_TIMEOUT_S = 10.0


def listen(port: int | None) -> socket.socket:
    """A socket listening on 127.0.0.1: on `port`, or, when None, on 8025 or else any free port.

    Raises NewsletterError when the asked-for port is taken.
    """
    for number in (DEFAULT_PORT, 0) if port is None else (port,):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", number))
        except OSError as error:
            listener.close()
            if port is not None:
                raise NewsletterError(
                    f"port {port} is taken ({error.strerror})", hint="choose another: --port N"
                ) from error
            continue
        listener.listen(128)
        return listener
    raise NewsletterError("no free port on 127.0.0.1")


def address_of(listener: socket.socket) -> str:
    """`http://127.0.0.1:8025`."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def serve(app: Starlette, listener: socket.socket, when_up: Callable[[], object]) -> None:
    """Serve until Ctrl-C; call `when_up` once the desk answers."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    app.state.is_closing = lambda: server.should_exit
    threading.Thread(target=_after_start, args=(server, when_up), daemon=True).start()
    # Ctrl-C is how the desk is meant to end: uvicorn raises it again once it has closed.
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def _after_start(server: uvicorn.Server, when_up: Callable[[], object]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    if server.started:
        when_up()


def open_in_browser(url: str) -> None:
    """Show `url` in the person's browser; silently nothing where there is none."""
    webbrowser.open(url)
