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
    ("thirty_days", "By days, every month counts 30"),
    ("last_day_counts", "By days, the last day counts"),
    ("free_first_stub", "By days, first part free"),
]
PAUSE_POLICIES = [
    ("keep", "Go on charging"),
    ("credit", "Charge nothing for whole days"),
    ("extend", "Let the period end later"),
]
END_POLICIES = [
    ("credit", "Unused days are given back"),
    ("no_credit", "The period begun is kept"),
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
DUNNING_ACTIONS = [
    ("remind", "Remind"),
    ("late_fee", "Late fee"),
    ("throttle", "Throttle"),
    ("suspend", "Suspend"),
    ("terminate", "Terminate"),
]
DUNNING_HOLDS = [
    ("vip", "VIP"),
    ("dispute", "Disputed"),
    ("promise", "Promise to pay"),
]
# What a number with the tax office is called on a bill. Bangladesh: VAT and Supplementary Duty Act
# 2012; India: CGST Act 2017, rule 46.
TAX_ID_LABELS = {"BD": "BIN", "IN": "GSTIN"}
