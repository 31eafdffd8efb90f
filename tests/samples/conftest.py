"""The sample projects have suites of their own; here they are only run as their users would run them."""

collect_ignore = ["with_pytest", "with_unittest"]
