"""API keys: made once, shown once, kept as a hash.

Belongs here: the keys' table, their life (made, rotated, revoked, expired), and the first key of an embedded installation.
Does not belong here: bearer tokens of others (``tokens.py``), what a role may do (``roles.py``), HTTP.

A key is ``esk_<prefix>_<secret>``: the prefix finds the row, the secret is 256 random bits, of which nothing but the SHA-256 of the
whole key is stored. (A slow hash protects weak secrets; there is nothing to guess here.)
"""

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from serving.database import Database
from serving.errors import ApiError, quoted
from serving.reviews import now_utc
from serving.roles import Principal, Role, Scope

KEY = re.compile(r"esk_([a-z2-7]{10})_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_LOCK = 7_301_946_514
_SEEN = timedelta(minutes=1)
"""How exactly the last use of a key is known."""
OPERATOR_FILE = "operator.key"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known about a key; the key itself is not."""

    prefix: str
    name: str
    role: Role
    scopes: frozenset[Scope]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    rotated_from: str | None
    last_used_at: datetime | None

    def state(self, now: datetime) -> str:
        """``active``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    @property
    def principal(self) -> Principal:
        """Whom it stands for."""
        return Principal(self.name, self.role, f"key:{self.prefix}", self.scopes)


class Keys:
    """The keys of one database."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = now_utc) -> None:
        self._database = database
        self._clock = clock

    def create(
        self,
        name: str,
        role: Role,
        by: str,
        *,
        scopes: Iterable[Scope] = (Scope.ALL,),
        lifetime: timedelta | None = None,
    ) -> tuple[str, ApiKey]:
        """Make a key: its text, which nobody can ask for again, and what is known about it.

        ApiError 422 for a name or lifetime that is none, 409 while another active key has the name.
        """
        if not _NAME.fullmatch(name):
            raise ApiError(422, "bad_name", "A key's name has up to 63 letters, digits, blanks, dots and dashes.")
        if lifetime is not None and lifetime <= timedelta():
            raise ApiError(422, "bad_lifetime", "A key lives for more than no time.")
        with self._database.transaction() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            cursor.execute(
                "SELECT 1 FROM api_keys WHERE name = %s AND revoked_at IS NULL AND coalesce(expires_at > %s, true)",
                (name, self._clock()),
            )
            if cursor.fetchone() is not None:
                message = f"There is an active key {quoted(name)}: rotate or revoke it, or choose another name."
                raise ApiError(409, "duplicate_key", message)
            return self._insert(cursor, name, role, frozenset(scopes), by, lifetime, None)

    def rotate(self, prefix: str, by: str, overlap: timedelta) -> tuple[str, ApiKey]:
        """Make the successor of an active key, which itself ends after the overlap; same name, role, scopes and lifetime."""
        with self._database.transaction() as cursor:
            now = self._clock()
            old = _locked(cursor, prefix)
            if old.state(now) != "active":
                raise ApiError(409, "key_not_active", f"The key {prefix} is {old.state(now)}: create a new one.")
            ends = now + max(overlap, timedelta())
            ends = ends if old.expires_at is None else min(ends, old.expires_at)
            cursor.execute("UPDATE api_keys SET expires_at = %s WHERE prefix = %s", (ends, prefix))
            lifetime = None if old.expires_at is None else old.expires_at - old.created_at
            return self._insert(cursor, old.name, old.role, old.scopes, by, lifetime, prefix)

    def revoke(self, prefix: str) -> ApiKey:
        """End a key now; one that is revoked stays as it is."""
        with self._database.transaction() as cursor:
            _locked(cursor, prefix)
            cursor.execute(
                "UPDATE api_keys SET revoked_at = coalesce(revoked_at, %s) WHERE prefix = %s RETURNING *",
                (self._clock(), prefix),
            )
            return _key(cursor.fetchone())

    def all(self) -> list[ApiKey]:
        """Every key that ever was, oldest first."""
        with self._database.transaction() as cursor:
            cursor.execute("SELECT * FROM api_keys ORDER BY created_at, prefix")
            return [_key(row) for row in cursor.fetchall()]

    def principal(self, text: str) -> Principal:
        """Whom a key stands for; ApiError 401, always the same, for one that is unknown, expired or revoked."""
        form = KEY.fullmatch(text)
        if form is None:
            raise _refused()
        now = self._clock()
        with self._database.transaction() as cursor:
            cursor.execute("SELECT * FROM api_keys WHERE prefix = %s", (form[1],))
            row = cursor.fetchone()
            if row is None or not hmac.compare_digest(bytes(row["key_hash"]), _hash(text)):
                raise _refused()
            key = _key(row)
            if key.state(now) != "active":
                raise _refused()
            if key.last_used_at is None or now - key.last_used_at >= _SEEN:
                cursor.execute("UPDATE api_keys SET last_used_at = %s WHERE prefix = %s", (now, key.prefix))
        return key.principal

    def ensure_operator(self, home: Path) -> Path | None:
        """Write one generated operator key to ``<home>/operator.key`` (mode 0600), if no key exists; where it was written."""
        with self._database.transaction() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            cursor.execute("SELECT 1 FROM api_keys LIMIT 1")
            if cursor.fetchone() is not None:
                return None
            text, _ = self._insert(cursor, "operator", Role.OPERATOR, frozenset((Scope.ALL,)), "esports", None, None)
            return _write_secret(home / OPERATOR_FILE, text)

    def _insert(
        self,
        cursor: Any,
        name: str,
        role: Role,
        scopes: frozenset[Scope],
        by: str,
        lifetime: timedelta | None,
        rotated_from: str | None,
    ) -> tuple[str, ApiKey]:
        prefix = "".join(secrets.choice(_ALPHABET) for _ in range(10))
        text = f"esk_{prefix}_{secrets.token_urlsafe(32)}"
        now = self._clock()
        cursor.execute(
            "INSERT INTO api_keys (prefix, name, key_hash, role, scopes, created_by, created_at, expires_at, rotated_from) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING *",
            (
                *(prefix, name, _hash(text), role.value, sorted(scope.value for scope in scopes), by, now),
                *(None if lifetime is None else now + lifetime, rotated_from),
            ),
        )
        return text, _key(cursor.fetchone())


def is_embedded(home: Path, database_url: str) -> bool:
    """Whether a database is the one that this installation started for itself."""
    try:
        known = json.loads((home / "state.json").read_text())
        return bool(known["postgres"]["url"] == database_url)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write_secret(path: Path, text: str) -> Path:
    """Write a file that nobody else can ever read, in one step."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(f"{text}\n")
    temporary.replace(path)
    return path


def _locked(cursor: Any, prefix: str) -> ApiKey:
    cursor.execute("SELECT * FROM api_keys WHERE prefix = %s FOR UPDATE", (prefix,))
    row = cursor.fetchone()
    if row is None:
        raise ApiError(404, "unknown_key", f"There is no key {quoted(prefix)}; 'esports keys list' shows them.")
    return _key(row)


def _key(row: dict[str, Any]) -> ApiKey:
    fields = {name: value for name, value in row.items() if name != "key_hash"}
    scopes = frozenset(Scope(scope) for scope in row["scopes"])
    return ApiKey(**{**fields, "role": Role(row["role"]), "scopes": scopes})


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _refused() -> ApiError:
    message = "The API key is unknown, expired or revoked."
    return ApiError(401, "bad_credentials", message, {"WWW-Authenticate": "Bearer"})
