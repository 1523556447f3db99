"""From the bytes of a demo export to its typed shape, or one sentence that says why not.

Belongs here: xz and zip, JSON, the format's version, and the translation of their errors into file, place and reason.
Does not belong here: a section of which single rows are bad (``salvage.py``), and what the records mean.
"""

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, TypeVar

import msgspec

from esports_assets.adapters.base import MalformedRecord, RefusalLog, SourceFile, UnreadableFile, WrongFormat
from esports_assets.adapters.cs2_demo.raw import FILES, RENAMED, DemoFile, Manifest
from esports_assets.adapters.cs2_demo.salvage import Kept, salvaged
from esports_assets.adapters.json_fault import loose_json, not_a_number

Row = TypeVar("Row")

MAX_UNPACKED_BYTES = 1 << 30
"""Nothing larger is unpacked: a real match is 8-16 MB, so a gigabyte is a decompression bomb."""

XZ_MAGIC, ZIP_MAGIC = b"\xfd7zXZ\x00", b"PK"

_FORMAT = "cs2-demo-format/"
_READABLE = (f"{_FORMAT}2.", f"{_FORMAT}3.")
_BEGINNING_BYTES = 65_536
_MARKS = (b'"manifest"', b'"schemaVersion"', b'"roundNumber"', b'"steamId64"')
"""Names that the sections of an export hold, whichever of them stands first."""


class _Whole(DemoFile, frozen=True, gc=False, rename=RENAMED, forbid_unknown_fields=True):
    """Format 2.0 with the sections that are not read: they are only known to be there, which costs nothing."""

    player_stats: msgspec.Raw = msgspec.Raw()


class _Head(msgspec.Struct):
    manifest: Manifest


