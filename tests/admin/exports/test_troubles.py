"""Exports that do not end well: it is clear why, and nothing is left behind."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.files.storage import FileSystemStorage
from django.db import connections
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from orm_views_admin.files import formats, storage
from orm_views_admin.files.kept import name_in_storage
from orm_views_admin.files.request import ExportRequest
from orm_views_admin.models import RowAccess, Run
from orm_views_admin.runs import TooManyExportsError, cancel, perform, reconcile, start_export
from orm_views_core.engines.postgresql.rows import find_exports
from orm_views_core.sync import sync_views
from tests.admin.exports.slow import SLOW, declare_slow
from tests.admin.slow import ROOT, wait_for, wait_for_state
from tests.conftest import WHOLE

pytestmark = pytest.mark.django_db(transaction=True)
#: All formats in the session of attacks, a sample otherwise.
SAMPLE = tuple(formats.FORMATS) if WHOLE else ("csv", "xlsx")


@pytest.fixture
def ada(transactional_db):
    return get_user_model().objects.create_superuser("ada")


@pytest.fixture
def slow(transactional_db, committed_views, settings, tmp_path):
    """The slow view, in the database; exports are performed in threads, which have ended after the test."""
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread"}
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "temporary")
    (tmp_path / "temporary").mkdir()
    declare_slow()
    sync_views()
    Run.objects.all().delete()
    yield
    for run in Run.objects.filter(state__in=Run.ACTIVE):
        cancel(run, "the end of the test")
    for thread in threading.enumerate():
        if thread.name.startswith("orm-views"):
            thread.join(60)


@pytest.fixture
def nothing_left(slow, kept, tmp_path):
    """No file is left, and no session that exports."""
    yield
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert find_exports("default") == set()


def start(user, form="csv"):
    return start_export(user, SLOW, ExportRequest(form))


def is_reading(run):
    run.refresh_from_db()
    return run.pid is not None and find_exports("default")


@pytest.mark.parametrize("form", SAMPLE)
def test_a_cancelled_export_ends_at_once(nothing_left, ada, form):
    run = start(ada, form)
    wait_for(lambda: is_reading(run))
    time.sleep(0.3)
    began = time.monotonic()
    assert cancel(run, ada)
    wait_for_state(run, "cancelled")
    assert time.monotonic() - began < 5
    assert (run.cancelled_by, run.file, run.error) == ("ada", "", "It was cancelled.")
    assert not cancel(run, ada)


def test_an_export_without_a_statement_is_cancelled_too(nothing_left, ada, monkeypatch):
    """The backend is idle while its client writes."""

    def write(export, file, notes):
        for _batch in export.read():
            time.sleep(0.6)

    monkeypatch.setitem(formats.FORMATS, "jsonl", replace(formats.FORMATS["jsonl"], write=write))
    run = start(ada, "jsonl")
    wait_for(lambda: is_reading(run))
    assert cancel(run, ada)
    wait_for_state(run, "cancelled")


def test_what_was_read_before_it_was_cancelled_is_recorded(nothing_left, ada):
    run = start(ada)
    wait_for(lambda: is_reading(run) and run.rows_after)
    assert cancel(run, ada)
    wait_for_state(run, "cancelled")
    wait_for(RowAccess.objects.exists)
    access = RowAccess.objects.get()
    assert (access.who, access.run) == ("ada", run)
    assert access.rows >= run.rows_after > 0


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_that_takes_too_long_says_so(nothing_left, ada, settings, form):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread", "EXPORT_TIMEOUT": 0.7}
    run = start(ada, form)
    wait_for_state(run, "failed")
    assert "did not come within 0.7 s (ORM_VIEWS_ADMIN['EXPORT_TIMEOUT'])." in run.error
    assert run.error == run.error_summary


FULL = "There is no room for the file"


def failed(run):
    wait_for_state(run, "failed")
    assert FULL in run.error
    assert run.file == ""


@pytest.fixture
def few(settings):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread", "EXPORT_ROWS": 100}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")  # noqa: PTH110
@pytest.mark.parametrize("form", SAMPLE)
def test_a_full_disk_ends_the_export(nothing_left, few, ada, monkeypatch, form):
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open("/dev/full", "w+b"))  # noqa: PTH123, SIM115
    failed(start(ada, form))


class FullStorage(FileSystemStorage):
    """A storage that has room for the beginning of a file."""

    def _save(self, name, content):
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read(10))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_storage_ends_the_export(nothing_left, few, ada, settings, kept):
    settings.STORAGES = {
        **settings.STORAGES,
        "orm_views_exports": {
            "BACKEND": f"{__name__}.FullStorage",
            "OPTIONS": {"location": str(kept)},
        },
    }
    failed(start(ada))


@pytest.fixture
def small_disk(tmp_path):
    """A file system that has room for 64 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_small_disk_ends_the_export(nothing_left, few, ada, settings, small_disk):
    for name in ("orm_views_exports", ""):
        settings.STORAGES = {
            **settings.STORAGES,
            "orm_views_exports": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": str(small_disk / "exports")},
            },
        }
        settings.FILE_UPLOAD_TEMP_DIR = str(small_disk) if not name else None
        run = start(ada)
        failed(run)
        assert [path for path in small_disk.rglob("*") if path.is_file()] == []


