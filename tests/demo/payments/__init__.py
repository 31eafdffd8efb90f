"""What is owed and what came in: instalments and repayments."""
