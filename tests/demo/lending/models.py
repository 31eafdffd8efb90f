"""Customers, the products they choose from, and their loans."""

from django.db import models

from orm_views_core.privacy import personal


class Customer(models.Model):
    """A person: the only table with personal data, which no view passes on."""

    email = personal(models.EmailField(unique=True))
    first_name = personal(models.CharField(max_length=60))
    last_name = personal(models.CharField(max_length=60))
    date_of_birth = personal(models.DateField())
    city = models.CharField(max_length=60, help_text="Town of the postal address.")
    registered_on = models.DateField(help_text="Day the account was opened.")

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Product(models.Model):
    """A kind of loan on offer."""

    class Purpose(models.TextChoices):
        PERSONAL = "personal", "Personal"
        CAR = "car", "Car"
        HOME = "home", "Home improvement"
        STUDY = "study", "Study"
        BUSINESS = "business", "Small business"

    code = models.CharField(max_length=12, unique=True, help_text="Short code, as it stands in contracts.")
    name = models.CharField(max_length=60)
    purpose = models.CharField(max_length=12, choices=Purpose)
    annual_rate = models.DecimalField(
        max_digits=5, decimal_places=2, help_text="List rate, in per cent a year."
    )
    on_sale = models.BooleanField(default=True, help_text="Whether new loans can be taken out.")

    def __str__(self) -> str:
        return self.name


class Loan(models.Model):
    """One contract, paid back in equal monthly instalments."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        LATE = "late", "In arrears"
        SETTLED = "settled", "Settled"
        WRITTEN_OFF = "written_off", "Written off"

    class Channel(models.TextChoices):
        WEB = "web", "Web site"
        BROKER = "broker", "Broker"
        PHONE = "phone", "Telephone"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="loans")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="loans")
    principal = models.DecimalField(max_digits=10, decimal_places=2, help_text="Amount lent, in pounds.")
    annual_rate = models.DecimalField(
        max_digits=5, decimal_places=2, help_text="Agreed rate, in per cent a year."
    )
    term_months = models.PositiveSmallIntegerField(help_text="Number of monthly instalments.")
    channel = models.CharField(max_length=12, choices=Channel)
    status = models.CharField(max_length=12, choices=Status)
    opened_on = models.DateField(db_index=True, help_text="Day the money was paid out.")

    def __str__(self) -> str:
        return f"Loan {self.pk}"
