"""Consumer groups: what is new, what is pending, what dead consumers left behind, and an end to what always fails.

Belongs here: one consumer of one group on one stream. A group begins with the oldest entry; an entry that was delivered too
often, or was trimmed before it was handled, becomes a dead letter in the same call that takes it off the pending list.
Does not belong here: the scripts (``group_scripts.py``), which shard a worker reads (``leases.py``), results (``commit.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis

from esports_assets.streams import group_scripts
from esports_assets.streams.connect import LONGEST_BLOCK_MS
from esports_assets.streams.entries import Delivery, Entry, entry_of, told_apart
from esports_assets.streams.errors import GapError, LostLease
from esports_assets.streams.leases import Lease
from esports_assets.streams.log import Clock
from esports_assets.streams.names import DEAD

MAX_DELIVERIES = 10
ALONE_AFTER = 3
"""An entry that was delivered so often comes alone, so that it does not take others of its batch with it."""

TRIMMED = "trimmed by the retention before it was handled: take it from the lake"


@dataclass(frozen=True, slots=True)
class Taken:
    """Entries that were delivered before; ``buried`` are the ids of those that became dead letters instead."""

    entries: tuple[Entry, ...]
    buried: tuple[str, ...] = ()


class ConsumerGroup:
    """One consumer of a group on a stream."""

    def __init__(
        self,
        client: Redis,
        stream: str,
        group: str,
        consumer: str,
        *,
        max_deliveries: int = MAX_DELIVERIES,
        clock_ms: Clock | None = None,
    ) -> None:
        self.client, self.stream, self.group, self.consumer = client, stream, group, consumer
        self.max_deliveries = max_deliveries
        self.position = "0-0"
        """The last entry that the group was given, as of the latest ``read``."""
        self._clock = clock_ms
        self._scripts = {name: client.register_script(body) for name, body in group_scripts.SCRIPTS.items()}

    def ensure(self) -> bool:
        """Create the group, and the stream if need be, at the oldest entry; whether it was not there yet."""
        return bool(self._scripts["ensure"]([self.stream], [self.group]))

    def read(self, count: int = 500, block_ms: int = 0) -> list[Entry]:
        """Entries that nobody of the group was given yet; waits for the first up to ``block_ms``.

        Raises GapError, again and again until ``pass_gap``, where the retention took entries that the group was never given.
        """
        entries = self._new(count)
        if entries or not block_ms:
            return entries
        news([self], block_ms)
        return self._new(count)

    def _new(self, count: int) -> list[Entry]:
        guarded: Any = (2, self.stream, f"{self.stream}:{self.group}:aside", self.group)
        with cast(Any, self.client).pipeline() as pipe:
            pipe.response_callbacks = {}  # entries as they come: a dictionary of each would cost as much as reading
            pipe.execute_command("EVAL", group_scripts.GUARD, *guarded)
            pipe.xreadgroup(self.group, self.consumer, {self.stream: ">"}, count=count)
            pipe.execute_command("EVAL", group_scripts.UNGUARD, *guarded)
            (verdict, *told), given, _ = pipe.execute()
        if verdict == b"gap":
            at, gone, oldest = (value.decode() for value in told)
            raise GapError(self.stream, at, gone, oldest or None)
        entries = [entry_of(self.stream, raw) for raw in (_of_one_stream(given) if given else ())]
        self.position = entries[-1].id if entries else told[0].decode()
        return entries

    def pass_gap(self, gap: GapError) -> bool:
        """Go on after a gap whose content was taken from elsewhere; whether the group was still before it."""
        return bool(self._scripts["pass"]([self.stream], [self.group, gap.gone]))

    def pending(self, count: int = 500, after: str = "0-0") -> Taken:
        """This consumer's own entries that it was given and did not acknowledge, as after a restart or a lost answer."""
        return self._again("pending", after, count)

    def reclaim(self, min_idle_ms: int, count: int = 500) -> Taken:
        """Take over entries that some consumer was given at least so long ago and did not acknowledge."""
        return self._again("reclaim", str(min_idle_ms), count)

    def _again(self, script: str, argument: str, count: int) -> Taken:
        now = "" if self._clock is None else self._clock()
        limits = (count, self.max_deliveries, TRIMMED, argument, ALONE_AFTER)
        kept, buried = self._scripts[script]([self.stream, DEAD], [self.group, self.consumer, now, *limits])
        entries = tuple(entry_of(self.stream, (entry, flat), deliveries) for entry, flat, deliveries in kept)
        return Taken(entries, tuple(entry.decode() for entry in buried))

    def deliveries(self, entries: Sequence[Entry], lease: Lease | None = None) -> list[Delivery]:
        """Entries with their envelopes. Malformed ones become dead letters with the reason, the good beside them stay."""
        good, bad = told_apart(entries)
        self.bury([(refused.entry, f"malformed: {refused.reason}") for refused in bad], lease)
        return good

    def bury(self, letters: Sequence[tuple[Entry, str]], lease: Lease | None = None) -> int:
        """Make dead letters of pending entries, each acknowledged in the same call; the number that was still pending.

        With a lease, raises LostLease and writes nothing where its token is not the current one.
        """
        if not letters:
            return 0
        keys, fence = [self.stream, DEAD], ["", ""]
        if lease is not None:
            keys, fence = [*keys, lease.key], [lease.holder, str(lease.token)]
        args: list[Any] = [self.group, "" if self._clock is None else self._clock(), *fence]
        for entry, reason in letters:
            args += (entry.id, entry.kept, reason, entry.deliveries)
        done = int(self._scripts["bury"](keys, args))
        if done < 0 and lease is not None:
            raise LostLease(lease.shard, lease.holder, lease.token)
        return done

    def failed(self, entry: Entry, reason: str, lease: Lease | None = None) -> bool:
        """Say that an entry could not be handled: it stays pending for another attempt, or is a dead letter after the last."""
        return entry.deliveries >= self.max_deliveries and self.bury([(entry, reason)], lease) == 1

    def ack(self, entries: Sequence[Entry]) -> int:
        """Acknowledge entries whose handling wrote nothing that must be atomic with it (else ``commit.py``)."""
        return self.client.xack(self.stream, self.group, *(entry.id for entry in entries)) if entries else 0

    def lag(self) -> int | None:
        """How many entries the group was not given yet; None where the server cannot tell."""
        for group in self.client.xinfo_groups(self.stream):
            if group["name"] == self.group.encode():
                return cast(int | None, group["lag"])
        return None

    def tidy(self, idle_ms: int) -> int:
        """Forget consumers that have nothing pending and were silent for so long; how many."""
        return int(self._scripts["tidy"]([self.stream], [self.group, idle_ms]))


def _of_one_stream(given: Any) -> Any:
    """The entries of an answer about one stream, in either form of the protocol."""
    ((_, entries),) = given.items() if isinstance(given, dict) else given
    return entries


def news(groups: Sequence[ConsumerGroup], block_ms: int = 0) -> set[str]:
    """Those of the streams that have something which their group was not given; waits for the first up to ``block_ms``."""
    if not groups:
        return set()
    positions: dict[Any, Any] = {group.stream: group.position for group in groups}
    told: Any = groups[0].client.xread(positions, count=1, block=min(block_ms, LONGEST_BLOCK_MS) or None)
    return {name.decode() for name, _ in (told.items() if isinstance(told, dict) else told)}
