"""A Django project about a small lender: the demonstration, and what the tests run on."""
