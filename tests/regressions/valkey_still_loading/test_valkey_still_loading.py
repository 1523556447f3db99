"""A killed Valkey was called up while it still read its data, and refused the first commands of whoever had asked for it."""

import os
import signal
import time
from pathlib import Path

import psutil
import redis

from esports_assets.storage import valkey


def test_a_server_that_is_up_takes_commands(tmp_path: Path) -> None:
    home = tmp_path / "valkey"
    server = valkey.ensure(home)
    try:
        client = redis.Redis.from_url(server.url)
        client.eval("for i = 1, 1000000 do redis.call('SET', 'key:' .. i, i) end", 0)  # a second or more of reading
        time.sleep(1.1)  # appendfsync everysec
        client.close()
        os.kill(server.pid, signal.SIGKILL)
        psutil.Process(server.pid).wait(5)
        server = valkey.ensure(home)
        again = redis.Redis.from_url(server.url)
        assert again.dbsize() == 1_000_000
        again.close()
    finally:
        valkey.stop(home, server)
