"""The project of docs/how-to/tenants.md, with django-tenants. `nox --session tenants` runs its tests."""
