"""Whatever a client sends, the service answers in one of the forms that its document names, and never with a failure of its own.

Requests are made from the OpenAPI document of a running service with a real database and a real log: those that fit it, those
that do not, and bytes that are no JSON at all. The seeds stand still, so that a failure comes again.
"""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
import requests
import tiny_bundle as tiny
import uvicorn
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from redis import Redis
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.core.result import Ok
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from esports_assets.models.bundle import write_bundle
from esports_assets.promotion import mirror
from esports_assets.simulate.write import simulate_matches
from esports_assets.storage import database
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore
from esports_assets.streams.replay import from_file
from serving.app import create_app
from serving.database import Database
from serving.keys import Keys
from serving.review_terms import Cause, Kind, NewReview
from serving.reviews import WORKER, Reviews
from serving.roles import Role
from serving.settings import Settings

EXAMPLES = 10
"""Requests to each operation, and as many again that do not fit."""
REVIEWS = tuple(f"review:{n}" for n in range(40))
CHECKS: list[CheckFunction] = [status_code_conformance, content_type_conformance, response_schema_conformance]
NOT_OURS = frozenset(("no_model", "no_key", "no_grid_key"))
"""Codes of a 503 that says what an operator has not set up here."""


@dataclass
class Service:
    """A running service: where it is, its document, a key of the role operator, a match of its lake."""

    url: str
    document: dict[str, Any]
    headers: dict[str, str]
    match_id: str
    settings: Settings


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, module_database_url: str, redis_url: str) -> Iterator[Service]:
    """A service with a promoted model, a match, reviews, a database and a log."""
    home = tmp_path_factory.mktemp("fuzzed")
    engine = database.connect(module_database_url)
    database.migrate(engine)
    engine.dispose()
    log_url = f"{redis_url.removesuffix('/0')}/13"
    Redis.from_url(log_url).flushdb()
    store = ObjectStore(home / "bundles")
    write_bundle(store, tiny.contract(), tiny.graph())
    mirror.write_alias(store, tiny.REGISTERED, "Production", "1")
    mirror.write_champion(store, tiny.TASK, tiny.REGISTERED)
    (file,) = simulate_matches(home / "files", 1, 3, formats=("demo",))
    match = from_file(file)[0].match
    Lake(home / "lake").write_match(match)
    held = Database(module_database_url)
    key, _ = Keys(held).create("fuzzer", Role.OPERATOR, "test")
    about = {"match_id": "m", "event_ts": "2026-05-17T12:00:00+00:00"}
    Reviews(held).ensure([NewReview(r, Kind.INSIGHT, "fuzz", (Cause.INSIGHT,), about) for r in REVIEWS], WORKER)
    held.close()
    wanted = Settings(
        esports_home=str(home), database_url=module_database_url, redis_url=log_url, rate_per_s=1e5, rate_burst=100_000
    )
    with _running(wanted) as url:
        document = requests.get(f"{url}/openapi.json", timeout=10).json()
        yield Service(url, document, {"X-API-Key": key}, match.header.match_id, wanted)


class _running:
    """The app behind a real server in a thread."""

    def __init__(self, wanted: Settings) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        app = create_app(wanted, fingerprint_of=tiny.fingerprint_of)
        self._server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> str:
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < deadline, "the service did not start"
            time.sleep(0.01)
        return self._url

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)


def _still(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
        verbosity=Verbosity.quiet,
    )


def _refuse_failure(told: str, status: int, body: bytes) -> None:
    """AssertionError for an answer that says that something broke here."""
    if status == 503:
        assert json.loads(body)["error"]["code"] in NOT_OURS, (told, body)
    else:
        assert status < 500, (told, status, body)


def _asked(service: Service, operation: APIOperation[Any, Any, Any, Any], session: requests.Session) -> Counter[int]:
    """How often an operation answered with which status, to requests that fit its document and to those that do not."""
    told, seen = f"{operation.method.upper()} {operation.path}", Counter[int]()
    known = {"review_id": st.sampled_from(REVIEWS), "match_id": st.just(service.match_id), "task": st.just(tiny.TASK)}
    places = {name: st.none() | values for name, values in known.items() if f"{{{name}}}" in operation.path}

    document = service.document["paths"][operation.path][operation.method]
    takes_something = document.keys() & {"parameters", "requestBody"}
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if takes_something else (GenerationMode.POSITIVE,):

        @_still(EXAMPLES)
        @given(case=operation.as_strategy(generation_mode=mode), places=st.fixed_dictionaries(places))
        def answered(case: Case[Any], places: dict[str, str | None]) -> None:
            case.path_parameters = {**(case.path_parameters or {}), **{n: v for n, v in places.items() if v}}
            answer = case.call(base_url=service.url, session=session, headers=service.headers, timeout=20)
            seen[answer.status_code] += 1
            _refuse_failure(told, answer.status_code, answer.content)
            case.validate_response(answer, checks=CHECKS)

        try:
            answered()
        except Unsatisfiable:  # every request fits a document that takes any text
            assert mode is GenerationMode.NEGATIVE, told
    return seen


