"""The settings of the suite, with the backend that BACKEND names."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

#: What a backend changes in an entry of DATABASES, and the app that it needs.
BACKENDS = {
    "pool": ({"OPTIONS": {"pool": {"min_size": 1, "max_size": 1, "timeout": 5}}}, None),
    "prometheus": ({"ENGINE": "django_prometheus.db.backends.postgresql"}, "django_prometheus"),
    "psqlextra": ({"ENGINE": "psqlextra.backend"}, "psqlextra"),
    "geventpool": (
        {
            "ENGINE": "django_db_geventpool.backends.postgresql_psycopg3",
            "CONN_MAX_AGE": 0,
            "OPTIONS": {"MAX_CONNS": 4, "REUSE_CONNS": 2},
        },
        None,
    ),
}

_changes, _app = BACKENDS[os.environ["BACKEND"]]
for _database in DATABASES.values():
    _database.update(_changes | {"OPTIONS": {**_database.get("OPTIONS", {}), **_changes.get("OPTIONS", {})}})
if _app:
    INSTALLED_APPS += [_app]
# The embedded server comes without hstore.
POSTGRES_EXTRA_AUTO_EXTENSION_SET_UP = False
