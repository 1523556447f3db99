"""Promises that are made before a move and checked after it.

A game announces the hash of its secret before the first round; when it is over the secret is revealed, and every round's values
can be checked. In each round the bot's move is fixed first and announced as the hash of the move with a nonce; both are revealed
once the other side's move has arrived.

Belongs here: hashes, nonces and their checking, and random numbers that follow
from the secret, so that every process draws the same.
Does not belong here: when something is announced or revealed (whoever runs a game).
"""

import hashlib
import hmac
from collections.abc import Iterable
from random import Random

from esports_assets.games.rps.moves import Move
from esports_assets.games.rps.values import RoundValues, derived, round_values

NONCE_BYTES = 16
"""Length of a nonce in bytes; its hex form has twice as many digits."""


def secret_commitment(secret: bytes) -> str:
    """What a game announces of its secret before the first round: SHA-256 in hex."""
    return hashlib.sha256(secret).hexdigest()


def nonce_of(secret: bytes, step_no: int) -> str:
    """The nonce of a round's move in hex: known to whoever has the secret, and revealing it reveals nothing else."""
    return derived(secret, "rps/nonce/1", step_no)[:NONCE_BYTES].hex()


def commitment(move: Move, nonce: str) -> str:
    """What is announced of a move: SHA-256 in hex of ``<move>:<nonce>``.

    Raises ValueError for a nonce that is too short to hide one of three moves.
    """
    if len(nonce) < 2 * NONCE_BYTES:
        raise ValueError(f"a nonce has {2 * NONCE_BYTES} or more characters, not {len(nonce)}")
    return hashlib.sha256(f"{move.value}:{nonce}".encode()).hexdigest()


def verify(announced: str, move: Move, nonce: str) -> bool:
    """Whether this is the move that was announced."""
    return len(nonce) >= 2 * NONCE_BYTES and _same(announced, commitment(move, nonce))


def broken_promise(announced: str, secret: bytes, played: Iterable[tuple[int, RoundValues]]) -> str | None:
    """What is wrong with a revealed secret, in a sentence; None where it is the announced one and gives every round's values.

    ``played`` holds the number and the values of each round.
    """
    if not _same(announced, secret_commitment(secret)):
        return "the revealed secret is not the one that was announced"
    for step_no, values in played:
        due = round_values(secret, step_no)
        if values != due:
            return f"round {step_no} was played for {values.by_move}, but the secret gives {due.by_move}"
    return None


def _same(told: str, due: str) -> bool:
    return hmac.compare_digest(told.lower().encode(), due.encode())


def round_random(secret: bytes, step_no: int) -> Random:
    """The random source of the bot in a round: the same in every process, before and after a restart."""
    return Random(derived(secret, "rps/draw/1", step_no))
