"""What goes to the board."""

from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL


class CohortPerformance(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
    """How much of its principal each year's lending has paid back, by months since the loan was opened."""

    name = "cohort_performance"
    pk_field = ("cohort", "months_on_book")
    # It reads every repayment and is looked at once a month: a refresh fills it, not a deploy.
    with_data = False
    sql = """
        SELECT extract(year FROM loan.opened_on)::int AS cohort,
            instalment.number::int AS months_on_book,
            sum(repayment.amount) AS repaid,
            round(100 * sum(sum(repayment.amount)) OVER (
                PARTITION BY extract(year FROM loan.opened_on) ORDER BY instalment.number
            ) / lent.principal, 1) AS percentage_of_principal
        FROM views.loan_book AS loan
        JOIN payments_instalment AS instalment ON instalment.loan_id = loan.id
        JOIN payments_repayment AS repayment ON repayment.instalment_id = instalment.id
        JOIN (
            SELECT extract(year FROM opened_on) AS cohort, sum(principal) AS principal
            FROM views.loan_book
            GROUP BY 1
        ) AS lent ON lent.cohort = extract(year FROM loan.opened_on)
        GROUP BY extract(year FROM loan.opened_on), instalment.number, lent.principal
    """


class Portfolio(PostgresViewFromSQL):
    """The company on one line."""

    prefix = "board"
    sql = """
        SELECT data_as_of.day AS as_of,
            (SELECT sum(loans) FROM views.new_business) AS loans_opened,
            (SELECT sum(lent) FROM views.new_business) AS lent,
            (SELECT sum(collected) FROM views.monthly_collections) AS collected,
            (SELECT sum(balance_overdue) FROM views.arrears_by_product) AS overdue
        FROM views.data_as_of
    """
