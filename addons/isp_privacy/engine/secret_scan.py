"""The search for secrets in a finished package: the second line of defence.

The first one is the data map, which does not export them. This file knows nothing of it: it looks
for the secrets themselves and for what secrets look like.
"""

import html
import json
import re

WINDOW_BYTES = 1 << 16
# The longest thing that is searched for, so that none is cut in two between windows.
OVERLAP_BYTES = 1 << 12

PATTERNS = {
    "password hash": rb"\$(?:pbkdf2-sha\d+|2[aby]|argon2\w*|[156])\$[^\s,\"']{16,}",
    "encrypted value": rb"v1:[A-Za-z0-9_-]{1,32}:[A-Za-z0-9+/]{38,}={0,2}",
    "private key": rb"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "token of a link": rb"(?i)[?&;](?:[a-z_]*token|hash)=(?!\[removed\])[^&#\s\"'<>\\]{8,}",
    "signed token": rb"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
}
_PATTERNS = {name: re.compile(pattern) for name, pattern in PATTERNS.items()}


class SecretScanner:
    """Looks for known secrets and for what looks like one.

    :param secrets: texts that must not be in the package
    :param is_leaked_in: function that tells whether a text holds a key of the installation
    """

    def __init__(self, secrets=(), is_leaked_in=None):
        forms = {form.encode() for secret in secrets for form in _forms(secret)}
        self._known = None
        if forms:
            words = b"|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
            self._known = re.compile(rb"(?<!\w)(?:" + words + rb")(?!\w)")
        self._is_leaked_in = is_leaked_in

    def scan(self, stream):
        """Return what the first finding in a binary stream is, None when there is none.

        Never what was found itself: the answer is written down.
        """
        tail = b""
        while chunk := stream.read(WINDOW_BYTES):
            window = tail + chunk
            if finding := self._look(window):
                return finding
            tail = window[-OVERLAP_BYTES:]
        return None

    def _look(self, window):
        if self._known and self._known.search(window):
            return "secret of the person"
        for name, pattern in _PATTERNS.items():
            if pattern.search(window):
                return name
        if self._is_leaked_in and self._is_leaked_in(window.decode("utf-8", "replace")):
            return "key of this installation"
        return None


def _forms(secret):
    """How a secret may be written in JSON, CSV and HTML."""
    return {
        secret,
        json.dumps(secret, ensure_ascii=False)[1:-1],
        secret.replace('"', '""'),
        html.escape(secret),
        json.dumps(html.escape(secret), ensure_ascii=False)[1:-1],
    }
