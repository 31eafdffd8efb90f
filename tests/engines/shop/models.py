"""The tables that the tests of engines read: each engine has all of their types."""

from django.db import models


class Customer(models.Model):
    """A person."""

    email = models.EmailField()
    city = models.CharField(max_length=60, help_text="Town of the postal address.")
    born_on = models.DateField(null=True)

    def __str__(self) -> str:
        return self.email


class Product(models.Model):
    """A thing on offer."""

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=60)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    details = models.JSONField(default=dict)
    on_sale = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """What a customer has bought."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        PAID = "paid", "Paid"
        RETURNED = "returned", "Returned"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="orders")
    quantity = models.PositiveSmallIntegerField(default=1)
    total = models.DecimalField(max_digits=8, decimal_places=2)
    discount = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    placed_on = models.DateField()
    sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Order {self.pk}"


class Parcel(models.Model):
    """What the views of most tests read. A test may take a column away from it."""

    weight = models.IntegerField()
    shelf = models.CharField(max_length=30)
    height = models.IntegerField(default=1)

    def __str__(self) -> str:
        return f"Parcel {self.pk}"


class Sample(models.Model):
    """A column of each type that every engine has."""

    characters = models.CharField(max_length=40, null=True)  # noqa: DJ001
    text = models.TextField(null=True)  # noqa: DJ001
    email = models.EmailField(null=True)  # noqa: DJ001
    slug = models.SlugField(null=True)  # noqa: DJ001
    url = models.URLField(null=True)  # noqa: DJ001
    file = models.FileField(upload_to="files", null=True)
    path = models.FilePathField(path="/usr", null=True)  # noqa: DJ001
    address = models.GenericIPAddressField(null=True)
    small = models.SmallIntegerField(null=True)
    integer = models.IntegerField(null=True)
    big = models.BigIntegerField(null=True)
    positive_small = models.PositiveSmallIntegerField(null=True)
    positive = models.PositiveIntegerField(null=True)
    positive_big = models.PositiveBigIntegerField(null=True)
    ratio = models.FloatField(null=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    share = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    flag = models.BooleanField(null=True)
    day = models.DateField(null=True)
    moment = models.DateTimeField(null=True)
    clock = models.TimeField(null=True)
    span = models.DurationField(null=True)
    identifier = models.UUIDField(null=True)
    raw = models.BinaryField(null=True)
    document = models.JSONField(null=True)
    chosen = models.CharField(max_length=5, choices=[("a", "First"), ("b", "Second")], null=True)  # noqa: DJ001
    product = models.ForeignKey(Product, on_delete=models.CASCADE, null=True)

    def __str__(self) -> str:
        return f"Sample {self.pk}"
