"""How a connection is talked to about itself, and how it ends: notices, standings, close codes.

Belongs here: what needs no event to be said. Does not belong here: events and signals as messages (``room_messages.py``).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import orjson

_LONGEST_REASON = 123
"""Bytes of a close frame that are left for the reason."""


class Code(IntEnum):
    """Why a connection ends, as its close code."""

    BYE = 1000
    POLICY = 1008
    TOO_BIG = 1009
    RESTART = 1012
    TRY_LATER = 1013
    BAD_REQUEST = 4400
    BAD_CREDENTIALS = 4401
    NOT_ALLOWED = 4403
    UNKNOWN_MATCH = 4404
    TOO_SLOW = 4408
    BEING_PLAYED = 4409
    TOO_MANY = 4429


@dataclass(frozen=True, slots=True)
class End:
    """How a connection ends: the code, and one sentence."""

    code: Code
    sentence: str

    @property
    def reason(self) -> str:
        """The sentence as far as a close frame can hold it."""
        return self.sentence.encode()[:_LONGEST_REASON].decode(errors="ignore")


class Ended(Exception):
    """Raised where a connection must end."""

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__(sentence)
        self.end = End(code, sentence)


def identified(token: str, body: bytes) -> str:
    """A message from its id and the JSON object of the rest."""
    return f'{{"id":{orjson.dumps(token).decode()},{body[1:].decode()}'


def notice(token: str, code: str, sentence: str) -> str:
    """Something that a client should know about its connection."""
    return identified(token, orjson.dumps({"kind": "notice", "code": code, "message": sentence}))


def standing(token: str, **told: Any) -> str:
    """How things stand."""
    return identified(token, orjson.dumps({"kind": "state", **told}))
