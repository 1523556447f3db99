"""Who asks: from the headers of a request to a principal, and what a route needs of one.

Belongs here: credentials in headers, the dependency that routes declare, counting their requests.
Does not belong here: keys (``keys.py``), tokens (``tokens.py``), roles (``roles.py``), buckets (``ratelimit.py``).

A request without credentials is an anonymous viewer. One with credentials that prove nothing is refused everywhere, never
treated as anonymous. Whatever changes state asks for a role through ``Access.require``.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fastapi import Security
from fastapi.requests import HTTPConnection
from fastapi.security import APIKeyHeader, HTTPBearer

from serving.errors import ApiError
from serving.keys import KEY, Keys
from serving.limits import HEADERS
from serving.ratelimit import Limiter, Portions, Verdict
from serving.roles import Principal, Role, Scope, anonymous

if TYPE_CHECKING:
    from serving.tokens import Tokens  # brings in cryptography, which most services do not need

_BEARER = HTTPBearer(auto_error=False, description="A JSON Web Token of the identity provider, or an API key.")
_API_KEY = APIKeyHeader(name="X-API-Key", auto_error=False, description="An API key: 'esports keys create' makes one.")
_CREDENTIALS = frozenset((b"authorization", b"x-api-key"))
_CHALLENGE = {"WWW-Authenticate": "Bearer"}

Dependency = Callable[..., Principal]


class Authenticator:
    """Finds out who asks. Without ``keys`` there is no database, without ``tokens`` no identity provider."""

    def __init__(self, keys: Keys | None, tokens: "Tokens | None") -> None:
        self._keys = keys
        self._tokens = tokens

    def principal(self, headers: Mapping[str, str], address: str) -> Principal:
        """Who asks, anonymous without credentials; may ask the database or the provider, so never on an event loop.

        ApiError 401 for credentials that prove nothing, 503 where they cannot be checked.
        """
        credential = credential_of(headers)
        if credential is None:
            return anonymous(address)
        if KEY.fullmatch(credential) or credential.startswith("esk_"):
            if self._keys is None:
                message = "API keys are kept in a database, and DATABASE_URL is not set."
                raise ApiError(503, "no_database", message)
            return self._keys.principal(credential)
        if self._tokens is None:
            raise _refused("Bearer tokens are not accepted here: no issuer is configured.")
        return self._tokens.principal(credential)


class Access:
    """What routes need: a role, a scope, and a place in the caller's bucket. ``predictions`` has buckets of its own."""

    def __init__(self, authenticator: Authenticator, limiter: Limiter, predictions: Portions) -> None:
        self.authenticator = authenticator
        self.limiter = limiter
        self.predictions = predictions

    def require(self, role: Role, scope: Scope = Scope.READ) -> Dependency:
        """A dependency that gives the principal. ApiError 401, 403, or 429 with Retry-After."""

        def principal(
            request: HTTPConnection, _bearer: object = Security(_BEARER), _key: object = Security(_API_KEY)
        ) -> Principal:
            return self.admit(request, role, scope)

        return principal

    def admit(self, request: HTTPConnection, role: Role, scope: Scope = Scope.READ) -> Principal:
        """The principal of a request or WebSocket that may pass; blocks, so never on an event loop."""
        address = request.client.host if request.client else "unknown"
        found = self._known(request, address)
        self._count(request, found.identity)
        _check(found, role, scope)
        return found

    async def admit_prediction(self, request: HTTPConnection) -> None:
        """Let a request for predictions pass, as ``admit`` does; what blocks is done in a thread.

        Most requests come without credentials and out of a portion that was taken before: they cost next to nothing.
        """
        address = request.client.host if request.client else "unknown"
        if any(name in _CREDENTIALS for name, _ in request.scope["headers"]):
            found = await asyncio.to_thread(self._known, request, address)
        else:
            found = anonymous(address)
        verdict = self.predictions.at_hand(found.identity)
        if verdict is None:
            verdict = await asyncio.to_thread(self.predictions.take, found.identity)
        _tell(request, verdict)
        _check(found, Role.VIEWER, Scope.READ)

    def _known(self, request: HTTPConnection, address: str) -> Principal:
        try:
            return self.authenticator.principal(request.headers, address)
        except ApiError as refusal:
            if refusal.status == 401:
                self._count(request, f"ip:{address}")
            raise

    def _count(self, request: HTTPConnection, identity: str) -> None:
        _tell(request, self.limiter.take(identity))


def _check(found: Principal, role: Role, scope: Scope) -> None:
    """ApiError 401 or 403 unless the principal has the role and the scope."""
    if found.anonymous and not found.role.covers(role):
        raise _refused(f"This needs the role {role.value}: send an API key or a bearer token.")
    if not found.role.covers(role):
        raise ApiError(403, "role_too_low", f"This needs the role {role.value}; yours is {found.role.value}.")
    if not found.may_use(scope):
        raise ApiError(403, "scope_missing", f"This key has no scope {scope.value}.")


def _tell(request: HTTPConnection, verdict: Verdict) -> None:
    """Leave the limit's headers for the answer. ApiError 429 where there is no place left."""
    told = [(name.lower().encode(), value.encode()) for name, value in verdict.headers.items()]
    request.scope[HEADERS] = told
    if not verdict.allowed:
        wait_s = verdict.retry_after_s
        raise ApiError(429, "too_many_requests", f"Too many requests; the next one may come in {wait_s} s.")


def credential_of(headers: Mapping[str, str]) -> str | None:
    """The one credential that a request brings; ApiError 401 for two, or for a scheme that is not Bearer."""
    key, authorization = headers.get("x-api-key"), headers.get("authorization")
    if key is not None and authorization is not None:
        raise _refused("Send either an API key or an Authorization header, not both.")
    if authorization is None:
        return key
    scheme, _, credential = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise _refused("The Authorization header must be 'Bearer' and a token or an API key.")
    return credential.strip()


def _refused(message: str) -> ApiError:
    return ApiError(401, "bad_credentials", message, _CHALLENGE)
