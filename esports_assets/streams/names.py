"""What the streams and their keys are called.

    events:canonical             every event, for everyone
    events:canonical:<n>         the shard of a match, for the workers; n = hash of the match id, 0..15
    events:dead                  what could not be handled, with the reason
    events:agent:motion          signals of motion; agent.signals holds every signal
    signals:provisional          what may still change, for who watches inside; agent.winprob: win probability per event
    esports:ids:<match>          set of event ids that entered, expires with the retention
    esports:signals:<match>      set of signal ids that were published, expires with the retention
    esports:announced:<match>    set of ids of provisional statements that were told, expires with the retention
    esports:lease:<group>:<n>    hash holder, token, until: who works on a shard
    esports:workers:<group>      sorted set of workers by the end of their last heartbeat
    esports:checkpoint:<group>:<n>  hash of window states of a shard

Belongs here: names and the hash that shards.
Does not belong here: what stands in them.
"""

import hashlib

CANONICAL = "events:canonical"
DEAD = "events:dead"
MOTION = "events:agent:motion"
SIGNALS = "agent.signals"
PROVISIONAL = "signals:provisional"
WIN_PROBABILITY = "agent.winprob"
SHARDS = 16


def shard_of(match_id: str) -> int:
    """The shard of a match, the same in every process."""
    return int(hashlib.blake2b(match_id.encode(), digest_size=8).hexdigest(), 16) % SHARDS


def shard_stream(shard: int) -> str:
    """The stream of a shard."""
    return f"{CANONICAL}:{shard}"


def ids_key(match_id: str) -> str:
    """Ids of the events of a match that entered."""
    return f"esports:ids:{match_id}"


def signals_key(match_id: str) -> str:
    """Ids of the signals of a match that were published."""
    return f"esports:signals:{match_id}"


def announced_key(match_id: str) -> str:
    """Ids of the provisional statements of a match that were told."""
    return f"esports:announced:{match_id}"


def lease_key(group: str, shard: int) -> str:
    """Who works on a shard."""
    return f"esports:lease:{group}:{shard}"


def workers_key(group: str) -> str:
    """The workers of a group that live."""
    return f"esports:workers:{group}"


def checkpoint_key(group: str, shard: int) -> str:
    """Window states of a shard."""
    return f"esports:checkpoint:{group}:{shard}"
