"""Pure functions of the network: no ORM, no clock."""
