"""Data volumes, hours and charts of usage as pure functions: no ORM, no clock."""
