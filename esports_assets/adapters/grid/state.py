"""The running state of a series: additive deltas, partial states laid over it, and checking one against the other.

Belongs here: the algebra of GRID's state tree. Numbers in a delta are added, everything else replaces; lists of objects
hold only what changed, matched by ``id``; an element with an empty ``statePath`` has left its list.
Does not belong here: what any field means (``raw.py``) and which event a delta came with (``decoder.py``).
"""

from collections.abc import Iterator
from typing import Any

from esports_assets.adapters.grid.raw import State, number

MAX_DEPTH = 40
"""Deepest nesting that is followed; real trees are about 12 deep."""

_IDENTITY = frozenset({"id", "sequenceNumber"})
"""Numbers that name something instead of counting it."""
_EXTRAPOLATED = frozenset({"currentSeconds", "updatedAt"})
"""Clock fields: a state shows the clock as it ticks, a delta counts from where it was last set."""


class TooDeep(ValueError):
    """A tree that nests deeper than any real one."""

    def __init__(self) -> None:
        super().__init__(f"state is nested deeper than {MAX_DEPTH} levels")


def check_depth(tree: Any) -> None:
    """Raise TooDeep for a tree that nests deeper than is followed."""
    level = [tree]
    for _ in range(MAX_DEPTH):
        level = [v for t in level for v in _inside(t)]
        if not level:
            return
    raise TooDeep


def _inside(tree: Any) -> list[Any]:
    return list(tree.values()) if isinstance(tree, dict) else tree if isinstance(tree, list) else []


def _keyed(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(i, dict) and "id" in i for i in value)


def _left(element: State) -> bool:
    return element.get("statePath") == []


def apply_delta(state: State, delta: State, depth: int = 0) -> None:
    """Change ``state`` by ``delta``, in place."""
    if depth > MAX_DEPTH:
        raise TooDeep
    for key, change in delta.items():
        before = state.get(key)
        if isinstance(change, dict):
            apply_delta(_child(state, key), change, depth + 1)
        elif _keyed(change):
            _apply_list(state, key, change, depth)
        elif key not in _IDENTITY and (step := number(change)) is not None and (base := number(before)) is not None:
            state[key] = base + step
        else:
            state[key] = change


def _child(state: State, key: str) -> State:
    child = state.get(key)
    if not isinstance(child, dict):
        child = state[key] = {}
    return child


def _apply_list(state: State, key: str, changes: list[State], depth: int) -> None:
    elements = state.get(key)
    if not isinstance(elements, list):
        elements = state[key] = []
    for change in changes:
        at = _index(elements, change["id"])
        if _left(change):
            if at is not None:
                del elements[at]
            continue
        if at is None:
            elements.append({"id": change["id"]})
            at = len(elements) - 1
        apply_delta(elements[at], change, depth + 1)


def _index(elements: list[Any], wanted: Any) -> int | None:
    return next((i for i, e in enumerate(elements) if isinstance(e, dict) and e.get("id") == wanted), None)


def overlay(state: State, partial: State, depth: int = 0) -> None:
    """Lay a partial state over ``state``, in place: its values replace, lists of objects are matched by ``id``."""
    if depth > MAX_DEPTH:
        raise TooDeep
    for key, value in partial.items():
        if isinstance(value, dict):
            overlay(_child(state, key), value, depth + 1)
        elif _keyed(value) and isinstance(state.get(key), list):
            elements = state[key]
            for element in value:
                at = _index(elements, element["id"])
                if at is None:
                    elements.append(element)
                else:
                    overlay(elements[at], element, depth + 1)
        else:
            state[key] = value


def disagreements(before: State, delta: State, after: State, path: str = "", depth: int = 0) -> Iterator[str]:
    """Numbers that the delta changes otherwise than the state after it says, each as ``path: before + step != after``.

    A number that one of the two states does not hold is not compared.
    """
    if depth > MAX_DEPTH:
        raise TooDeep
    for key, change in delta.items():
        old, new, where = before.get(key), after.get(key), f"{path}.{key}" if path else key
        if key in _IDENTITY or key in _EXTRAPOLATED:
            continue
        if isinstance(change, dict) and isinstance(old, dict) and isinstance(new, dict):
            yield from disagreements(old, change, new, where, depth + 1)
        elif _keyed(change) and isinstance(old, list) and isinstance(new, list):
            for element in change:
                was, now = _index(old, element["id"]), _index(new, element["id"])
                if was is not None and now is not None and not _left(element):
                    yield from disagreements(old[was], element, new[now], f"{where}[{element['id']}]", depth + 1)
        elif (step := number(change)) is not None:
            base, result = number(old), number(new)
            if base is not None and result is not None and abs(base + step - result) > 1e-6 * max(1.0, abs(result)):
                yield f"{where}: {base:g} + {step:g} is not {result:g}"
