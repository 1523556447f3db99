"""Why a port cannot be listened on, in words."""

import socket

import pytest

from esports_assets.commands.ports import trouble_with


def test_a_port_is_free_or_in_use() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert trouble_with("127.0.0.1", port) == "is in use by another program"
    assert trouble_with("127.0.0.1", port) is None


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("no such host", "cannot be listened on: no such host is no address"),
        ("192.0.2.1", "cannot be listened on at 192.0.2.1: Cannot assign requested address"),
    ],
)
def test_a_host_that_is_not_ours_is_named(host: str, said: str) -> None:
    assert trouble_with(host, 18000) == said
