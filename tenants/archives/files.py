"""A hospital's files in the storage: everything below the folder that is named by its code."""

import hashlib
from collections.abc import Iterator
from typing import IO

from django.core.files.base import File
from django.core.files.storage import default_storage

from tenants.archives.manifest import Stored

_PIECE = 1024 * 1024


def paths_below(folder: str) -> Iterator[str]:
    """The paths of all files in a folder and those in it, on the disk or in a bucket."""
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names):
        if name:  # a bucket may hold an empty object in the folder's place
            yield f"{folder}/{name}"
    for name in sorted(folders):
        yield from paths_below(f"{folder}/{name}")


def stored(folder: str) -> dict[str, Stored]:
    """Size and SHA-256 of each file there."""
    return {path: found for path in paths_below(folder) if (found := judge(path))}


def judge(path: str) -> Stored | None:
    """Size and SHA-256 of one file; None if there is none."""
    digest, size = hashlib.sha256(), 0
    try:
        with default_storage.open(path) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                size += len(piece)
    except FileNotFoundError:
        return None
    return Stored(size, digest.hexdigest())


def put(path: str, content: IO[bytes]) -> None:
    """Write a file at exactly this path, in place of one that may be there."""
    default_storage.delete(path)
    name = default_storage.save(path, File(content))
    if name != path:
        raise RuntimeError(f"The storage keeps {path} under another name, {name}.")


def delete_below(folder: str) -> int:
    """Delete all files of a folder; returns how many."""
    paths = list(paths_below(folder))
    for path in paths:
        default_storage.delete(path)
    return len(paths)
