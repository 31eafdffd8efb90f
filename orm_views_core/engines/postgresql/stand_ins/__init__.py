"""What views are while a migration changes the tables that they read, and which views that concerns."""
