"""A real S3 protocol server over a directory, for tests of whatever reads and writes ``s3://``."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BUCKET = "lake"


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server with one bucket; ``environment`` is what its clients need."""

    process: subprocess.Popen[bytes]
    environment: dict[str, str]


@contextlib.contextmanager
def s3_server(root: Path) -> Iterator[S3Server]:
    """Serve the folders below ``root`` as buckets, with ``BUCKET`` among them."""
    binary = Path(sys.executable).with_name("rclone")
    assert binary.exists(), "rclone is not installed in this environment: install the 'bench' extra"
    (root / BUCKET).mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"127.0.0.1:{port}"
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
    environment = os.environ | {"RCLONE_CONFIG": str(root / "none.conf")}
    process = subprocess.Popen([*command, str(root)], env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not _listens(port):
            assert process.poll() is None, "rclone serve s3 ended at once"
            assert time.monotonic() < deadline, "rclone serve s3 does not listen"
            time.sleep(0.05)
        known = {
            "AWS_ENDPOINT_URL": f"http://{address}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secretsecret",
        }
        yield S3Server(process, known)
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