def test_requests_made_from_the_document_are_answered_as_it_says(service: Service) -> None:
    session, statuses = requests.Session(), {}
    for found in from_dict(service.document).get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        statuses[f"{operation.method.upper()} {operation.path}"] = _asked(service, operation, session)
    assert {f"{m.upper()} {path}" for path, ops in service.document["paths"].items() for m in ops} == set(statuses)
    good = {told for told, seen in statuses.items() if seen[200] or seen[201]}
    assert {told for told in statuses if told.startswith("GET /")} - good <= {
        "GET /api/v1/matches/{match_id}/win-probability",  # the model of the tests is no model of the window
        "GET /round_points",  # about a game that nobody has begun
    }
    assert {"POST /webhook/grid", "POST /api/v1/reviews/{review_id}/comment"} & set(statuses) <= good
    assert requests.get(f"{service.url}/healthz", timeout=10).status_code == 200


_ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        1,
        2**31,
        2**63,
        2**64,
        10**30,
        -0.0,
        1e308,
        "",
        "\x00",
        "a" * 5000,
        "\u202e",
        "\U0001f600",
        [],
        {},
    ]
) | st.sampled_from(
    [[[]] * 100, {"": {}}, "nan", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59"]
)


@st.composite
def _changed(draw: st.DrawFn, example: Any) -> Any:
    """An example with something odd in one place, or without it."""
    if not isinstance(example, dict | list) or not example or draw(st.integers(0, 3)) == 0:
        return draw(_ODD)
    keys = sorted(example) if isinstance(example, dict) else range(len(example))
    key = draw(st.sampled_from(list(keys)))
    copied: Any = dict(example) if isinstance(example, dict) else list(example)
    if draw(st.integers(0, 9)) == 0:
        del copied[key]
    else:
        copied[key] = draw(_changed(example[key]))
    return copied


def test_examples_with_one_thing_changed_are_answered(service: Service) -> None:
    session, answers = requests.Session(), Counter[int]()
    for path, operations in service.document["paths"].items():
        content = operations.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        examples = [content[key] for key in ("example",) if key in content]
        examples += [named["value"] for named in content.get("examples", {}).values()]
        for example in examples:

            @_still(25)
            @given(body=_changed(example), review=st.sampled_from(REVIEWS))
            def answered(body: Any, review: str) -> None:
                where = path.replace("{review_id}", review).replace("{task}", tiny.TASK)  # noqa: B023 - called at once
                answer = session.post(f"{service.url}{where}", json=body, headers=service.headers, timeout=20)
                _refuse_failure(f"POST {where} {body!r}", answer.status_code, answer.content)
                answers[answer.status_code] += 1

            answered()
    assert {200, 409, 422} <= set(answers)


_DEEP = st.integers(1, 4000).map(lambda n: b"[" * n) | st.integers(1, 4000).map(
    lambda n: b'{"a":' * n + b"1" + b"}" * n
)
_JSON_LIKE = st.sampled_from(
    [
        b"null",
        b"1e999",
        b"NaN",
        b'"\\ud800"',
        b"[[]]",
        b"{}",
        b'{"features":{}}',
        b'{"rows":[{}]}',
        b"\xff\xfe",
        b"",
        b" ",
    ]
)
_BYTES = st.binary(max_size=60) | _DEEP | _JSON_LIKE | st.text(max_size=40).map(lambda text: text.encode("utf-16"))
_HEADERS = st.sampled_from(
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-encoding": "gzip"},
        {"x-request-id": "not an id!"},
        {"authorization": "Bearer \u00ff"},
        {"authorization": "Basic e30="},
        {"x-api-key": "esk_" + "a" * 5000},
        {"accept": "text/html"},
    ]
)


def test_bytes_that_are_no_request_are_answered_in_one_sentence(service: Service) -> None:
    places = {"{task}": tiny.TASK, "{review_id}": REVIEWS[0], "{match_id}": service.match_id}
    paths = [path for path, ops in service.document["paths"].items() if "post" in ops]
    session = requests.Session()

    @_still(100)
    @given(path=st.sampled_from(paths), body=_BYTES, headers=_HEADERS, keyed=st.booleans())
    def answered(path: str, body: bytes, headers: dict[str, str], keyed: bool) -> None:
        where = path
        for name, value in places.items():
            where = where.replace(name, value)
        sent: dict[str, str | bytes] = {
            **(service.headers if keyed else {}),
            **{n: v.encode("latin-1") for n, v in headers.items()},
        }
        answer = session.post(f"{service.url}{where}", data=body, headers=sent, timeout=20)
        _refuse_failure(f"POST {path}", answer.status_code, answer.content)
        if answer.status_code >= 400:
            error = answer.json()["error"]
            assert set(error) == {"code", "message"}
            assert error["message"].endswith((".", "…"))

    answered()
    row = {"ct_alive": 5, "t_alive": 3, "t_s": 20.5, "planted_s": None}
    answer = session.post(f"{service.url}/api/v1/predict/{tiny.TASK}", json={"features": row}, timeout=10)
    assert answer.status_code == 200


def test_paths_and_parameters_that_nobody_named_are_answered(service: Service) -> None:
    session = requests.Session()
    roots = sorted({path.split("{")[0] for path in service.document["paths"]})
    odd = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
        ["..", "%00", "%2e%2e%2f", "a" * 3000, "'; DROP TABLE human_reviews;--", "\u202e", "1" * 40, "%ff"]
    )

    @_still(100)
    @given(
        root=st.sampled_from(roots), rest=odd, name=odd, value=odd, method=st.sampled_from(["GET", "POST", "DELETE"])
    )
    def answered(root: str, rest: str, name: str, value: str, method: str) -> None:
        url, told = f"{service.url}{root}{quote(rest)}", {name: value, "limit": value, "day": value}
        answer = session.request(method, url, params=told, headers=service.headers, timeout=20)
        _refuse_failure(f"{method} {url}", answer.status_code, answer.content)

    answered()
