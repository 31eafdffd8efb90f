"""Looks of the admin. ``DJANGO_SETTINGS_MODULE=tests.browser.skins.unfold`` chooses one for the tests."""
