"""Writing the rows of a view into a file, as an export asked for it.

The file is made in an unnamed temporary file, and goes into the storage when it is whole. So nothing is left
of an export whose process is killed.
"""

from __future__ import annotations

import errno
import tempfile
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import IO

from django.conf import settings
from django.core.files import File
from django.db import DatabaseError
from django.utils import timezone

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.conf import get_settings
from orm_views_admin.datetimes import to_field
from orm_views_admin.files.formats import Format, find_format
from orm_views_admin.files.kept import delete_file, name_in_storage
from orm_views_admin.files.notes import DoesNotFitError, Notes
from orm_views_admin.files.request import ExportRequest, ExportResult, number_of
from orm_views_admin.files.storage import export_storage
from orm_views_admin.models import RowAccess, Run
from orm_views_admin.permissions import Permission, may
from orm_views_admin.rights.personal import personal_columns
from orm_views_core.engines.connections import spare_connections
from orm_views_core.engines.postgresql.locking.sessions import own_backend
from orm_views_core.engines.postgresql.rows import RowExport, TimeLimit, exporting
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.sentences import Sentence, says

from .accesses import record
from .writing import error_fields, in_english, written_beside

_SETTING = "ORM_VIEWS_ADMIN['EXPORT_TIMEOUT']"
#: Seconds between two writes of the progress.
_PAUSE = 0.5
#: Bytes of the file that are kept in memory before they are written.
_BUFFER = 1024 * 1024
_CANCELLED = says("It was cancelled.")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class ExportError(OrmViewsError):
    """Rows cannot be exported, or not by this user."""


class _CancelledError(Exception):
    """Somebody has cancelled the export, or another process has taken it."""


def perform_export(run: Run) -> None:
    """Perform an export. Its failure is recorded in its run."""
    if not run.begin():
        return
    beside = written_beside(run)
    with in_english(), spare_connections(beside) as aside:
        work = _Work(run, aside if beside else None)
        try:
            work.perform()
        except _CancelledError:
            work.fail(_CANCELLED)
        except OSError as error:
            work.fail(_in_words(error))
        except (OrmViewsError, DatabaseError) as error:
            work.fail(error)
        except BaseException as error:
            work.fail(error)
            raise


def _in_words(error: OSError) -> Sentence:
    if error.errno in _FULL:
        return says(
            "There is no room for the file: a disk is full, or files may not be so large. Nothing of it was "
            "kept. Free some space, export fewer rows, or choose another format."
        )
    reason = error.strerror or type(error).__name__
    return says("The file could not be written: %(reason)s.", reason=reason)


