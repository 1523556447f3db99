"""The S3 side of ``objects.py``, through Arrow's own S3 client.

Belongs here: endpoint and credentials from the environment, and S3 errors as sentences. Deleting, which the slim
service never does, takes boto3 from the ``assets`` extra.
Does not belong here: keys and their meaning.
"""

import os
from collections.abc import Iterable
from urllib.parse import urlsplit

from pyarrow import fs

from esports_assets.storage.objects import Keys, StorageError


class S3Backend:
    """Objects of a bucket below a prefix. A PUT becomes visible as a whole, so puts are atomic by nature."""

    def __init__(self, location: str) -> None:
        bucket, _, prefix = location.strip("/").partition("/")
        if not bucket:
            raise StorageError("an S3 URL needs a bucket: s3://bucket/prefix")
        self.bucket = bucket
        self._base = f"{bucket}/{prefix}" if prefix else bucket
        self._fs = _filesystem()

    def _path(self, key: str) -> str:
        return f"{self._base}/{key}" if key else self._base

    def put(self, key: str, data: bytes) -> None:
        """Store atomically."""
        try:
            with self._fs.open_output_stream(self._path(key)) as stream:
                stream.write(data)
        except OSError as error:
            raise self._failure("write", key, error) from error

    def get(self, key: str) -> bytes | None:
        """The bytes, or None."""
        try:
            with self._fs.open_input_file(self._path(key)) as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failure("read", key, error) from error

    def exists(self, key: str) -> bool:
        """Whether something is stored under the key."""
        return bool(self._info(key).type == fs.FileType.File)

    def delete(self, key: str) -> bool:
        """Remove; whether something was there."""
        if not self.exists(key):
            return False
        from boto3 import client as boto_client
        from botocore.exceptions import BotoCoreError, ClientError

        # Arrow's delete_file puts an empty object in place of the parent folder, which some servers refuse
        bucket, _, name = self._path(key).partition("/")
        try:
            boto_client("s3", endpoint_url=_endpoint(), region_name=_region()).delete_object(Bucket=bucket, Key=name)
        except (BotoCoreError, ClientError) as error:
            raise StorageError(f"cannot delete s3://{self._path(key)}: {error}") from error
        return True

    def list(self, folder: str) -> Keys:
        """All keys below a folder."""
        files = [info for info in self._select(folder, recursive=True) if info.type == fs.FileType.File]
        return sorted(info.path[len(self._base) + 1 :] for info in files)

    def folders(self, folder: str) -> Keys:
        """Names of the folders directly in a folder."""
        return sorted(i.base_name for i in self._select(folder, recursive=False) if i.type == fs.FileType.Directory)

    def _info(self, key: str) -> fs.FileInfo:
        try:
            return self._fs.get_file_info(self._path(key))
        except OSError as error:
            raise self._failure("look up", key, error) from error

    def _select(self, folder: str, recursive: bool) -> Iterable[fs.FileInfo]:
        try:
            selector = fs.FileSelector(self._path(folder), recursive=recursive, allow_not_found=True)
            infos: Iterable[fs.FileInfo] = self._fs.get_file_info(selector)
            return infos
        except OSError as error:
            raise self._failure("list", folder, error) from error

    def _failure(self, action: str, key: str, error: OSError) -> StorageError:
        reason = str(error).splitlines()[0]
        return StorageError(f"cannot {action} s3://{self._path(key)}: {reason}")


def _endpoint() -> str | None:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise StorageError(f"AWS_ENDPOINT_URL={endpoint} is not an http(s) URL")
    return endpoint or None


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def _filesystem() -> fs.S3FileSystem:
    parts = urlsplit(_endpoint() or "")
    if parts.netloc:
        # other servers than Amazon's often refuse the checksum trailers that the client sends by default
        os.environ.setdefault("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    return fs.S3FileSystem(
        endpoint_override=parts.netloc or None,
        scheme=parts.scheme or "https",
        region=_region(),
        connect_timeout=5,
        request_timeout=60,
        background_writes=False,
        allow_delayed_open=True,
    )
