"""The tables of the predecessor's documentation."""

from django.db import models


class Table1(models.Model):
    name = models.TextField()
    col_a = models.TextField()
    col_b = models.IntegerField()


class TestModel(models.Model):
    __test__ = False

    integer_col = models.IntegerField()
    character_col = models.CharField(max_length=100)
    date_col = models.DateField()
    datetime_col = models.DateTimeField()


class TestModelWithForeignKey(models.Model):
    __test__ = False

    foreign_key = models.ForeignKey(TestModel, on_delete=models.CASCADE)
