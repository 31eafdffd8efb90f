"""The payment schedule of each loan, and the money that came in."""

from django.db import models

from tests.demo.lending.models import Loan


class Instalment(models.Model):
    """One line of a loan's payment schedule."""

    # The unique constraint below already is an index that begins with the loan.
    loan = models.ForeignKey(Loan, on_delete=models.CASCADE, related_name="instalments", db_index=False)
    number = models.PositiveSmallIntegerField(help_text="Counts from 1 within the loan.")
    due_on = models.DateField()
    amount = models.DecimalField(
        max_digits=10, decimal_places=2, help_text="Principal and interest, in pounds."
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=["loan", "number"], name="instalment_of_loan"),)

    def __str__(self) -> str:
        return f"Instalment {self.number} of loan {self.loan_id}"


class Repayment(models.Model):
    """Money received for one instalment; an instalment may be paid in parts."""

    class Method(models.TextChoices):
        DIRECT_DEBIT = "direct_debit", "Direct debit"
        CARD = "card", "Card"
        TRANSFER = "transfer", "Bank transfer"

    instalment = models.ForeignKey(Instalment, on_delete=models.CASCADE, related_name="repayments")
    paid_on = models.DateField(help_text="Day the money arrived.")
    amount = models.DecimalField(max_digits=10, decimal_places=2, help_text="In pounds.")
    method = models.CharField(max_length=12, choices=Method)

    def __str__(self) -> str:
        return f"Repayment {self.pk}"
