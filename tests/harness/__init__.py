"""What scripts/test and tests/conftest.py share: settings, template databases, servers, logs."""
