"""Facts that several models share."""

# What FreeRADIUS, RouterOS and URLs all carry unchanged; stored in lower case because RADIUS
# compares logins without regard to case.
USERNAME_PATTERN = r"[a-z0-9][a-z0-9._@/-]{1,62}[a-z0-9]"

# Without the characters people mistake for each other when a password is read out by telephone.
PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

CYCLE_UNITS = [
    ("day", "Days"),
    ("week", "Weeks"),
    ("month", "Months"),
    ("quarter", "Quarters"),
    ("half_year", "Half-years"),
    ("year", "Years"),
]
BILLING_MODES = [
    ("advance", "In advance"),
    ("arrears", "In arrears"),
    ("prepaid", "Prepaid"),
]
PRORATIONS = [
    ("exact", "By days"),
    ("none", "Always a whole period"),
    ("free_first_stub", "By days, first part free"),
]
SUBSCRIPTION_STATES = [
    ("draft", "Draft"),
    ("active", "Active"),
    ("suspended", "Suspended"),
    ("terminated", "Terminated"),
]
SUSPEND_REASONS = [
    ("overdue", "Payment overdue"),
    ("request", "Customer's request"),
    ("abuse", "Abuse or complaint"),
    ("other", "Other"),
]
SERVICE_TYPES = [
    ("pppoe", "PPPoE"),
    ("ipoe", "IPoE (DHCP)"),
    ("hotspot", "Hotspot"),
    ("static", "Static address"),
]
