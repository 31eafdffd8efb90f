"""The tenants."""

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Client(TenantMixin):
    """A tenant."""

    name = models.CharField(max_length=20)


class Domain(DomainMixin):
    """The name of a tenant's host."""
