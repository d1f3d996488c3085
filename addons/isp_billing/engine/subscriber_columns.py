"""Guesses what the columns of a provider's file mean from their headings."""

import hashlib
import unicodedata

# Checked in this order; the first target whose word fits an unused heading takes it.
SYNONYMS = {
    "customer_ref": (
        "customer id", "customer no", "customer number", "customer code", "client id",
        "client code", "subscriber id", "member id", "party id", "গ্রাহক আইডি", "গ্রাহক নম্বর",
        "গ্রাহক নং", "কাস্টমার আইডি", "ক্লায়েন্ট আইডি",
    ),
    "external_ref": (
        "subscription id", "subscription no", "service id", "connection id", "line id",
        "external id", "external reference", "account no", "account number", "account id", "id",
        "সংযোগ আইডি", "সংযোগ নম্বর", "লাইন আইডি", "আইডি",
    ),
    "username": (
        "username", "user name", "user id", "userid", "pppoe", "pppoe username", "pppoe user",
        "pppoe name", "pppoe id", "login", "ppp secret", "radius username", "ইউজারনেম", "ইউজার নেম",
        "ইউজার আইডি", "লগইন",
    ),
    "password": ("password", "pppoe password", "ppp password", "pass", "পাসওয়ার্ড"),
    "customer_name": (
        "customer name", "client name", "subscriber name", "full name", "name", "customer",
        "client", "subscriber", "নাম", "গ্রাহকের নাম", "গ্রাহক", "কাস্টমারের নাম",
    ),
    "phone": (
        "phone", "mobile", "phone number", "mobile number", "mobile no", "phone no", "contact",
        "contact no", "contact number", "cell", "telephone", "whatsapp", "ফোন", "মোবাইল",
        "মোবাইল নম্বর", "মোবাইল নং", "ফোন নম্বর", "যোগাযোগ",
    ),
    "email": ("email", "e mail", "mail", "email address", "ইমেইল", "ই মেইল"),
    "street2": ("street2", "address 2", "address line 2", "flat", "apartment", "floor", "ফ্ল্যাট"),
    "street": (
        "address", "street", "address line 1", "house", "installation address", "ঠিকানা", "রাস্তা",
        "বাড়ি",
    ),
    "city": ("city", "area", "town", "zone", "thana", "upazila", "এলাকা", "শহর", "থানা", "জোন"),
    "zip": ("zip", "zip code", "postcode", "post code", "postal code", "pin", "pin code",
            "পোস্ট কোড", "পোস্টকোড"),
    "lang": ("language", "lang", "ভাষা"),
    "plan": ("plan", "package", "plan name", "package name", "internet package", "plan code",
             "package code", "profile", "service plan", "প্যাকেজ", "প্ল্যান", "প্যাকেজের নাম"),
    "price": (
        "price", "monthly price", "monthly charge", "monthly charges", "monthly fee",
        "monthly bill", "bill amount", "package price", "rate", "fee", "amount", "মূল্য", "মাসিক বিল",
        "মাসিক ফি", "বিল", "টাকা", "দাম",
    ),
    "state": ("status", "state", "connection status", "client status", "অবস্থা", "স্ট্যাটাস"),
    "date_start": (
        "start date", "connection date", "activation date", "joining date", "join date",
        "installation date", "connected on", "connected since", "joined on", "service since", "start", "since", "সংযোগের তারিখ", "শুরুর তারিখ",
        "সংযোগ তারিখ",
    ),
    "date_end": ("end date", "termination date", "left on", "disconnected on", "disconnect date", "service until", "until", "end",
                 "শেষের তারিখ", "বন্ধের তারিখ"),
    "opening_billed_through": ("billed before", "billed until", "billed through", "paid until",
                               "next bill date", "next billing date", "পরবর্তী বিলের তারিখ"),
    "anchor_day": ("billing day", "bill day", "billing date", "bill date", "due day", "বিলের দিন",
                   "বিলের তারিখ"),
    "ipv4_address": ("ip", "ip address", "static ip", "ipv4", "static ipv4", "real ip", "public ip",
                     "আইপি"),
    "mac_addresses": ("mac", "mac address", "caller id", "mac lock", "ম্যাক"),
    "note": ("note", "notes", "remark", "remarks", "comment", "comments", "মন্তব্য", "নোট"),
}  # fmt: skip


def normalise_heading(text):
    """``text`` in lower case with single blanks between its words, so that spellings meet."""
    text = unicodedata.normalize("NFC", text).casefold()
    kept = (sign if unicodedata.category(sign)[0] in "LMN" else " " for sign in text)
    return " ".join("".join(kept).split())


def guess_targets(columns):
    """``{target: column}`` for the headings that are understood, each column once."""
    free = {normalise_heading(column): column for column in columns}
    guessed = {}
    for target, words in SYNONYMS.items():
        for word in words:
            if column := free.pop(normalise_heading(word), None):
                guessed[target] = column
                break
    return guessed


def heading_fingerprint(columns):
    """The same short text for every file with these headings, in whatever order."""
    text = "\n".join(sorted(map(normalise_heading, columns)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
