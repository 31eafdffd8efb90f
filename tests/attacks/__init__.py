"""Attacks: what people who may create things in the database could try against us. Each has to fail."""
