"""A shop's tables."""

from django.db import models

from orm_views_core.privacy import personal


class Customer(models.Model):
    email = personal(models.EmailField())
    city = models.CharField(max_length=60)


class Sale(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    amount = models.DecimalField(max_digits=8, decimal_places=2)
    sold_on = models.DateField()