_FIELDS = {field.encode_name: field for field in msgspec.structs.fields(DemoFile)}
_DECODERS = {name: msgspec.json.Decoder(field.type) for name, field in _FIELDS.items()}
_STRICT, _TOLERANT = msgspec.json.Decoder(_Whole), msgspec.json.Decoder(DemoFile)
_SECTIONS = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True)
class Opened:
    """A demo with what its typed shape leaves out.

    ``kept`` says of sections of which rows were refused what is left of them, ``ignored`` which sections are not read;
    ``bombs`` is the JSON that holds the rows of the bomb.
    """

    demo: DemoFile
    kept: Mapping[str, Kept]
    ignored: tuple[str, ...]
    bombs: bytes

    @property
    def is_delta_coded(self) -> bool:
        """Whether replay columns are differences (3.x) or values (2.x)."""
        return not self.demo.manifest.schemaVersion.startswith(f"{_FORMAT}2.")

    def numbered(self, section: str, rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
        """The rows of a section, each with the number under which it stands in the file."""
        left = self.kept.get(section)
        return zip(count() if left is None else left.numbers, rows, strict=False)

    def total(self, section: str, rows: Sized) -> int:
        """How many rows a section has in the file, refused ones included."""
        left = self.kept.get(section)
        return len(rows) if left is None else left.total

    @cached_property
    def raw_bombs(self) -> list[dict[str, Any]]:
        """The rows of the bomb as the source wrote them."""
        content = loose_json(self.bombs)
        return list(content["bombs"] if isinstance(content, dict) else content)


def looks_like_a_demo(file: SourceFile) -> bool | None:
    """Whether the first unpacked bytes of an xz file are an export's; None where nothing can be unpacked."""
    try:
        start = lzma.LZMADecompressor().decompress(file.data[:_BEGINNING_BYTES], max_length=_BEGINNING_BYTES)
    except lzma.LZMAError:
        return None
    return any(mark in start for mark in _MARKS) if start else None


def open_demo(file: SourceFile, log: RefusalLog) -> Opened:
    """Unpack and parse; single bad rows go to ``log``. Raises an ``AdapterError`` that names the place for all else."""
    if file.data.startswith(ZIP_MAGIC) or file.name.endswith(".zip"):
        return _open_zip(file, log)
    return _open_xz(file, log)


def _open_xz(file: SourceFile, log: RefusalLog) -> Opened:
    text = _unpacked(file)
    try:
        demo = _STRICT.decode(text)
    except msgspec.ValidationError:
        return _open_sections(file, text, log)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not_a_number(text) is None:
            raise UnreadableFile(file.name, "content", f"not valid JSON ({error})") from error
        return _salvage_sections(file, text, log)
    _check_version(file, demo.manifest)
    return Opened(demo, {}, ("player-stats",) if bytes(demo.player_stats) else (), text)


def _unpacked(file: SourceFile) -> bytes:
    if not (file.name.endswith(".xz") or file.data.startswith(XZ_MAGIC)):
        return file.data
    try:
        decompressor = lzma.LZMADecompressor()
        text = decompressor.decompress(file.data, max_length=MAX_UNPACKED_BYTES)
    except lzma.LZMAError as error:
        raise UnreadableFile(file.name, "xz container", f"not valid xz data ({error})") from error
    if decompressor.eof:
        return text
    reason = (
        f"unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB"
        if len(text) >= MAX_UNPACKED_BYTES
        else f"truncated: the data ends after {len(file.data)} bytes without an end marker"
    )
    raise UnreadableFile(file.name, "xz container", reason)


def _open_sections(file: SourceFile, text: bytes, log: RefusalLog) -> Opened:
    """A text with sections that nobody knows, or with values that do not fit."""
    try:
        _check_version(file, msgspec.json.decode(text, type=_Head).manifest)
        ignored = tuple(sorted(set(_SECTIONS.decode(text)) - set(_FIELDS)))
    except msgspec.ValidationError as error:
        raise WrongFormat(file.name, "manifest", f"not a cs2-demo-format export ({error})") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableFile(file.name, "content", f"not valid JSON ({error})") from error
    try:
        return Opened(_TOLERANT.decode(text), {}, ignored, text)
    except msgspec.ValidationError:
        return _salvage_sections(file, text, log)


def _salvage_sections(file: SourceFile, text: bytes, log: RefusalLog) -> Opened:
    """A text that holds single values that do not fit, section by section."""
    content = loose_json(text)
    if not isinstance(content, dict) or "manifest" not in content:
        raise WrongFormat(file.name, "manifest", "not a cs2-demo-format export: it has no manifest")
    parts: dict[str, Any] = {}
    kept: dict[str, Kept] = {}
    for name, field in _FIELDS.items():
        if name in content:
            parts[field.name], left = salvaged(file.name, name, content[name], log)
            kept |= {} if left is None else {name: left}
        elif field.required:
            raise MalformedRecord(file.name, "top level", f"Object missing required field `{name}`")
        if name == "manifest":
            _check_version(file, parts["manifest"])
    return Opened(DemoFile(**parts), kept, tuple(sorted(set(content) - set(_FIELDS))), text)


def _open_zip(file: SourceFile, log: RefusalLog) -> Opened:
    try:
        archive = zipfile.ZipFile(io.BytesIO(file.data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise UnreadableFile(file.name, "zip container", f"truncated or not a zip archive ({error})") from error
    members = set(archive.namelist())
    if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED_BYTES:
        raise UnreadableFile(file.name, "zip container", f"unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB")
    if "manifest.json" not in members:
        raise WrongFormat(file.name, "zip container", "holds no manifest.json, so it is not a cs2-demo-format export")
    parts: dict[str, Any] = {}
    kept: dict[str, Kept] = {}
    bombs = b""
    for name in ("manifest", *(name for name in _FIELDS if name != "manifest")):
        member = f"{name}.json"
        if member in members:
            text = _member(file, archive, member)
            bombs = text if name == "bombs" else bombs
            parts[FILES[name]], left = _section(file, name, text, log)
            kept |= {} if left is None else {name: left}
        elif _FIELDS[name].required:
            raise MalformedRecord(file.name, member, "this file is missing from the archive")
        if name == "manifest":
            _check_version(file, parts["manifest"])
    ignored = members - {f"{name}.json" for name in _FIELDS}
    return Opened(DemoFile(**parts), kept, tuple(sorted(m.removesuffix(".json") for m in ignored)), bombs)


def _section(file: SourceFile, name: str, text: bytes, log: RefusalLog) -> tuple[Any, Kept | None]:
    """One file of the archive, and which of its rows are left where some were refused."""
    try:
        return _DECODERS[name].decode(text), None
    except msgspec.ValidationError as error:
        if name == "manifest":
            raise WrongFormat(file.name, "manifest.json", f"not a cs2-demo-format export ({error})") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not_a_number(text) is None:
            raise UnreadableFile(file.name, f"{name}.json", f"not valid JSON ({error})") from error
    return salvaged(file.name, name, loose_json(text), log)


def _member(file: SourceFile, archive: zipfile.ZipFile, member: str) -> bytes:
    try:
        return archive.read(member)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError) as error:
        raise UnreadableFile(file.name, member, f"cannot be unpacked ({error})") from error


def _check_version(file: SourceFile, manifest: Manifest) -> None:
    if not manifest.schemaVersion.startswith(_READABLE):
        raise WrongFormat(
            file.name, "manifest", f"format is {manifest.schemaVersion!r}; readable are {_FORMAT}2.x and 3.x"
        )
