"""One contract, two places: every test that takes ``store_url`` runs on a directory and on S3."""

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real S3 protocol server over a directory, holding the bucket ``lake``."""
    binary = Path(sys.executable).with_name("rclone")
    if not binary.exists():
        pytest.fail("rclone is not installed in this environment: install the 'bench' extra")
    root = tmp_path_factory.mktemp("s3")
    (root / "lake").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"127.0.0.1:{port}"
    environment = {**os.environ, "RCLONE_CONFIG": str(root / "none.conf")}
    command = [
        str(binary),
        "serve",
        "s3",
        "--addr",
        address,
        "--auth-key",
        "key,secretsecret",
        "--vfs-cache-mode",
        "off",
    ]
    server = subprocess.Popen([*command, str(root)], env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, "rclone serve s3 ended at once"
            assert time.monotonic() < deadline, "rclone serve s3 does not listen"
            time.sleep(0.05)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(params=["directory", "s3"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty store."""
    if request.param == "directory":
        return str(tmp_path / "store")
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3_endpoint"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secretsecret")
    return f"s3://lake/{uuid.uuid4().hex}"
