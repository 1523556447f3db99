"""Database URLs as text: schemas inside one database, and forms without passwords.

Belongs here: pure string work on URLs.
Does not belong here: connections (``database.py``), environment variables (``settings.py``).
"""

from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit


def with_schema(url: str, schema: str) -> str:
    """The URL whose connections live in a schema of the same database.

    Dagster and MLflow both keep a table ``alembic_version``; a schema each keeps them apart without a second database.
    """
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "options"]
    pairs = [*query, ("options", f"-csearch_path={schema}")]
    encoded = "&".join(f"{name}={quote(value, safe='/')}" for name, value in pairs)
    return _joined(url, parts.scheme, parts.netloc, parts.path, encoded)


def without_password(url: str) -> str:
    """The URL for messages and tables: ``user:***@host``."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    name, colon, password = user.partition(":")
    hidden = f"{name}:***" if colon and password else user
    return _joined(url, parts.scheme, f"{hidden}{at}{host}", parts.path, parts.query)


def without_driver(url: str) -> str:
    """The URL as the database's own client takes it: ``postgresql://`` where SQLAlchemy's has ``postgresql+psycopg2://``."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"


def _joined(url: str, scheme: str, netloc: str, path: str, query: str) -> str:
    joined = urlunsplit((scheme, netloc, path, query, ""))
    if not netloc and url.startswith(f"{scheme}:///") and not joined.startswith(f"{scheme}:///"):
        return joined.replace(f"{scheme}:/", f"{scheme}:///", 1)
    return joined
