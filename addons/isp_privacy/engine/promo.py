"""A linter of messages of the service: they may not carry advertising, for nobody can refuse them."""

import re

# Words that sell something. In Bangla endings are glued to the word, so no word border follows.
_ENGLISH = (
    r"special offers?|limited[- ]time|limited offers?|best offers?|discounts?|promo|promotions?"
    r"|cashback|free trial|upgrade (?:now|today)|buy (?:now|one)|order now|refer (?:a|and) friend"
    r"|flash sale|deals? of the|save up to|\d+\s*% off"
)
_BANGLA = r"অফার|ডিসকাউন্ট|ছাড়|ছাড়|ক্যাশব্যাক|আপগ্রেড করুন|বিশেষ মূল্য"
_PROMO = re.compile(rf"\b(?:{_ENGLISH})\b|(?:{_BANGLA})", re.IGNORECASE)
_TAGS = re.compile(r"<[^>]*>")


def find_promo_words(*texts):
    """Return the advertising words in texts or HTML, each once, in the order they are found."""
    found = []
    for text in texts:
        # Tags go first: an attribute is no text, and a word may be split by a tag.
        plain = _TAGS.sub("", text or "")
        found += [match.group().lower() for match in _PROMO.finditer(plain)]
    return list(dict.fromkeys(found))
