from django.db import models


class Visitor(models.Model):
    email = models.EmailField()
    town = models.CharField(max_length=60)


class Ticket(models.Model):
    visitor = models.ForeignKey(Visitor, on_delete=models.PROTECT)
    day = models.DateField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
