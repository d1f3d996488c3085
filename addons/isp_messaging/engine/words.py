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
        if not word.isascii() or not (
            _is_letter(plain[position - 1 : position]) or _is_letter(plain[end : end + 1])
        ):
            return True
        position = plain.find(word, position + 1)
    return False


def _is_letter(char):
    return bool(char) and char.isascii() and char.isalnum()


def is_bangla(text):
    """Whether a text is written in Bangla; names of brands in Latin letters do not change that."""
    letters = [char for char in text or "" if char.isalpha()]
    bangla = [char for char in letters if "\u0980" <= char <= "\u09ff"]
    return len(bangla) * 2 > len(letters)
