"""Two kinds of apps: those of all tenants together, and those that each tenant has tables of."""

from tests.demo.postgres import database_settings

SECRET_KEY = "a key of these tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {"default": {**database_settings(), "ENGINE": "django_tenants.postgresql_backend"}}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

SHARED_APPS = ["django_tenants", "tests.tenants.clients", "django.contrib.contenttypes", "orm_views_core"]
TENANT_APPS = ["django.contrib.contenttypes", "tests.tenants.shop"]
INSTALLED_APPS = list(dict.fromkeys([*SHARED_APPS, *TENANT_APPS]))
TENANT_MODEL, TENANT_DOMAIN_MODEL = "clients.Client", "clients.Domain"


def schema_of_views(connection):
    """Return the schema of the views of the current tenant."""
    return f"{connection.schema_name}_views"


ORM_VIEWS = {"SCHEMA": schema_of_views}