class _Work:
    """An export under way.

    Args:
        run: its run.
        aside: gives a context whose writes are committed at once; None if there is none.
    """

    def __init__(self, run: Run, aside: Callable[[], AbstractContextManager[None]] | None) -> None:
        address = ViewAddress.of(run)
        assert address is not None
        self._run, self._aside, self._address = run, aside, address
        self._request = ExportRequest.of(run)
        self._began = self._told = time.monotonic()
        self._stored = ""
        self._export: RowExport | None = None
        self._personal: Collection[str] = ()
        self._notes = Notes()
        self._is_recorded = self._is_done = False

    @property
    def _rows(self) -> int:
        return self._export.rows if self._export else 0

    def perform(self) -> None:
        """Write the file, and record that it is there.

        Raises:
            OrmViewsError: when the rows cannot be read, or the user may not have them.
            OSError: when the file cannot be written.
            _CancelledError: when somebody has cancelled it.
        """
        self._require_right()
        chosen = find_format(self._request.form)
        self._run.as_claimed().update(started_at=timezone.now())
        with tempfile.TemporaryFile(buffering=_BUFFER, dir=settings.FILE_UPLOAD_TEMP_DIR) as file:
            while not self._write(chosen, file):
                file.seek(0)
                file.truncate()
            if self._aside is None:
                self._finish(file)

    def fail(self, error: BaseException | str) -> None:
        """Record that the export has failed, and delete what there is of its file."""
        if self._is_done:  # the connection was lost when nothing was left to do
            return
        if self._stored:
            delete_file(self._stored)
        facts = {"finished_at": timezone.now(), "seconds": self._seconds, "waiting_for": ""}
        facts |= {"rows_after": self._rows or None, "file": "", **error_fields(error)}
        unsettled = self._run.as_claimed().filter(state__in=(*Run.ACTIVE, Run.State.LOST))
        # PostgreSQL says the same of a statement that somebody cancels as of one that takes too long.
        cancelled = {**facts, **error_fields(_CANCELLED)}
        if not unsettled.exclude(cancelled_by="").update(state=Run.State.CANCELLED, **cancelled):
            unsettled.update(state=Run.State.FAILED, **facts)
        if self._rows and not self._is_recorded:
            self._record()

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _require_right(self) -> None:
        user = self._run.user
        if user is None or not may(user, Permission.EXPORT, self._address):
            names = {"who": self._run.who, "view": self._address.name}
            raise ExportError(says("%(who)s may not export rows of %(view)s any more.", **names))

    def _write(self, chosen: Format, file: IO[bytes]) -> bool:
        """Write the rows into a file; return False if they have to be written once more, in another way."""
        limits = get_settings()
        most = min(limits.EXPORT_ROWS, chosen.most_rows or limits.EXPORT_ROWS)
        with exporting(
            self._address.database,
            self._address.name,
            most=most,
            limit=TimeLimit(limits.EXPORT_TIMEOUT, _SETTING),
            number=number_of(self._run),
            spent=self._seconds,
            order_by=self._request.order_by,
            conditions=self._request.conditions,
            mask=self._mask,
            told=self._tell,
        ) as self._export:
            self._begin(self._export)
            try:
                chosen.write(self._export, file, self._notes)
            except DoesNotFitError as error:
                self._notes.as_text += error.columns
                return False
            if self._aside is not None:
                # While the lock is held that tells others that the export is under way.
                with self._aside():
                    self._finish(file)
        return True

    def _mask(self) -> Collection[str]:
        """Return the columns that the user may not see, and remember those with personal data."""
        personal = personal_columns(self._address)
        may_see = may(self._run.user, Permission.VIEW_PERSONAL, self._address)
        self._personal = personal if may_see else ()
        return () if may_see else personal

    def _begin(self, export: RowExport) -> None:
        """Write which backend reads, and how many rows are expected."""
        if self._aside is None:
            return
        backend = own_backend(self._address.database)
        self._run.options["estimate"] = export.estimate
        started = backend.started and to_field(backend.started)
        self._update(pid=export.pid, backend_start=started, options=self._run.options)

    def _tell(self, rows: int) -> None:
        """Write how many rows there are so far, now and then.

        Raises:
            _CancelledError: when the export is no longer wanted.
        """
        if time.monotonic() - self._told >= _PAUSE:
            self._update(rows_after=rows)
            self._told = time.monotonic()

    def _update(self, **facts: object) -> None:
        if self._aside is None:
            return
        with self._aside():
            wanted = self._run.as_claimed().filter(state__in=Run.ACTIVE, cancelled_by="")
            if not wanted.update(**facts):
                raise _CancelledError

    def _finish(self, file: IO[bytes]) -> None:
        """Put the file into the storage, and record everything.

        Raises:
            NotRecordedError: when it cannot be recorded that the rows were read.
            _CancelledError: when the export is no longer wanted.
        """
        assert self._export is not None
        size, name = file.tell(), name_in_storage(self._run)
        file.seek(0)
        storage = export_storage()
        storage.delete(name)  # of a process that was killed
        self._stored = name
        self._stored = storage.save(name, File(file))
        self._record()
        columns = {column.name for column in self._export.columns}
        result = ExportResult(
            self._export.has_more,
            self._export.masked,
            [name for name in self._personal if name in columns],
            self._notes.cut,
            self._notes.as_text,
        )
        done = self._run.as_claimed().filter(state__in=(*Run.ACTIVE, Run.State.LOST), cancelled_by="")
        if not done.update(
            state=Run.State.SUCCEEDED,
            options={**self._run.options, "result": result.as_options()},
            file=self._stored,
            rows_after=self._export.rows,
            rows_exact=True,
            size_after=size,
            seconds=self._seconds,
            finished_at=timezone.now(),
            waiting_for="",
            error="",
            error_summary="",
        ):
            raise _CancelledError
        self._is_done = True

    def _record(self) -> None:
        """Record who has read which rows."""
        record(
            self._run.user,
            self._address,
            RowAccess.Kind.EXPORT,
            conditions=self._request.conditions,
            about=self._request.words,
            rows=self._rows,
            with_personal=bool(self._personal),
            run=self._run,
        )
        self._is_recorded = True
