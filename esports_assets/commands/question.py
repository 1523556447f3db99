"""One question to the running API, as a user would ask it.

Belongs here: waiting for the API, taking a row of the lake, asking, and the answer as it came.
Does not belong here: starting the API (``run.py``), what the answer means.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.lake import Lake


class ApiSilent(RuntimeError):
    """The API does not answer, or refuses, in one sentence."""


def wait_until(url: str, timeout_s: float, ended: Callable[[], str | None]) -> None:
    """Wait until the URL answers 200. ``ended`` says why it never will, or None while there is hope."""
    deadline = time.monotonic() + timeout_s
    last = "nothing answers"
    while time.monotonic() < deadline:
        why = ended()
        if why is not None:
            raise ApiSilent(why)
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            last = error.read(2000).decode(errors="replace")
        except (urllib.error.URLError, OSError) as error:
            last = str(getattr(error, "reason", error))
        time.sleep(0.1)
    raise ApiSilent(f"{url} does not answer within {timeout_s:.0f} s: {last}")


def ask(api_url: str, task: str, lake: Lake) -> dict[str, Any]:
    """The API's prediction for a row of the last match in the lake; adds ``milliseconds`` of the round trip."""
    path = "/api/v1/predict/{task}"
    document = _call(f"{api_url}/openapi.json", None)
    body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"].get("example")
    if body is None:
        raise ApiSilent(f"the API serves no model of {task} yet")
    features = {**body["features"], **_row(task, lake, set(body["features"]))}
    started = time.perf_counter()
    answer = _call(f"{api_url}{path.format(task=task)}", {"features": features})
    return {**answer, "milliseconds": round((time.perf_counter() - started) * 1000, 2)}


def _row(task: str, lake: Lake, names: set[str]) -> dict[str, float | None]:
    from esports_assets.models.tasks import task_of

    title, _, window = task_of(task).window.partition("/")
    by_id = {record.header.match_id: record.header for record in lake.matches(Title(title))}
    records = [
        record for record in lake.window_records(Title(title), window) if record.rows and record.match_id in by_id
    ]
    if not records:
        return {}
    table = lake.read_windows(by_id[records[-1].match_id], window)
    middle = table.slice(table.num_rows // 2, 1).to_pylist()[0]
    return {name: None if middle[name] is None else float(middle[name]) for name in names & set(middle)}


def _call(url: str, body: dict[str, Any] | None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            content: dict[str, Any] = json.load(answer)
            return content
    except urllib.error.HTTPError as error:
        raise ApiSilent(f"{url} answers {error.code}: {error.read(2000).decode(errors='replace')}") from error
    except (urllib.error.URLError, OSError) as error:
        raise ApiSilent(f"{url} does not answer: {error}") from error
