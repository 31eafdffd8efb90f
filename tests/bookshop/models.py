"""Books and those who sell them; employees; clients; a blog: tables for every shape of queryset."""

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import models


class Publisher(models.Model):
    name = models.CharField(max_length=60)
    city = models.CharField(max_length=60, null=True)  # noqa: DJ001
    founded = models.PositiveSmallIntegerField()


class Author(models.Model):
    name = models.CharField(max_length=60)
    alias = models.CharField(max_length=60, null=True)  # noqa: DJ001
    born = models.DateField(null=True)


class Portrait(models.Model):
    """A row for some authors only."""

    author = models.OneToOneField(Author, on_delete=models.CASCADE, primary_key=True)
    file = models.FileField()


class Note(models.Model):
    """Something that is written on any other row."""

    # Without a constraint: tables without migrations are created before those with.
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, db_constraint=False)
    object_id = models.BigIntegerField()
    about = GenericForeignKey()
    text = models.TextField()


class Book(models.Model):
    title = models.CharField(max_length=60, help_text="As it is printed.")
    pages = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=6, decimal_places=2)
    rating = models.FloatField(null=True)
    on = models.DateField(db_column="published_on")
    publisher = models.ForeignKey(Publisher, on_delete=models.CASCADE)
    editor = models.ForeignKey(Author, on_delete=models.CASCADE, null=True, related_name="edited")
    authors = models.ManyToManyField(Author)
    notes = GenericRelation(Note)


class Cheap(Book):
    """A proxy."""

    class Meta:
        proxy = True


class Store(models.Model):
    name = models.CharField(max_length=60)
    books = models.ManyToManyField(Book)


class Place(models.Model):
    name = models.CharField(max_length=60)


class Cafe(Place):
    """A row of Place, and one of its own."""

    seats = models.SmallIntegerField()
    store = models.ForeignKey(Store, on_delete=models.CASCADE, null=True)


class Booking(models.Model):
    cafe = models.ForeignKey(Cafe, on_delete=models.CASCADE)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True)


class Employee(models.Model):
    name = models.CharField(max_length=60)
    department = models.CharField(max_length=20)
    salary = models.IntegerField()
    shares = models.BigIntegerField(default=0)
    hired = models.DateField()
    manager = models.ForeignKey("self", on_delete=models.CASCADE, null=True)


class Client(models.Model):
    class Level(models.TextChoices):
        REGULAR = "R"
        GOLD = "G"

    name = models.CharField(max_length=60)
    level = models.CharField(max_length=1, choices=Level.choices)
    since = models.DateField()


class Entry(models.Model):
    headline = models.CharField(max_length=60)
    body = models.TextField()
    tags = ArrayField(models.CharField(max_length=20))
    about = models.JSONField()
    comments = models.IntegerField()
    likes = models.IntegerField(null=True)
    posted = models.DateTimeField()
    edited = models.DateTimeField(null=True)


class Seat(models.Model):
    """A key of two columns."""

    pk = models.CompositePrimaryKey("hall", "number")
    hall = models.CharField(max_length=10)
    number = models.IntegerField()
    holder = models.ForeignKey(Client, on_delete=models.CASCADE, null=True)
