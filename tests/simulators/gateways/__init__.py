"""Payment gateways on loopback: strict, with a pay page to click and faults on command."""
