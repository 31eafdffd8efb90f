"""What PostgreSQL reports of an error, what it means, and what we say of it."""
