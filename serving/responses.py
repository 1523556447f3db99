"""How a route tells OpenAPI which errors it has: the shape and an example per status.

Belongs here: errors as ``responses`` of routes. Does not belong here: raising them, examples of good answers
(``examples.py``).
"""

from typing import Any

from serving.schemas import ErrorOut

Responses = dict[int | str, dict[str, Any]]

_ERRORS = {
    401: ("bad_credentials", "Send either an API key or an Authorization header, not both."),
    403: ("scope_missing", "This key has no scope read."),
    404: ("unknown_task", 'There is no task "chess" here; tasks are cs2.round_win.'),
    413: ("body_too_large", "The body is larger than 1048576 bytes, the most that this route takes."),
    422: ("out_of_range", "Feature ct_alive is 6; it must be at most 5 players."),
    429: ("too_many_requests", "Too many requests; the next one may come in 1 s."),
    503: ("no_model", "No model is promoted for cs2.round_win: its champion marker is not in the object store."),
}
UNKNOWN_MATCH = ("unknown_match", 'The lake has no match "demo:two:1"; GET /api/v1/matches lists them.')
NO_WINDOWS = ("no_windows", "The window cs2/round_state of demo:one:1 is not in the lake yet.")
BAD_FILTER = ("invalid_parameter", '"limit" does not fit: input should be less than or equal to 500.')
BAD_ALIAS = ("invalid_parameter", "\"alias\" does not fit: input should be 'Production', 'B', 'shadow1' or 'shadow2'.")


def errors(*statuses: int, said: dict[int, tuple[str, str]] | None = None) -> Responses:
    """Errors of these statuses, each with one that the route has; ``said`` gives code and sentence where they differ."""
    found: Responses = {}
    for status in statuses:
        code, message = (said or {}).get(status) or _ERRORS[status]
        example = {"error": {"code": code, "message": message}}
        found[status] = {"model": ErrorOut, "content": {"application/json": {"example": example}}}
    return found
