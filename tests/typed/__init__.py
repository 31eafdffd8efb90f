"""A project with strict mypy that uses all of the public API: `nox --session typed` checks it."""
