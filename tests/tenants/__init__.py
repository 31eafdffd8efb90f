"""A project with django-tenants, as docs/tenants.md describes it. `nox --session tenants` runs its tests."""
