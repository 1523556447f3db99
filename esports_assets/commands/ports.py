"""Ports of this machine: free, or not and why.

Belongs here: looking at ports.
Does not belong here: deciding which ones are used (``settings.py``).
"""

import errno
import socket


def trouble_with(host: str, port: int) -> str | None:
    """Why a server could not listen there now, as the end of a sentence about the port; None where it could."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        return f"cannot be listened on: {host} is no address"
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "is in use by another program"
            return f"cannot be listened on at {host}: {error.strerror}"
    return None
