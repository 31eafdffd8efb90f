"""Counts and rows of views of engines without staging, for pages."""
