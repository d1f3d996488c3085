"""The words of the data map: what declarations may say, with the labels that screens show.

Purposes are records (``privacy.purpose``), because operators add their own and change the lawful
basis of ours; everything else is fixed here, because code acts on it.
"""

CATEGORIES = [
    ("identity", "Name and identity"),
    ("contact", "Contact details"),
    ("address", "Postal address"),
    ("identity_document", "Identity document"),
    ("account", "Customer account"),
    ("financial", "Bills and payments"),
    ("payment_means", "Means of payment"),
    ("network", "Network and sessions"),
    ("usage", "Usage"),
    ("location", "Location"),
    ("device", "Device and browser"),
    ("communication", "Messages and calls"),
    ("free_text", "Free text"),
    ("document", "Documents and files"),
    ("preference", "Preferences"),
    ("credential", "Logins and secrets"),
    ("proof", "Proof of consents and requests"),
    ("trace", "Who did what"),
]

LAWFUL_BASES = [
    ("contract", "Contract"),
    ("legal_obligation", "Legal obligation"),
    ("legitimate_interest", "Legitimate interest"),
    ("consent", "Consent"),
    ("vital_interest", "Vital interest"),
    ("public_task", "Public task"),
]

# Where data of a category comes from. Who takes the own data along gets what they provided and what
# was observed of them; what was derived, such as notes and proofs of ours, is only shown to them.
ORIGINS = {
    **dict.fromkeys(
        (
            *("identity", "contact", "address", "identity_document", "account", "payment_means"),
            *("communication", "document", "preference"),
        ),
        "provided",
    ),
    **dict.fromkeys(("financial", "network", "usage", "location", "device"), "observed"),
    **dict.fromkeys(("free_text", "credential", "proof", "trace"), "derived"),
}

# How long each lasts is said by the policy profile, not here.
RETENTION_CLASSES = [
    ("account", "Customer account"),
    ("network", "Network and session logs"),
    ("message", "Messages"),
    ("pay_log", "Payment logs"),
    ("tax_doc", "Tax documents"),
    ("kyc", "Identity documents"),
    ("audit", "Audit and proof"),
    ("staff", "Staff account"),
    ("transient", "Gone by itself within days"),
]

# Of these a policy profile must say how long they last. Backups hold all of the others. The account
# itself lasts as long as the contract, and then goes as a whole, by erasure.
RULED_CLASSES = [
    *(entry for entry in RETENTION_CLASSES if entry[0] not in ("account", "staff", "transient")),
    ("backup", "Backups"),
]

ERASURE_ACTIONS = [
    ("delete", "Delete the record"),
    ("null", "Empty the field"),
    ("mask", "Replace by a mask"),
    ("pseudonymise", "Replace by the pseudonym"),
    ("detach", "Remove the link"),
    ("keep", "Keep, for the reason given"),
]

# How a person is reached. ``none`` is for what happens in the service itself.
CHANNELS = [
    ("mail", "E-mail"),
    ("sms", "Text message"),
    ("whatsapp", "WhatsApp"),
    ("phone", "Telephone call"),
    ("none", "In the service itself"),
]

# Grounds on which a person may say no: by withdrawing a consent, or by an objection.
REFUSABLE_BASES = frozenset({"consent", "legitimate_interest"})

# What many fields have in common, so that declarations can say it in a word.
PRESETS = {
    "subject": {
        "category": "account",
        "erasure": "keep",
        "reason": "The partner is anonymised in place: the number of its record names nobody.",
    },
    "staff": {
        "category": "trace",
        "purpose": "staff",
        "retention": "audit",
        "erasure": "keep",
        "reason": "Who of the staff did it: the account's partner is anonymised in place.",
        "export": False,
    },
    "free_text": {"category": "free_text", "erasure": "null"},
    "secret": {"category": "credential", "erasure": "null", "export": False},
}

STATUSES = [
    ("mapped", "Personal data"),
    ("fact", "Fact of a subject's record"),
    ("free", "Free of personal data"),
    ("rule", "Covered by a rule"),
    ("gap", "Not declared"),
]


def codes(selection):
    """Return the codes of one of the lists above."""
    return {code for code, _label in selection}
