"""A shape of a request or an answer with the example that the API's document shows.

Belongs here: the pair. Does not belong here: any shape.
"""

from typing import Any, NamedTuple

from pydantic import BaseModel


class Shape(NamedTuple):
    """A model for OpenAPI and an example that fits it."""

    model: type[BaseModel]
    example: Any
