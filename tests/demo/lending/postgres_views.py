"""What analysts see of customers, products and loans: age bands for dates of birth, and no names."""

from django.db import models
from django.db.models import Case, Count, Q, Sum, Value, When
from django.db.models.functions import Cast, TruncMonth
from django.utils.functional import classproperty

from orm_views_core.views import (
    HiddenViewMixin,
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
)

from .models import Customer, Loan, Product


class DataAsOf(HiddenViewMixin, PostgresViewFromSQL):
    """The last day on which loans were opened: ages and arrears are counted from it, not from today."""

    name = "data_as_of"
    sql = "SELECT max(opened_on) AS day FROM lending_loan"


class Customers(PostgresViewFromSQL):
    """Customers without anything that says who they are."""

    # The planner must not run an analyst's function on a row before this view has reduced it.
    security_barrier = True
    not_personal = ("age_band",)
    sql = """
        SELECT customer.id,
            CASE
                WHEN age < 25 THEN '18-24'
                WHEN age < 35 THEN '25-34'
                WHEN age < 50 THEN '35-49'
                WHEN age < 65 THEN '50-64'
                ELSE '65+'
            END AS age_band,
            customer.city,
            extract(year FROM customer.registered_on)::int AS registered_in
        FROM lending_customer AS customer
        CROSS JOIN views.data_as_of
        CROSS JOIN LATERAL (
            SELECT extract(year FROM age(data_as_of.day, customer.date_of_birth)) AS age
        ) AS years
    """


class CustomersByEra(PostgresViewFromQueryset):
    """How many customers there are of each generation and city."""

    name = "customers_by_era"
    not_personal = ("era",)

    @classmethod
    def get_queryset(cls):
        era = Case(
            When(date_of_birth__lt="1965-01-01", then=Value("before 1965")),
            When(date_of_birth__lt="1981-01-01", then=Value("1965 to 1980")),
            When(date_of_birth__lt="1997-01-01", then=Value("1981 to 1996")),
            default=Value("1997 and later"),
        )
        return Customer.objects.annotate(era=era).values("era", "city").annotate(customers=Count("id"))


class ProductCatalogue(ReadableViewFromQueryset):
    """The products as they are sold today."""

    pk_field = "code"

    # The other fields are inferred from the queryset; this one says more than its table does.
    name = models.CharField(max_length=60, help_text="What the product is called on the web site.")

    class Meta:
        db_table = "product_catalogue"  # its field `name` takes the attribute that would say so
        ordering = ("code",)
        verbose_name_plural = "product catalogue"

    @classmethod
    def get_queryset(cls):
        return Product.objects.filter(on_sale=True).values("code", "name", "purpose", "annual_rate")


class OnlineProducts(PostgresViewFromSQL):
    """Products that are sold without a conversation, which their names say."""

    name = "online_products"
    sql = "SELECT id, code, name FROM lending_product WHERE name LIKE '%100% online%'"


class LoanBook(PostgresMaterialisedViewMixin, ReadableViewFromSQL):
    """Every loan with its product and the reduced customer: the place to begin an analysis."""

    name = "loan_book"
    pk_field = "id"
    indexes = (
        models.Index(fields=["product", "opened_on"], name="loan_book_product_opened"),
        models.Index(fields=["opened_on"], name="loan_book_late", condition=Q(status="late")),
    )
    sql = """
        SELECT loan.id, product.code AS product, product.purpose, customers.age_band, customers.city,
            loan.principal, loan.annual_rate, loan.term_months, loan.channel, loan.status, loan.opened_on
        FROM lending_loan AS loan
        JOIN lending_product AS product ON product.id = loan.product_id
        JOIN views.customers ON customers.id = loan.customer_id
    """

    id = models.BigIntegerField(primary_key=True, help_text="Number of the loan.")
    product = models.CharField(max_length=12, help_text="Code of the product.")
    purpose = models.CharField(max_length=12)
    age_band = models.TextField(help_text="Age of the customer, in bands.")
    city = models.CharField(max_length=60)
    principal = models.DecimalField(max_digits=10, decimal_places=2, help_text="Amount lent, in pounds.")
    annual_rate = models.DecimalField(max_digits=5, decimal_places=2)
    term_months = models.SmallIntegerField()
    channel = models.CharField(max_length=12, choices=Loan.Channel)
    status = models.CharField(max_length=12, choices=Loan.Status)
    opened_on = models.DateField(help_text="Day the money was paid out.")

    class Meta:
        ordering = ("-opened_on", "id")
        verbose_name = "loan in the book"
        verbose_name_plural = "loans in the book"

    def __str__(self):
        return f"Loan {self.pk}"


class LoansByStatus(PostgresViewFromQueryset):
    """Number and volume of the loans in each status."""

    name = "loans_by_status"

    @classmethod
    def get_queryset(cls):
        return Loan.objects.values("status").annotate(loans=Count("id"), principal=Sum("principal"))


class NewBusiness(ReadableViewFromQueryset):
    """Loans opened, by month and product."""

    name = "new_business"
    # Two loans of one product in one month are one row here, so the pair of them identifies it.
    pk_field = ("month", "product")

    lent = models.DecimalField(max_digits=14, decimal_places=2, help_text="Their principal, in pounds.")

    class Meta:
        ordering = ("month", "product")
        verbose_name_plural = "new business"

    @classmethod
    def get_queryset(cls):
        return (
            LoanBook.objects.order_by()
            .annotate(month=Cast(TruncMonth("opened_on"), models.DateField()))
            .values("month", "product")
            .annotate(loans=Count("id"), lent=Sum("principal"))
        )


class ActiveLoans(ReadableViewFromQueryset):
    """Loans that run as agreed; written through by back-office scripts, which cannot move a row out of it."""

    name = "active_loans"
    check_option = "local"
    updatable = True

    class Meta:
        verbose_name = "active loan"

    @classmethod
    def get_queryset(cls):
        return Loan.objects.filter(status=Loan.Status.ACTIVE).values(
            "id", "product", "principal", "annual_rate", "term_months", "status", "opened_on"
        )


class LoansTakenOver(ReadableViewFromQueryset):
    """Loans of the lender that was taken over. Its books stay in a database of their own."""

    name = "loans_taken_over"
    database = "warehouse"

    class Meta:
        verbose_name = "loan taken over"
        verbose_name_plural = "loans taken over"

    @classmethod
    def get_queryset(cls):
        return Loan.objects.values("id", "product", "principal", "status", "opened_on")


class Cities(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
    """Lending by city and age band, with each city's share of the whole."""

    prefix = "geo"
    pk_field = ("city", "age_band")

    @classproperty
    def sql(cls):
        return f"""
            SELECT city, age_band, count(*) AS loans, sum(principal) AS lent,
                round(100 * sum(principal) / sum(sum(principal)) OVER (), 2) AS share
            FROM {LoanBook.name_with_schema}
            GROUP BY city, age_band
        """
