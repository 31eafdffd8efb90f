from django.apps import AppConfig


class LendingConfig(AppConfig):
    name = "tests.demo.lending"
    label = "lending"
