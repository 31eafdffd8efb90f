"""The Django app that every package under measurement syncs the views of."""
