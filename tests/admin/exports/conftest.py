"""Fixtures of the tests of exports: a storage of their own, which has nothing after each test."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def kept(settings, tmp_path):
    """The directory of the storage."""
    folder = tmp_path / "exports"
    settings.STORAGES = {
        **settings.STORAGES,
        "orm_views_exports": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(folder)},
        },
    }
    return folder
