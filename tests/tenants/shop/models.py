"""What each tenant sells."""

from django.db import models


class Product(models.Model):
    """A product of one tenant."""

    name = models.CharField(max_length=20)
    price = models.IntegerField()
