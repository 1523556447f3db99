"""Where a batch's work goes: PostgreSQL and the waiting lists first, then the one commit.

Belongs here: the order of writing. Everything before the commit may happen twice and counts once; the commit happens once or not
at all. So a worker that dies anywhere leaves nothing undone and does nothing twice.
Does not belong here: what is written, retries (``live_shard.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from esports_assets.canonical import signal as signals
from esports_assets.canonical.signal import AgentSignal, SignalType
from esports_assets.storage import publish
from esports_assets.streams.announce import Announcement, Announcer
from esports_assets.streams.commit import Committed, Committer
from esports_assets.streams.leases import Lease
from serving.database import Database
from serving.live_work import Pausing, Work
from serving.release import Releases
from serving.reviews import Reviews


@dataclass(frozen=True, slots=True)
class Sinks:
    """Everything that a worker writes to."""

    committer: Committer
    releases: Releases
    database: Database
    reviews: Reviews
    announcer: Announcer

    def announce(self, provisional: Sequence[AgentSignal]) -> int:
        """Tell at once what may still change, each once: it is no part of the commit and waits for nothing."""
        return self.announcer.announce([_announcement(signal) for signal in provisional])

    def write(self, lease: Lease, work: Work) -> Committed:
        """Write it all, pauses before anything that may have to wait.

        ApiError 503 where the database is away, RedisError, LostLease: then nothing is acknowledged.
        """
        for pausing in work.pauses:
            self._pause(pausing)
        self._to_postgres(work)
        work.kept_in = self.releases.schedule_all(list(work.waiting()))
        return self.committer.commit(
            lease,
            work.entries,
            outputs=work.outputs(),
            checkpoint=work.checkpoint,
            evict=work.evict,
            dead=work.dead,
        )

    def _to_postgres(self, work: Work) -> None:
        if work.reviews:
            self.reviews.ensure(work.reviews)
        actions = [told for told in work.signals if told.type is SignalType.MOTION_SYNTHESIS]
        if actions or work.late:
            with self.database.transaction() as cursor:
                publish.upsert_micro_actions(cursor, actions)
                publish.upsert_late_events(cursor, work.late)

    def _pause(self, pausing: Pausing) -> None:
        change = self.releases.pause if pausing.begins else self.releases.resume
        change(pausing.match_id, pausing.at)


def _announcement(signal: AgentSignal) -> Announcement:
    document: dict[str, Any] = signals.document(signal)
    return signal.signal_id, signal.match_id, msgspec.json.encode({**document, "provisional": True})
