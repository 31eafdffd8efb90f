"""A process that performs an export: `python -m tests.admin.exports.worker DATABASE FOLDER REQUEST`."""

from __future__ import annotations

import os
import sys
import uuid


def main(database: str, folder: str, request: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    settings.FILE_UPLOAD_TEMP_DIR = folder
    settings.STORAGES = {
        **settings.STORAGES,
        "orm_views_exports": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": f"{folder}/exports"},
        },
    }
    django.setup()

    from orm_views_admin.runs import perform
    from orm_views_core.views.registry import registry
    from tests.admin.exports.slow import declare_slow

    with registry.isolated():
        declare_slow()
        perform(uuid.UUID(request))


if __name__ == "__main__":
    main(*sys.argv[1:])
