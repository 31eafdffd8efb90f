from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "tests.demo.payments"
    label = "payments"
