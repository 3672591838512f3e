"""How long a call on a socket may wait.

A socket and seconds enter, nothing leaves; what has waited that long raises one of PASSED.
"""

from __future__ import annotations

import socket
import ssl
import struct
import sys

PASSED = (TimeoutError, BlockingIOError)


def kept_by_kernel(sock: socket.socket) -> bool:
    """Whether the kernel can mind the time (socket(7), SO_RCVTIMEO), which takes two system calls
    less a mail: before each send and recv a timeout of Python's asks poll. TLS knows that only."""
    return sys.platform == "linux" and not isinstance(sock, ssl.SSLSocket)


def wait_by_kernel(sock: socket.socket, seconds: float) -> None:
    """Have each later send and recv of the socket wait so long at most, 0 for not at all. A send
    that moved something in that time returns how much."""
    if not seconds:
        sock.settimeout(0)
        return
    whole, part = divmod(seconds, 1)
    timeval = struct.pack("@ll", int(whole), max(int(part * 1e6), not whole))  # 0 is for ever
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)
    sock.settimeout(None)
