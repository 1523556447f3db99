"""Request bodies of predictions: fast decoding, and one sentence that names the culprit when they do not decode.

Belongs here: the two body shapes and why one does not fit. Does not belong here: what features exist (``served.py``).
"""

import json
from typing import Any, TypeVar

import msgspec

from esports_assets.promotion.mirror import ALIASES
from serving.errors import ApiError, quoted

Features = dict[str, float | None]


class PredictBody(msgspec.Struct, forbid_unknown_fields=True):
    """One row."""

    features: Features
    alias: str = "Production"


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """Several rows, each an object of features."""

    rows: list[Features]
    alias: str = "Production"


Body = TypeVar("Body", PredictBody, BatchBody)
_decode_one = msgspec.json.Decoder(PredictBody).decode
_decode_many = msgspec.json.Decoder(BatchBody).decode
_ALIASES = frozenset(ALIASES)


def one(body: bytes) -> PredictBody:
    """The body of a single prediction, or ApiError 422."""
    try:
        return _check_alias(_decode_one(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _explained(body, error, "features") from error


def many(body: bytes, most: int) -> BatchBody:
    """The body of a batch with 1 to ``most`` rows, or ApiError 422."""
    try:
        batch = _check_alias(_decode_many(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _explained(body, error, "rows") from error
    if not 1 <= len(batch.rows) <= most:
        raise ApiError(422, "batch_size", f"A batch has 1 to {most} rows; this one has {len(batch.rows)}.")
    return batch


def check_alias(alias: str) -> str:
    """The alias, or ApiError 422."""
    if alias not in _ALIASES:
        raise ApiError(422, "unknown_alias", f"{quoted(alias)} is not an alias; aliases are {', '.join(ALIASES)}.")
    return alias


def _check_alias(body: Body) -> Body:
    check_alias(body.alias)
    return body


def _explained(body: bytes, error: Exception, member: str) -> ApiError:
    """Why the body does not fit; slow and only for bodies that are refused."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return ApiError(422, "invalid_json", f"The body is not valid JSON; it must be an object with {member}.")
    if not isinstance(parsed, dict) or member not in parsed:
        return ApiError(422, "invalid_body", f"The body must be a JSON object with {member}.")
    unknown = sorted(set(parsed) - {member, "alias"})
    if unknown:
        return ApiError(
            422, "invalid_body", f"The body has {member} and optionally alias, but not {quoted(unknown[0])}."
        )
    if not isinstance(parsed.get("alias", ""), str):
        return ApiError(422, "unknown_alias", "The alias must be text.")
    rows = parsed["rows"] if member == "rows" else [parsed["features"]]
    if not isinstance(rows, list):
        return ApiError(422, "invalid_body", "The rows must be a list of objects.")
    for index, row in enumerate(rows):
        where = f" in row {index}" if member == "rows" else ""
        if not isinstance(row, dict):
            return ApiError(422, "invalid_body", f"The features{where} must be an object of names and numbers.")
        for name, value in row.items():
            fault = _fault(value)
            if fault:
                return ApiError(422, "invalid_feature", f"Feature {quoted(name)}{where} {fault}.")
    return ApiError(422, "invalid_body", f"The body does not fit: {quoted(str(error))}.")


def _fault(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        kinds = {bool: "true or false", str: "text", list: "a list", dict: "an object"}
        return f"must be a number, not {kinds[type(value)]}"
    try:
        number = float(value)
    except OverflowError:
        return "must be a finite number"
    return None if number - number == 0 else "must be a finite number"
