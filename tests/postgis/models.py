"""Shops on a map, and the districts that they are in."""

from __future__ import annotations

from django.contrib.gis.db import models


class District(models.Model):
    name = models.CharField(max_length=20)
    outline = models.PolygonField()

    class Meta:
        app_label = "postgis"


class Shop(models.Model):
    name = models.CharField(max_length=20)
    place = models.PointField()
    on_earth = models.PointField(geography=True)
    district = models.ForeignKey(District, models.CASCADE, null=True)

    class Meta:
        app_label = "postgis"
