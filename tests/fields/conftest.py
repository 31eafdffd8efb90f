"""The fixtures of core's tests: views are registered for the length of a test."""

from tests.core.conftest import forget_models, plain_settings, registered, unrecorded

__all__ = ["forget_models", "plain_settings", "registered", "unrecorded"]
