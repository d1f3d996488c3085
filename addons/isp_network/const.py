"""Facts about the outside world, with their source."""

# Months for which an operator must be able to say who used the network when.
# BD: BTRC directive of 2017 asks for one year of IP logs (the licensing guideline for less).
# IN: amendments of December 2021 and January 2022 to the licences: two years of IPDR and logins.
# Counsel decides; a company may keep more, never less.
LEGAL_LOG_MONTHS = {"BD": 12, "IN": 24}
# Where no law is known: the default, and the least that disputes about a bill need.
DEFAULT_LOG_MONTHS = 12
LEAST_LOG_MONTHS = 3
# The portal shows the last twelve months.
LEAST_USAGE_MONTHS = 13
DEFAULT_USAGE_MONTHS = 36
