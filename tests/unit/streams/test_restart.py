"""The log across a restart of its server: what was acknowledged stays, what was pending comes again, nothing enters twice."""

from pathlib import Path

from stream_samples import data_of, envelope

from esports_assets.storage import valkey
from esports_assets.streams.commit import Committer, Output
from esports_assets.streams.connect import connect
from esports_assets.streams.groups import ConsumerGroup
from esports_assets.streams.leases import ShardLeases
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import CANONICAL, SIGNALS, shard_of, shard_stream

SHARD = shard_of("test:m:1")


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    server = valkey.ensure(tmp_path)
    try:
        client = connect(server.url)
        log = EventLog(client)
        log.append([envelope(n) for n in range(4)])
        group = ConsumerGroup(client, shard_stream(SHARD), "g", "w")
        group.ensure()
        entries = group.read()
        lease = ShardLeases(client, "g", "w").heartbeat().held[SHARD]
        signal = Output("s", "test:m:1", b"{}", (SIGNALS,))
        Committer(client, "g").commit(lease, entries[:2], outputs=[signal], checkpoint={"test:m:1": b"two"})
        valkey.stop(tmp_path, server)
        server = valkey.ensure(tmp_path)
        client = connect(server.url)
        log, group = EventLog(client), ConsumerGroup(client, shard_stream(SHARD), "g", "w")
        again = log.append_pipelined([[envelope(3), envelope(4)], [envelope(0)]])
        assert [[entry.duplicate for entry in batch] for batch in again] == [[True, False], [True]]
        assert [fields[b"data"] for _, fields in client.xrange(CANONICAL)] == [data_of(n) for n in range(5)]
        assert [entry.data for entry in group.pending().entries] == [data_of(2), data_of(3)]
        assert [entry.data for entry in group.read()] == [data_of(4)]
        committer = Committer(client, "g")
        assert committer.checkpoint(SHARD) == {"test:m:1": b"two"}
        assert committer.commit(lease, outputs=[signal]).published == (False,)  # the same worker, the same lease
        assert client.xlen(SIGNALS) == 1
    finally:
        valkey.stop(tmp_path, server)
