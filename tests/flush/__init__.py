"""An app of the suite, whose command takes the place of Django's `flush`."""
