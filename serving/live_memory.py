"""What the worker remembers of a match beside its windows, and the checkpoint that holds all of it.

Belongs here: source time of every round's zero, how far a replay's wall clock is from source time, what was told, and bytes and
back. Everything follows from the match's events alone, so a restored worker goes on as if nothing had happened.
Does not belong here: window states (they save themselves), where checkpoints are kept.
"""

from bisect import bisect_left

import msgspec

from esports_assets.canonical.vocabulary import EventType
from esports_assets.signals.debounce import Debounce
from esports_assets.streams.envelope import Envelope
from esports_assets.windows.streamed.message import in_a_round

FORMAT = 1
_SPACING_US = 1_000_000
_KEPT_US = 60_000_000
_EXACT, _FROM_ANY = 0, 1


class Zero(msgspec.Struct, array_like=True, frozen=True):
    """Source time of a round's zero in microseconds; one of rank 0 comes from the freeze end itself, others from their ``t``."""

    rank: int
    us: int


class MatchMemory(msgspec.Struct):
    """What is remembered of one match."""

    debounce: Debounce = msgspec.field(default_factory=Debounce)
    zeros: dict[int, Zero] = {}
    offsets: list[tuple[int, float]] = []
    """Source time (microseconds) and what a replay adds to it at that time, in order; events of rounds tell it."""
    ended: bool = False
    settled: bool = False
    """Everything of it was taken from the lake: what the log still holds of it is told already."""

    def note(self, envelope: Envelope, at_us: int) -> None:
        """Learn from an envelope of the match, whose source time is ``at_us``."""
        event = envelope.event
        if event.t is not None and in_a_round(event.segment, event.t):
            rank = _EXACT if event.event_type is EventType.FREEZE_END else _FROM_ANY
            known = self.zeros.get(event.segment)
            if known is None or rank < known.rank:
                self.zeros[event.segment] = Zero(rank, at_us - round(event.t * 1e6))
            if envelope.live_offset_s is not None and (not self.offsets or at_us - self.offsets[-1][0] >= _SPACING_US):
                self.offsets.append((at_us, envelope.live_offset_s))
        self.ended = self.ended or event.event_type is EventType.MAP_END

    def forget(self) -> None:
        """Let go of offsets from before the last minute, but for the one that it begins with.

        Only once what was heard has been spoken about: a batch may span any time.
        """
        first = 0
        while first + 1 < len(self.offsets) and self.offsets[-1][0] - self.offsets[first + 1][0] >= _KEPT_US:
            first += 1
        del self.offsets[:first]

    def zero_us(self, segment: int) -> int | None:
        """Source time of a round's freeze end, or None where no event told it."""
        known = self.zeros.get(segment)
        return None if known is None else known.us

    def offset_s(self, at_us: int) -> float:
        """Seconds from source time to the wall clock at an instant; 0 where the source is live itself.

        Between two instants that were told, the greater: a replay that is not as fast as life never makes a statement older
        than it is.
        """
        if not self.offsets:
            return 0.0
        place = bisect_left(self.offsets, (at_us,))
        if place < len(self.offsets) and self.offsets[place][0] == at_us:
            return self.offsets[place][1]
        return max(offset for _, offset in self.offsets[max(0, place - 1) : place + 1])


class Checkpoint(msgspec.Struct, array_like=True):
    """A match in progress as it is kept: the states of its windows, None where there is none, and the memory."""

    format: int
    micro: bytes | None
    momentum: bytes | None
    memory: MatchMemory


class CheckpointError(ValueError):
    """A checkpoint that this program cannot go on from."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Checkpoint).decode


def saved(micro: bytes | None, momentum: bytes | None, memory: MatchMemory) -> bytes:
    """A match's checkpoint."""
    return _encode(Checkpoint(FORMAT, micro, momentum, memory))


def loaded(data: bytes) -> Checkpoint:
    """A checkpoint read; CheckpointError where it is of another format or damaged."""
    try:
        found = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"it does not read: {error}") from error
    if found.format != FORMAT:
        raise CheckpointError(f"its format is {found.format}, readable is {FORMAT}")
    return found
