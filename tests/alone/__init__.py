"""Core alone: without the admin, and without the libraries that the pages are made with."""
