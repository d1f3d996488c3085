"""Facts that several models share."""

CHANNELS = [("sms", "Text message"), ("whatsapp", "WhatsApp"), ("email", "E-mail")]
CLASSES = [
    ("otp", "One-time code"),
    ("service", "Service"),
    ("billing", "Bills"),
    ("promotional", "Advertising"),
]
# The codes are those of the purposes in the privacy register.
PURPOSES = [
    ("security", "Security"),
    ("service", "Service"),
    ("notices", "Notices"),
    ("billing", "Bills"),
    ("marketing", "Offers and news"),
]
PURPOSE_OF_CLASS = {
    "otp": "security",
    "service": "notices",
    "billing": "billing",
    "promotional": "marketing",
}
LANGUAGES = [("en", "English"), ("bn", "Bangla")]
WEEKDAYS = [
    ("0", "Monday"),
    ("1", "Tuesday"),
    ("2", "Wednesday"),
    ("3", "Thursday"),
    ("4", "Friday"),
    ("5", "Saturday"),
    ("6", "Sunday"),
]
STATES = [
    ("queued", "Waiting"),
    ("sending", "Being sent"),
    ("accepted", "Handed over"),
    ("delivered", "Delivered"),
    ("failed", "Not sent"),
    ("unknown", "Nobody knows"),
    ("suppressed", "Held back for good"),
]
# Forward only. What nobody knows, or was not sent, goes back into the queue by a person's decision.
NEXT_STATES = {
    "queued": {"sending", "accepted", "failed", "suppressed"},
    "sending": {"accepted", "failed", "unknown", "queued"},
    "unknown": {"accepted", "delivered", "failed", "queued"},
    "accepted": {"delivered", "failed"},
    "failed": {"queued"},
    "delivered": set(),
    "suppressed": set(),
}
# What templates may speak of, each with an example of usual length.
VARIABLES = {
    "customer": "Karim Uddin",
    "company": "Padma Net",
    "plan": "Home 20",
    "service": "SUB00001",
    "amount": "BDT 1,000.00",
    "due_date": "March 1, 2027",
    "pay_url": "https://isp.example/my/services/1/pay",
    "code": "482913",
    "minutes": "5",
}
