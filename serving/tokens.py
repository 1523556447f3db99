"""Bearer tokens of an identity provider: JSON Web Tokens, checked against the keys that it publishes.

Belongs here: signature, issuer, audience and time of a token, the published keys and how long they are believed.
Does not belong here: keys of this platform (``keys.py``), what a role may do (``roles.py``).

Only RS256 and ES256 with the provider's public keys are accepted; a key is used with its own algorithm, so a token cannot
choose. A key id that nobody knows makes the keys be read again, at most every ``_PATIENCE_S``; keys that cannot be read again
stay good for ``_STALE_S``.
"""

import json
import logging
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt

from serving.errors import ApiError
from serving.roles import Principal, Role

_ALGORITHMS = ("RS256", "ES256")
_REQUIRED = ("exp", "iss", "aud", "sub")
_FRESH_S, _STALE_S, _PATIENCE_S = 300.0, 3600.0, 10.0
_TIMEOUT_S = 5.0
_LONGEST_TOKEN, _LONGEST_NAME, _LARGEST_SET = 16_384, 200, 262_144
_CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
_log = logging.getLogger("serving.tokens")

Fetch = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Issuer:
    """An identity provider: who it says it is, for whom its tokens are, and where its keys stand.

    ValueError for one that would be believed without proof.
    """

    issuer: str
    audience: str
    jwks_url: str
    skew_s: float = 30.0
    role_claim: str = "roles"

    def __post_init__(self) -> None:
        if not (self.issuer and self.audience and self.jwks_url):
            raise ValueError("JWT_ISSUER, JWT_AUDIENCE and JWT_JWKS_URL belong together: set all three or none")
        parts = urlsplit(self.jwks_url)
        local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
        if not (parts.scheme == "https" or local):
            raise ValueError("JWT_JWKS_URL must start with https:// (http:// only on this machine)")
        if not 0 <= self.skew_s <= 300:
            raise ValueError("JWT_CLOCK_SKEW_S must lie between 0 and 300")


class Unreadable(RuntimeError):
    """The provider's keys cannot be read now."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Keys stand where the operator said, nowhere else."""


def fetch_json(url: str) -> Any:
    """The JSON document at a URL; Unreadable for anything else."""
    try:
        with urllib.request.build_opener(_NoRedirect).open(url, timeout=_TIMEOUT_S) as answer:
            content = answer.read(_LARGEST_SET + 1)
    except (OSError, ValueError) as error:
        raise Unreadable(str(error)) from error
    if len(content) > _LARGEST_SET:
        raise Unreadable(f"the answer is larger than {_LARGEST_SET} bytes")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the answer is no JSON") from error


class Tokens:
    """Reads the tokens of one provider."""

    def __init__(
        self, issuer: Issuer, *, fetch: Fetch = fetch_json, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = self._tried_at = -float("inf")

    def principal(self, token: str) -> Principal:
        """Whom a token stands for; ApiError 401 in one sentence for one that proves nothing, 503 while no key can be read."""
        issuer = self._issuer
        if len(token) > _LONGEST_TOKEN:
            raise _refused("it is too long")
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                self._key(header),
                algorithms=list(_ALGORITHMS),
                audience=issuer.audience,
                issuer=issuer.issuer,
                leeway=issuer.skew_s,
                options={"require": list(_REQUIRED), "enforce_minimum_key_length": True},
            )
        except jwt.ExpiredSignatureError as error:
            raise _refused("it has expired") from error
        except jwt.ImmatureSignatureError as error:
            raise _refused("its time has not come: a clock is wrong") from error
        except jwt.InvalidIssuerError as error:
            raise _refused("another issuer made it") from error
        except jwt.InvalidAudienceError as error:
            raise _refused("it is for another audience") from error
        except jwt.PyJWTError as error:
            raise _refused("it is malformed or its signature does not fit") from error
        subject = claims["sub"]
        if not (subject and subject.isprintable() and len(subject) <= _LONGEST_NAME):
            raise _refused("it names nobody")
        name = f"{subject}@{urlsplit(issuer.issuer).hostname or issuer.issuer}"
        return Principal(name, role_of(claims, issuer.role_claim), f"jwt:{name}")

    def _key(self, header: Mapping[str, Any]) -> jwt.PyJWK:
        """The published key that a token names; without a name, the only one."""
        named = header.get("kid")
        with self._lock:
            age = self._clock() - self._read_at
            found = self._find(named)
            if age > _FRESH_S or found is None:
                self._refresh()
                found = self._find(named)
            if not self._keys or self._clock() - self._read_at > _STALE_S:
                message = "The identity provider's keys cannot be read now; try again in a moment."
                raise ApiError(503, "keys_unreachable", message)
        if found is None:
            raise _refused("no published key made it")
        return found

    def _find(self, named: Any) -> jwt.PyJWK | None:
        if named is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(named) if isinstance(named, str) else None

    def _refresh(self) -> None:
        now = self._clock()
        if now - self._tried_at < _PATIENCE_S:
            return
        self._tried_at = now
        try:
            self._keys = _usable(self._fetch(self._issuer.jwks_url))
            self._read_at = now
        except Unreadable as error:
            _log.warning("the keys at %s cannot be read: %s", self._issuer.jwks_url, error)


def role_of(claims: Mapping[str, Any], claim: str) -> Role:
    """The highest role that a token names, in a list or as one word; viewer for one that names none."""
    told = claims.get(claim)
    words = told if isinstance(told, list) else [told]
    named = [role for role in Role if role.value in words]
    return named[-1] if named else Role.VIEWER


def _usable(document: Any) -> dict[str, jwt.PyJWK]:
    """The keys of a published set that may sign tokens, by id; others are passed over. Unreadable without a set."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise Unreadable("the answer is no set of keys")
    found = {}
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK(entry)
        except (jwt.PyJWTError, TypeError, ValueError, KeyError) as error:
            _log.info("key %d of the set is passed over: %s", place, type(error).__name__)
            continue
        if key.algorithm_name in _ALGORITHMS:
            found[str(entry.get("kid", f"#{place}"))] = key
    return found


def _refused(why: str) -> ApiError:
    return ApiError(401, "bad_credentials", f"The token is refused: {why}.", _CHALLENGE)
