"""The documentation: its pages are complete. `nox --session docs` also looks at them in a browser."""
