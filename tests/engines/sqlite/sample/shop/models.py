from django.db import models


class Customer(models.Model):
    city = models.CharField(max_length=60)


class Order(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    total = models.DecimalField(max_digits=8, decimal_places=2)
    details = models.JSONField(default=dict)
