"""What can be said of a message without a database and without a clock."""
