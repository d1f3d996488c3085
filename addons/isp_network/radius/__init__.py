"""The RADIUS layer inside the database: its SQL and what applies it. Independent of the ORM."""
