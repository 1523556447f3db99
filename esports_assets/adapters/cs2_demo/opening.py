"""From the bytes of a demo export to its typed shape, or one sentence that says why not.

Belongs here: xz and zip, JSON, and the translation of their errors into file, place and reason.
Does not belong here: what the records mean.
"""

import io
import json
import lzma
import math
import zipfile
import zlib
from typing import Any, TypeVar

import msgspec

from esports_assets.adapters.base import AdapterError, MalformedRecord, SourceFile, UnreadableFile, WrongFormat
from esports_assets.adapters.cs2_demo.raw import FILES, DemoFile, Manifest

Decoded = TypeVar("Decoded")

MAX_UNPACKED_BYTES = 1 << 30
"""Nothing larger is unpacked: a real match is 8-16 MB, so a gigabyte is a decompression bomb."""

XZ_MAGIC, ZIP_MAGIC = b"\xfd7zXZ\x00", b"PK"

_FORMAT = "cs2-demo-format/"
_READABLE = (f"{_FORMAT}2.", f"{_FORMAT}3.")

_ZIP_DECODERS = {field.encode_name: msgspec.json.Decoder(field.type) for field in msgspec.structs.fields(DemoFile)}
_REQUIRED = {field.encode_name for field in msgspec.structs.fields(DemoFile) if field.required}
_WHOLE = msgspec.json.Decoder(DemoFile)


class _Head(msgspec.Struct):
    manifest: Manifest


def open_demo(file: SourceFile) -> DemoFile:
    """Unpack and parse; raises an ``AdapterError`` that names the place."""
    if file.data.startswith(ZIP_MAGIC) or file.name.endswith(".zip"):
        return _open_zip(file)
    return _open_xz(file)


def is_delta_coded(demo: DemoFile) -> bool:
    """Whether replay columns are differences (3.x) or values (2.x)."""
    return not demo.manifest.schemaVersion.startswith(f"{_FORMAT}2.")


def _open_xz(file: SourceFile) -> DemoFile:
    text = file.data
    if file.name.endswith(".xz") or file.data.startswith(XZ_MAGIC):
        try:
            decompressor = lzma.LZMADecompressor()
            text = decompressor.decompress(file.data, max_length=MAX_UNPACKED_BYTES)
        except lzma.LZMAError as error:
            raise UnreadableFile(file.name, "xz container", f"not valid xz data ({error})") from error
        if not decompressor.eof:
            reason = (
                f"unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB"
                if len(text) >= MAX_UNPACKED_BYTES
                else f"truncated: the data ends after {len(file.data)} bytes without an end marker"
            )
            raise UnreadableFile(file.name, "xz container", reason)
    try:
        demo = _WHOLE.decode(text)
    except msgspec.ValidationError as error:
        _refuse_other_format(file, text)
        raise _malformed(file, "", error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(file, "", text, error) from error
    _check_version(file, demo.manifest)
    return demo


def _open_zip(file: SourceFile) -> DemoFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(file.data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise UnreadableFile(file.name, "zip container", f"truncated or not a zip archive ({error})") from error
    names = set(archive.namelist())
    if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED_BYTES:
        raise UnreadableFile(file.name, "zip container", f"unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB")
    if "manifest.json" not in names:
        raise WrongFormat(file.name, "zip container", "holds no manifest.json, so it is not a cs2-demo-format export")
    parts: dict[str, Any] = {}
    for stem in ("manifest", *(s for s in FILES if s != "manifest")):
        member = f"{stem}.json"
        if member not in names:
            if stem in _REQUIRED:
                raise MalformedRecord(file.name, member, "this file is missing from the archive")
            continue
        text = _member(file, archive, member)
        try:
            parts[FILES[stem]] = _ZIP_DECODERS[stem].decode(text)
        except msgspec.ValidationError as error:
            if stem == "manifest":
                raise WrongFormat(file.name, member, f"not a cs2-demo-format export ({error})") from error
            raise _malformed(file, member, error) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _not_json(file, member, text, error) from error
        if stem == "manifest":
            _check_version(file, parts["manifest"])
    return DemoFile(**parts)


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


def _refuse_other_format(file: SourceFile, text: bytes) -> None:
    try:
        head = msgspec.json.decode(text, type=_Head)
    except msgspec.ValidationError as error:
        raise WrongFormat(file.name, "manifest", f"not a cs2-demo-format export ({error})") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(file, "", text, error) from error
    _check_version(file, head.manifest)


def _malformed(file: SourceFile, member: str, error: msgspec.ValidationError) -> AdapterError:
    reason, _, path = str(error).partition(" - at ")
    place = f"{member} {path.strip('`')}".strip() or "top level"
    return MalformedRecord(file.name, place, reason)


def _not_json(file: SourceFile, member: str, text: bytes, error: Exception) -> AdapterError:
    """JSON that a strict parser refuses: NaN and Infinity are found and named, the rest is told by byte."""
    try:
        loose = json.loads(text)
    except (ValueError, RecursionError):
        return UnreadableFile(file.name, member or "content", f"not valid JSON ({error})")
    found = _non_finite(loose, "$")
    if found is None:
        return UnreadableFile(file.name, member or "content", f"not valid JSON ({error})")
    path, value = found
    return MalformedRecord(file.name, f"{member} {path}".strip(), f"{value} is not a number that a match can hold")


def _non_finite(value: Any, path: str) -> tuple[str, float] | None:
    if isinstance(value, float):
        return None if math.isfinite(value) else (path, value)
    items: Any = ()
    if isinstance(value, dict):
        items = ((f"{path}.{key}", item) for key, item in value.items())
    elif isinstance(value, list):
        items = ((f"{path}[{index}]", item) for index, item in enumerate(value))
    for place, item in items:
        if isinstance(item, dict | list | float) and (found := _non_finite(item, place)):
            return found
    return None
