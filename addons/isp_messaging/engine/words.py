"""Words that sell something, and the script of a text."""

import unicodedata


def find(text, words):
    """Return those of ``words`` that a text has, in the order of ``words``.

    Latin words count as whole words only. In Bangla endings are glued to the word, so there a part
    of a word counts too.
    """
    plain = _fold(text)
    return [word for word in words if _has(plain, _fold(word).strip())]


def _fold(text):
    return unicodedata.normalize("NFC", text or "").casefold()


def _has(plain, word):
    position = plain.find(word) if word else -1
    while position >= 0:
        end = position + len(word)
        before, after = plain[max(position - 1, 0) : position], plain[end : end + 1]
        if not (_goes_on(before, word[0]) or _goes_on(word[-1], after)):
            return True
        position = plain.find(word, position + 1)
    return False


def _goes_on(char, following):
    """Whether two neighbours belong to one Latin word."""
    return all(one.isascii() and one.isalnum() for one in (char, following))


def is_bangla(text):
    """Whether a text is written in Bangla; names of brands in Latin letters do not change that."""
    letters = [char for char in text or "" if char.isalpha()]
    bangla = [char for char in letters if "\u0980" <= char <= "\u09ff"]
    return len(bangla) * 2 > len(letters)