def test_a_lost_connection_ends_the_export(nothing_left, ada, execute):
    run = start(ada)
    wait_for(lambda: is_reading(run))
    execute(f"SELECT pg_terminate_backend({run.pid})")
    wait_for_state(run, "failed")
    assert "The rows of views.drops cannot be read" in run.error


def test_nothing_is_left_of_a_process_that_was_killed(nothing_left, ada, settings, tmp_path):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": f"{__name__}.nobody"}
    run = start(ada)
    name = connections["default"].settings_dict["NAME"]
    command = [sys.executable, "-m", "tests.admin.exports.worker", name, str(tmp_path), str(run.request)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        wait_for(lambda: is_reading(run))
        reconcile([run])
        assert run.state == Run.State.RUNNING
        process.send_signal(signal.SIGKILL)
    wait_for(lambda: not find_exports("default"))
    reconcile([run])
    assert run.state == Run.State.LOST
    assert "is gone" in run.error


def nobody(request):
    """An executor that leaves the request to another process."""


def test_a_file_that_a_killed_process_has_begun_is_deleted(nothing_left, ada, settings, kept):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": f"{__name__}.nobody"}
    run = start(ada)
    Run.objects.filter(pk=run.pk).update(
        state=Run.State.RUNNING, pid=1, claimed_at=timezone.now(), started_at=timezone.now()
    )
    kept.mkdir()
    (kept / name_in_storage(run)).write_bytes(b"half a f")
    run.refresh_from_db()
    reconcile([run])
    assert run.state == Run.State.LOST


def opened(response):
    """The files that a response closes."""
    return [each.__self__ for each in response._resource_closers if hasattr(each.__self__, "closed")]


def test_a_file_is_closed_when_the_browser_has_gone(slow, few, ada, kept):
    run = wait_for_state(start(ada), "succeeded")
    path = reverse("orm_views_admin:run_file", kwargs={"run_request": run.request})
    client = Client()
    client.force_login(ada)
    response = client.get(path)
    (file,) = opened(response)
    assert next(iter(response.streaming_content)).startswith(b"n,m,long\n1,1,")
    response.close()
    assert file.closed

    async def leave_early():
        client = AsyncClient()
        await client.aforce_login(ada)
        response = await client.get(path)
        async for piece in response.streaming_content:
            assert piece.startswith(b"n,m,long\n1,1,")
            break
        (file,) = opened(response)
        response.close()
        return file.closed

    assert async_to_sync(leave_early)()
    assert len(list(kept.iterdir())) == 1


def test_several_exports_of_a_view_are_under_way_at_once(slow, few, ada):
    runs = [start(ada) for _ in range(3)]
    for run in runs:
        wait_for_state(run, "succeeded")
        assert run.rows_after == 100


def test_requests_at_once_find_room_for_three_only(slow, ada, settings):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": f"{__name__}.nobody"}
    began, refused = threading.Barrier(6), []

    def ask():
        began.wait()
        try:
            start(ada)
        except TooManyExportsError as error:
            refused.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Run.objects.count(), len(refused)) == (3, 3)


def test_the_directory_of_exports_is_private(settings, monkeypatch, tmp_path):
    settings.STORAGES = {key: each for key, each in settings.STORAGES.items() if key != storage.ALIAS}
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = storage.private_directory()
    assert folder.stat().st_mode & 0o777 == 0o700
    name = storage.export_storage().save("x.csv", io.BytesIO(b"x"))
    assert (folder / name).stat().st_mode & 0o777 == 0o600
    folder.chmod(0o755)
    with pytest.raises(storage.NotPrivateError, match="others may enter it"):
        storage.export_storage()
    (folder / name).unlink()
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(storage.NotPrivateError):
        storage.export_storage()
    folder.unlink()
    folder.write_text("no directory")
    with pytest.raises(storage.NotPrivateError):
        storage.export_storage()


def test_a_file_that_cannot_be_kept_fails_the_export(slow, few, ada, settings, monkeypatch, tmp_path):
    settings.STORAGES = {key: each for key, each in settings.STORAGES.items() if key != storage.ALIAS}
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    storage.private_directory().chmod(0o777)
    run = wait_for_state(start(ada), "failed")
    assert "others may enter it" in run.error


def test_an_export_is_performed_once(slow, few, ada, settings):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": f"{__name__}.nobody", "EXPORT_ROWS": 100}
    run = start(ada)
    threads = [threading.Thread(target=perform_and_close, args=[run.request]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.refresh_from_db()
    assert run.state == Run.State.SUCCEEDED
    assert RowAccess.objects.count() == 1


def perform_and_close(request):
    try:
        perform(request)
    finally:
        connections.close_all()
