"""The file an archive is: a tar with the DDL, the tables, the files, and last a manifest with its signature."""

import fcntl
import gzip
import hashlib
import io
import os
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self, cast

from tenants.archives.contents import Sum, Summing
from tenants.archives.manifest import Manifest, Refused, Stored, is_signed, sign

_SCHEMA, _MANIFEST, _SIGNATURE = "schema.sql", "manifest.json", "manifest.signature"
_TABLES = "tables/"
_PIECE = 1024 * 1024
_BROKEN = (tarfile.TarError, EOFError, OSError, ValueError, zlib.error)


@contextmanager
def packing(path: Path) -> Iterator["Packer"]:
    """Make an archive at `path`, which appears there when it is whole and on the disk, and not before."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(f"Another export is writing {path}: wait for it, or choose another name.") from None
        try:
            if path.exists():
                raise Refused(f"{path} exists already: choose another name, or move it away.")
            file.truncate()  # what one that was killed has left
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                yield Packer(tar, folder=path.parent)
            file.flush()
            os.fsync(file.fileno())
            unfinished.rename(path)
            _keep(path.parent)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def _keep(folder: Path) -> None:
    """See to it that a new name outlasts a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Packer:
    """Adds one part after the other. A part that is not on the disk yet goes there first: none is held in memory."""

    def __init__(self, tar: tarfile.TarFile, *, folder: Path) -> None:
        self._tar = tar
        self._folder = folder

    def add_schema(self, ddl: str) -> str:
        """The DDL; returns its SHA-256."""
        self._add_text(_SCHEMA, ddl)
        return hashlib.sha256(ddl.encode()).hexdigest()

    def add_table(self, name: str, copy_to: Callable[[IO[bytes]], Sum]) -> Sum:
        """What `copy_to` writes, compressed."""
        with TemporaryFile(dir=self._folder) as spool:
            with gzip.GzipFile(fileobj=spool, mode="wb", compresslevel=6, mtime=0) as packed:
                found = copy_to(cast("IO[bytes]", packed))
            size = spool.tell()
            spool.seek(0)
            self._add(_of_table(name), size, spool)
        return found

    def add_file(self, path: str, size: int, content: IO[bytes]) -> Stored:
        """A file of the storage, as it is."""
        reading = _Reading(content)
        self._add(_of_file(path), size, cast("IO[bytes]", reading))
        return Stored(size, reading.sha256)

    def add_manifest(self, manifest: Manifest) -> None:
        """The manifest and its signature, last: an archive that was cut off has none."""
        text = manifest.to_json()
        self._add_text(_MANIFEST, text)
        self._add_text(_SIGNATURE, sign(text))

    def _add_text(self, name: str, text: str) -> None:
        content = text.encode()
        self._add(name, len(content), io.BytesIO(content))

    def _add(self, name: str, size: int, content: IO[bytes]) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, 0o600, int(time.time())
        self._tar.addfile(member, content)


class _Reading:
    """Sums up what is read."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._content.read(size)
        self._digest.update(piece)
        return piece

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class Archive:
    """An archive that was read from end to end, and is what its manifest says."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest, *, digest: str) -> None:
        self._tar = tar
        self.manifest = manifest
        self.digest = digest

    @classmethod
    @contextmanager
    def reading(cls, path: Path, *, unsigned_is_fine: bool = False) -> Iterator[Self]:
        """Check an archive and keep it open. Raises Refused for one that is not whole, was changed or is not ours."""
        try:
            file = path.open("rb")
        except OSError as error:
            raise Refused(f"{path} cannot be read: {error.strerror}.") from None
        with file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            try:
                with tarfile.open(fileobj=file, mode="r:") as tar:
                    manifest = _checked(tar, unsigned_is_fine=unsigned_is_fine)
            except _BROKEN as error:
                raise Refused(f"{path} is no archive of a hospital, or was cut off or damaged: {error}.") from None
            file.seek(0)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                yield cls(tar, manifest, digest=digest)

    @property
    def ddl(self) -> str:
        """The DDL of the schema."""
        return _text(self._tar, _SCHEMA)

    @contextmanager
    def table(self, name: str) -> Iterator[IO[bytes]]:
        """A table's rows."""
        with _opened(self._tar, _of_table(name)) as packed, gzip.GzipFile(fileobj=packed) as rows:
            yield cast("IO[bytes]", rows)

    def file(self, path: str) -> IO[bytes]:
        """A file of the storage."""
        return _opened(self._tar, _of_file(path))


def _checked(tar: tarfile.TarFile, *, unsigned_is_fine: bool) -> Manifest:
    """The manifest, everything in the archive being what it says."""
    members = tar.getmembers()
    found = [member.name for member in members]
    if _MANIFEST not in found or _SIGNATURE not in found:
        raise Refused("This archive has no manifest: it was cut off, or is no archive of a hospital.")
    text = _text(tar, _MANIFEST)
    if not unsigned_is_fine and not is_signed(text, _text(tar, _SIGNATURE)):
        raise Refused(
            "This archive was not signed with this platform's SECRET_KEY, or was changed since. If you know where it comes "
            "from, and trust it with the whole database, say --unsigned-is-fine."
        )
    manifest = Manifest.from_json(text)
    if not all(path.startswith(f"{manifest.folder}/") for path in manifest.files):
        raise Refused("This archive holds files that are not the hospital's.")
    expected = {
        _SCHEMA: manifest.schema,
        **{_of_table(name): table.sha256 for name, table in manifest.tables.items()},
        **{_of_file(path): file.sha256 for path, file in manifest.files.items()},
    }
    if sorted(found) != sorted([*expected, _MANIFEST, _SIGNATURE]) or not all(member.isreg() for member in members):
        raise Refused("This archive does not hold what its manifest says: parts are missing or were added.")
    rows = {_of_table(name): table.rows for name, table in manifest.tables.items()}
    for name, sha256 in expected.items():
        found_there = _sum_of(tar, name)
        if found_there.sha256 != sha256 or found_there.rows != rows.get(name, found_there.rows):
            raise Refused(f"{name} in this archive is not what was exported: its checksum differs.")
    return manifest


def _sum_of(tar: tarfile.TarFile, name: str) -> Sum:
    summing = Summing()
    with _opened(tar, name) as packed, gzip.GzipFile(fileobj=packed) if name.startswith(_TABLES) else packed as content:
        while piece := content.read(_PIECE):
            summing.write(piece)
    return summing.sum


def _opened(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    content = tar.extractfile(name)
    if content is None:
        raise Refused(f"{name} in this archive is no file.")
    return content


def _text(tar: tarfile.TarFile, name: str) -> str:
    with _opened(tar, name) as content:
        return content.read().decode()


def _of_table(name: str) -> str:
    return f"{_TABLES}{name}.gz"


def _of_file(path: str) -> str:
    return f"files/{path}"
