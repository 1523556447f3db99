"""Why a text that should be JSON is none, in words that lead a person to the place.

Belongs here: the numbers that some writers write and JSON does not know (NaN, Infinity), found and named.
Does not belong here: what a record must hold (each adapter's shapes).
"""

import json
import math
from typing import Any


def loose_json(text: bytes) -> Any:
    """The value of a text in which NaN and Infinity may stand for numbers; ValueError where it is not even that."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def non_finite(value: Any, path: str = "$") -> tuple[str, str] | None:
    """Where a number is none, and the sentence that says so; None where all are numbers."""
    if isinstance(value, float):
        return None if math.isfinite(value) else (path, f"{json.dumps(value)} is not a number that a match can hold")
    items: Any = ()
    if isinstance(value, dict):
        items = ((f"{path}.{key}", item) for key, item in value.items())
    elif isinstance(value, list):
        items = ((f"{path}[{index}]", item) for index, item in enumerate(value))
    for place, item in items:
        if isinstance(item, dict | list | float) and (found := non_finite(item, place)):
            return found
    return None


def not_a_number(text: bytes) -> tuple[str, str] | None:
    """The same for a text; None where something else is wrong with it."""
    try:
        return non_finite(loose_json(text))
    except (ValueError, RecursionError):
        return None
