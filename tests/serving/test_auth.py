"""Keys are kept as hashes and end when they should; tokens are believed only with the provider's signature."""

import base64
import hmac
import http.server
import json
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import psycopg2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from esports_assets.storage.database import connect, migrate
from serving.auth import Authenticator, credential_of
from serving.database import Database
from serving.errors import ApiError
from serving.gate import Audience
from serving.keys import KEY, Keys, is_embedded
from serving.roles import Principal, Role, Scope, anonymous
from serving.tokens import Issuer, Tokens, Unreadable, fetch_json

ZERO = datetime(2026, 5, 17, 12, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that a test sets."""

    seconds: float = 0.0

    def __call__(self) -> datetime:
        return ZERO + timedelta(seconds=self.seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(fresh_database_url: str, clock: Clock) -> Iterator[Keys]:
    engine = connect(fresh_database_url)
    migrate(engine)
    engine.dispose()
    database = Database(fresh_database_url)
    yield Keys(database, clock=clock)
    database.close()


def _refusal(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(ApiError) as refused:
        call()
    assert refused.value.message.endswith(".")
    if refused.value.status == 401:
        assert "WWW-Authenticate" in (refused.value.headers or {})
    return refused.value.status, refused.value.code


BAD = (401, "bad_credentials")


# Roles


def test_roles_are_ordered_and_audiences_follow() -> None:
    assert [[a.covers(b) for b in Role] for a in Role] == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]
    assert anonymous("1.2.3.4").audiences == {Audience.PUBLIC}
    assert Principal("v", Role.VIEWER, "key:v").audiences == {Audience.PUBLIC, Audience.EDUCATIONAL}
    assert Principal("a", Role.ANALYST, "key:a").audiences == set(Audience)
    assert not anonymous("1.2.3.4").may_use(Scope.REVIEWS)


# Keys


def test_a_key_opens_and_only_its_hash_is_kept(keys: Keys, fresh_database_url: str) -> None:
    text, key = keys.create("ann", Role.REVIEWER, "root", scopes=(Scope.REVIEWS,))
    assert KEY.fullmatch(text)
    who = keys.principal(text)
    assert (who.name, who.role, who.identity) == ("ann", Role.REVIEWER, f"key:{key.prefix}")
    assert (who.may_use(Scope.REVIEWS), who.may_use(Scope.INGEST)) == (True, False)
    with psycopg2.connect(fresh_database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text FROM api_keys k")
        (kept,) = cursor.fetchone() or ("",)
    connection.close()
    secret = text.split("_", 2)[2]
    assert secret not in kept
    assert secret.encode().hex() not in kept
    assert "ann" in kept


def test_no_two_keys_are_alike(keys: Keys) -> None:
    texts = [keys.create(f"k{i}", Role.VIEWER, "root")[0] for i in range(20)]
    assert len({text.split("_", 2)[1] for text in texts}) == len({text.split("_", 2)[2] for text in texts}) == 20


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: "esk_aaaaaaaaaa_" + text.split("_", 2)[2],
        lambda text: text.upper(),
        lambda text: text + "x",
        lambda text: f" {text}",
        lambda text: text.split("_", 2)[2],
        lambda text: "",
        lambda text: "esk_' OR 1=1 --",
        lambda text: text[:-1] + "\0",
    ],
)
def test_anything_but_the_key_itself_is_refused_alike(keys: Keys, change: Callable[[str], str]) -> None:
    text, _ = keys.create("ann", Role.REVIEWER, "root")
    assert _refusal(lambda: keys.principal(change(text))) == BAD


def test_a_key_ends_by_time_and_by_hand(keys: Keys, clock: Clock) -> None:
    text, key = keys.create("ann", Role.ANALYST, "root", lifetime=timedelta(seconds=60))
    clock.seconds = 59.9
    assert keys.principal(text).name == "ann"
    clock.seconds = 60
    assert _refusal(lambda: keys.principal(text)) == BAD
    assert keys.all()[0].state(clock()) == "expired"
    other, _ = keys.create("ann", Role.ANALYST, "root")
    assert keys.revoke(other.split("_", 2)[1]).state(clock()) == "revoked"
    assert _refusal(lambda: keys.principal(other)) == BAD
    clock.seconds = 70
    assert keys.revoke(other.split("_", 2)[1]).revoked_at == ZERO + timedelta(seconds=60)
    assert _refusal(lambda: keys.revoke("aaaaaaaaaa")) == (404, "unknown_key")
    assert key.created_by == "root"


def test_both_keys_open_during_the_overlap_of_a_rotation(keys: Keys, clock: Clock) -> None:
    old, first = keys.create("ann", Role.REVIEWER, "root", scopes=(Scope.LIVE,), lifetime=timedelta(days=30))
    clock.seconds = 1000
    new, second = keys.rotate(first.prefix, "opal", timedelta(hours=1))
    assert (second.name, second.role, second.scopes) == ("ann", Role.REVIEWER, frozenset((Scope.LIVE,)))
    assert (second.rotated_from, second.created_by) == (first.prefix, "opal")
    assert second.expires_at == ZERO + timedelta(days=30, seconds=1000)
    clock.seconds = 1000 + 3599
    assert keys.principal(old).name == keys.principal(new).name == "ann"
    clock.seconds = 1000 + 3600
    assert _refusal(lambda: keys.principal(old)) == BAD
    assert keys.principal(new).name == "ann"
    assert _refusal(lambda: keys.rotate(first.prefix, "opal", timedelta())) == (409, "key_not_active")
    last, third = keys.rotate(second.prefix, "opal", timedelta(days=365))
    ends = {key.prefix: key.expires_at for key in keys.all()}
    assert ends[second.prefix] == second.expires_at
    assert keys.principal(last).identity == f"key:{third.prefix}"


def test_a_name_is_taken_while_its_key_is_active(keys: Keys, clock: Clock) -> None:
    keys.create("ann", Role.VIEWER, "root", lifetime=timedelta(seconds=5))
    assert _refusal(lambda: keys.create("ann", Role.OPERATOR, "root")) == (409, "duplicate_key")
    clock.seconds = 5
    keys.create("ann", Role.VIEWER, "root")
    with ThreadPoolExecutor(4) as pool:
        tried = list(pool.map(lambda _: _tried(lambda: keys.create("ben", Role.VIEWER, "root")), range(4)))
    assert sorted(tried) == [200, 409, 409, 409]


def _tried(call: Callable[[], Any]) -> int:
    try:
        call()
    except ApiError as refused:
        return refused.status
    return 200


@pytest.mark.parametrize("name", ["", "ann@idp.example", "a" * 64, "-ann", "ann\0", "ann\n"])
def test_a_name_has_plain_letters(keys: Keys, name: str) -> None:
    assert _refusal(lambda: keys.create(name, Role.VIEWER, "root")) == (422, "bad_name")


def test_the_last_use_is_known_to_the_minute(keys: Keys, clock: Clock) -> None:
    text, _ = keys.create("ann", Role.VIEWER, "root")
    seen = []
    for seconds in (10, 69, 70):
        clock.seconds = seconds
        keys.principal(text)
        seen.append(keys.all()[0].last_used_at)
    assert seen == [ZERO + timedelta(seconds=s) for s in (10, 10, 70)]


def test_an_installation_gets_one_operator_key_that_only_its_owner_reads(keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "operator.key").write_text("old")
    (tmp_path / "operator.key").chmod(0o644)
    with ThreadPoolExecutor(3) as pool:
        written = list(pool.map(lambda _: keys.ensure_operator(tmp_path), range(3)))
    path = tmp_path / "operator.key"
    assert Counter(written) == {None: 2, path: 1}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.principal(path.read_text().strip()).role is Role.OPERATOR
    assert [key.name for key in keys.all()] == ["operator"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["operator.key"]


def test_a_key_that_could_not_be_written_is_not_kept(keys: Keys, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        keys.ensure_operator(tmp_path / "nowhere")
    assert keys.all() == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"postgres": {"url": "postgresql://one", "pid": 1}}', True),
        ('{"postgres": {"url": "postgresql://other", "pid": 1}}', False),
        ("{}", False),
        ("[", False),
        (None, False),
    ],
)
def test_an_embedded_database_is_the_one_of_the_home(tmp_path: Path, content: str | None, expected: bool) -> None:
    if content is not None:
        (tmp_path / "state.json").write_text(content)
    assert is_embedded(tmp_path, "postgresql://one") is expected


# Tokens

RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
WEAK_RSA = rsa.generate_private_key(65537, 1024)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ISSUER = Issuer("https://idp.example", "esports", "https://idp.example/keys")


def _published(kid: str, key: Any, **more: Any) -> dict[str, Any]:
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, **more}


@dataclass
class Provider:
    """A set of published keys that a test changes, how often it was read, and whether it can be."""

    entries: list[dict[str, Any]]
    reads: int = 0
    away: bool = False
    monotonic: float = 0.0

    def fetch(self, url: str) -> Any:
        assert url == ISSUER.jwks_url
        self.reads += 1
        if self.away:
            raise Unreadable("no route")
        return {"keys": self.entries}

    def tokens(self, issuer: Issuer = ISSUER) -> Tokens:
        return Tokens(issuer, fetch=self.fetch, clock=lambda: self.monotonic)


@pytest.fixture
def provider() -> Provider:
    return Provider([_published("r1", RSA_KEY, alg="RS256", use="sig"), _published("e1", EC_KEY)])


def _token(key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = "r1", **changes: Any) -> str:
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER.issuer,
        "aud": ISSUER.audience,
        "sub": "ann",
        "exp": now + timedelta(minutes=5),
        "roles": ["reviewer"],
    }
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(claims, key, algorithm, headers={} if kid is None else {"kid": kid})


def test_a_token_of_the_provider_opens(provider: Provider) -> None:
    tokens = provider.tokens()
    for token in (_token(), _token(EC_KEY, "ES256", "e1"), _token(aud=["other", "esports"])):
        who = tokens.principal(token)
        assert (who.name, who.role, who.identity) == ("ann@idp.example", Role.REVIEWER, "jwt:ann@idp.example")
    assert provider.reads == 1


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (["analyst", "operator", "x"], Role.OPERATOR),
        ("analyst", Role.ANALYST),
        ([], Role.VIEWER),
        (None, Role.VIEWER),
        ("Operator", Role.VIEWER),
        ([["operator"]], Role.VIEWER),
        ({"operator": True}, Role.VIEWER),
    ],
)
def test_the_highest_known_role_counts(provider: Provider, roles: Any, expected: Role) -> None:
    assert provider.tokens().principal(_token(roles=roles)).role is expected


def _hmac_with_the_public_key() -> str:
    """A token that a careless verifier takes: HS256 with the published key as its secret."""
    secret = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT","kid":"r1"}').rstrip(b"=")
    signed = header + b"." + _token().split(".")[1].encode()
    return (signed + b"." + base64.urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).rstrip(b"=")).decode()


@pytest.mark.parametrize(
    "make",
    [
        lambda: _token(OTHER_RSA),
        lambda: _token(kid="e1"),
        lambda: _token(EC_KEY, "ES256", "r1"),
        lambda: _token(kid="nobody"),
        lambda: _token(kid=None),
        lambda: _token(RSA_KEY, "RS512"),
        lambda: _token(RSA_KEY, "PS256"),
        lambda: _token(None, "none"),
        _hmac_with_the_public_key,
        lambda: _token(iss="https://evil.example"),
        lambda: _token(aud="other"),
        lambda: _token(exp=datetime.now(UTC) - timedelta(seconds=40)),
        lambda: _token(nbf=datetime.now(UTC) + timedelta(seconds=60)),
        lambda: _token(exp=None),
        lambda: _token(iss=None),
        lambda: _token(aud=None),
        lambda: _token(sub=None),
        lambda: _token(sub=""),
        lambda: _token(sub="a\0b"),
        lambda: _token(sub="a" * 201),
        lambda: _token()[:-4],
        lambda: _token() + "x" * 20_000,
        lambda: "a.b.c",
        lambda: "ü",
        lambda: "",
    ],
)
def test_what_the_provider_did_not_sign_for_us_and_now_is_refused(provider: Provider, make: Callable[[], str]) -> None:
    assert _refusal(lambda: provider.tokens().principal(make())) == BAD


def test_clocks_may_differ_a_little(provider: Provider) -> None:
    late, early = datetime.now(UTC) - timedelta(seconds=20), datetime.now(UTC) + timedelta(seconds=20)
    assert provider.tokens().principal(_token(exp=late, nbf=early)).name == "ann@idp.example"
    strict = provider.tokens(Issuer(ISSUER.issuer, ISSUER.audience, ISSUER.jwks_url, skew_s=0))
    assert _refusal(lambda: strict.principal(_token(exp=late))) == BAD
    assert _refusal(lambda: strict.principal(_token(nbf=early))) == BAD


def test_published_keys_that_may_not_sign_are_passed_over() -> None:
    provider = Provider(
        [
            {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "h"},
            {"kty": "RSA", "kid": "broken"},
            _published("enc", RSA_KEY, use="enc"),
            _published("weak", WEAK_RSA),
            {"kid": "nothing"},
            _published("good", OTHER_RSA),
        ]
    )
    tokens = provider.tokens()
    assert tokens.principal(_token(OTHER_RSA, kid="good")).name == "ann@idp.example"
    assert _refusal(lambda: tokens.principal(_token(kid="enc"))) == BAD
    assert _refusal(lambda: tokens.principal(_token(b"secret" * 8, "HS256", "h"))) == BAD
    assert _refusal(lambda: tokens.principal(_token(WEAK_RSA, kid="weak"))) == BAD


def test_a_rotated_key_is_read_again_but_unknown_ones_do_not_hammer_the_provider(provider: Provider) -> None:
    tokens = provider.tokens()
    tokens.principal(_token())
    provider.entries.append(_published("r2", OTHER_RSA))
    assert _refusal(lambda: tokens.principal(_token(OTHER_RSA, kid="r2"))) == BAD
    provider.monotonic = 11
    assert tokens.principal(_token(OTHER_RSA, kid="r2")).name == "ann@idp.example"
    for _ in range(20):
        assert _refusal(lambda: tokens.principal(_token(kid="nobody"))) == BAD
    assert provider.reads == 2
    provider.entries.pop(0)
    provider.monotonic = 312
    assert _refusal(lambda: tokens.principal(_token())) == BAD
    assert provider.reads == 3


def test_keys_that_cannot_be_read_again_stay_good_for_an_hour(provider: Provider) -> None:
    tokens = provider.tokens()
    tokens.principal(_token())
    provider.away = True
    provider.monotonic = 3599
    assert tokens.principal(_token()).name == "ann@idp.example"
    provider.monotonic = 3611
    assert _refusal(lambda: tokens.principal(_token())) == (503, "keys_unreachable")
    provider.away = False
    provider.monotonic = 3622
    assert tokens.principal(_token()).name == "ann@idp.example"


def test_without_any_key_nobody_is_let_in() -> None:
    provider = Provider([], away=True)
    assert _refusal(lambda: provider.tokens().principal(_token())) == (503, "keys_unreachable")


@pytest.mark.parametrize(
    "values",
    [
        ("", "a", "https://x/k"),
        ("https://i", "", "https://x/k"),
        ("https://i", "a", ""),
        ("https://i", "a", "http://x/k"),
        ("https://i", "a", "file:///etc/passwd"),
        ("https://i", "a", "https://x/k", -1.0),
        ("https://i", "a", "https://x/k", 301.0),
    ],
)
def test_half_an_issuer_or_one_without_encryption_is_refused(values: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="JWT_"):
        Issuer(*values)


@pytest.fixture
def web() -> Iterator[str]:
    """A server of this machine with a set of keys and traps beside it."""
    answers = {
        "/keys": (200, json.dumps({"keys": [_published("r1", RSA_KEY)]}).encode()),
        "/moved": (302, b""),
        "/html": (200, b"<html>"),
        "/large": (200, b"[" + b"1," * 200_000 + b"1]"),
        "/deep": (200, b"[" * 100_000),
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, b""))
            self.send_response(status)
            if status == 302:
                self.send_header("location", "/keys")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_keys_are_read_over_http_from_where_they_should_be(web: str) -> None:
    tokens = Tokens(Issuer(ISSUER.issuer, ISSUER.audience, f"{web}/keys"))
    assert tokens.principal(_token()).name == "ann@idp.example"
    for path in ("/moved", "/html", "/large", "/deep", "/none"):
        with pytest.raises(Unreadable):
            fetch_json(f"{web}{path}")


# Headers


def test_a_request_brings_one_credential_or_none() -> None:
    assert credential_of({}) is None
    assert credential_of({"x-api-key": "k"}) == "k"
    assert credential_of({"authorization": "bearer  t "}) == "t"
    for headers in (
        {"x-api-key": "k", "authorization": "Bearer t"},
        {"authorization": "Basic dTpw"},
        {"authorization": "Bearer"},
        {"authorization": ""},
    ):
        assert _refusal(lambda headers=headers: credential_of(headers)) == BAD


def test_bad_credentials_are_never_anonymous(keys: Keys, provider: Provider) -> None:
    both = Authenticator(keys, provider.tokens())
    text, _ = keys.create("ann", Role.REVIEWER, "root")
    assert both.principal({}, "1.2.3.4").anonymous
    assert both.principal({"x-api-key": text}, "1.2.3.4").name == "ann"
    assert both.principal({"authorization": f"Bearer {text}"}, "1.2.3.4").name == "ann"
    assert both.principal({"authorization": f"Bearer {_token()}"}, "1.2.3.4").name == "ann@idp.example"
    for bad in ("esk_x", "x", "reviewer:ann", "user:ann", ""):
        assert _refusal(lambda bad=bad: both.principal({"x-api-key": bad}, "1.2.3.4")) == BAD


def test_what_cannot_be_checked_is_refused(provider: Provider) -> None:
    neither = Authenticator(None, None)
    assert neither.principal({}, "1.2.3.4").anonymous
    assert _refusal(lambda: neither.principal({"authorization": f"Bearer {_token()}"}, "")) == BAD
    assert _refusal(lambda: neither.principal({"x-api-key": "esk_aaaaaaaaaa_" + "a" * 43}, ""))[0] == 503
