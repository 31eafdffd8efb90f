"""Where the files of exports are kept: in ``STORAGES["orm_views_exports"]``, or in a private directory."""

from __future__ import annotations

import getpass
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage, Storage, storages

from orm_views_core.exceptions import OrmViewsError
from orm_views_core.sentences import says

#: The key of the storage in ``STORAGES``.
ALIAS = "orm_views_exports"


class NotPrivateError(OrmViewsError):
    """The directory of exports is not ours alone."""


def is_configured() -> bool:
    """Return whether the project has a storage for exports."""
    return ALIAS in settings.STORAGES


def is_public() -> bool:
    """Return whether the storage of the project is in a directory that web servers send files from."""
    storage = storages[ALIAS]
    if not isinstance(storage, FileSystemStorage):
        return False
    kept = Path(storage.location).resolve()
    roots = [Path(root).resolve() for root in (settings.MEDIA_ROOT, settings.STATIC_ROOT) if root]
    return any(kept == root or root in kept.parents for root in roots)


def export_storage() -> Storage:
    """Return the storage of exports.

    Raises:
        NotPrivateError: when the project has none, and others can reach the directory that is used instead.
    """
    if is_configured():
        return storages[ALIAS]
    return FileSystemStorage(
        location=str(private_directory()),
        base_url=None,
        file_permissions_mode=0o600,
        directory_permissions_mode=0o700,
    )


def private_directory() -> Path:
    """Return a directory that belongs to the user of this process, and that nobody else may enter.

    Everybody may create a directory of that name before, so it is looked at each time.

    Raises:
        NotPrivateError: when it is somebody else's, or open to others.
    """
    user = str(os.getuid()) if hasattr(os, "getuid") else getpass.getuser()
    path = Path(tempfile.gettempdir()) / f"orm-views-exports-{user}"
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    is_ours = not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
    if not stat.S_ISDIR(found.st_mode) or not is_ours:
        words = says(
            "Exports are not kept in %(path)s: it belongs to somebody else, or others may enter it. "
            "Remove it, or set STORAGES[%(alias)r].",
            path=path,
            alias=ALIAS,
        )
        raise NotPrivateError(words)
    return path
