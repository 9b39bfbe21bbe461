"""Passwords: their rules, and argon2 around them. A verification costs about 150 ms on purpose."""

from __future__ import annotations

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from huijia.errors import Invalid
from huijia.i18n import Text, messages

_ = messages("huijia")
LENGTH_MIN, LENGTH_MAX, DIFFERENT_MIN = 10, 200, 5
# Of the commonest only those long enough to pass the other rules.
_COMMON = """
1234567890 0123456789 0987654321 9876543210 12345678910 123456789a a123456789 1q2w3e4r5t q1w2e3r4t5
1qaz2wsx3edc qwertyuiop qwerty12345 qwerty123456 asdfghjkl; abcdefghij abc1234567 abcd123456 password123
password1234 passw0rd123 p@ssw0rd123 administrator admin12345 admin123456 woaini1314520 iloveyou123
"""
COMMONEST = frozenset(_COMMON.split())


class WeakPassword(Invalid):
    """The password is too easy to guess."""

    code = "weak-password"


class Passwords:
    """argon2 with its parameters. Tests set a quick `hasher`."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self.hasher = hasher

    def hash(self, password: str, *, username: str) -> str:
        """The hash to keep. Raises WeakPassword."""
        weakness = weakness_of(password.casefold(), username)
        if weakness is not None:
            raise WeakPassword(weakness, {"password": [weakness]})
        return self.hasher.hash(password)

    def match(self, kept: str | None, password: str) -> bool:
        """True where the password belongs to the hash. No hash costs as much as a wrong password."""
        try:
            return self.hasher.verify(kept or _nobodys(self.hasher), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False

    def renewed(self, kept: str, password: str) -> str:
        """The hash under the parameters of today."""
        return self.hasher.hash(password) if self.hasher.check_needs_rehash(kept) else kept


def weakness_of(password: str, username: str) -> Text | None:
    """What is wrong with a case-folded password, and what next; None for a good one."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        text = "A password has {least} to {most} characters; a short sentence does well."
        return _(text, least=LENGTH_MIN, most=LENGTH_MAX)
    if password == username or password in COMMONEST or len(set(password)) < DIFFERENT_MIN:
        return _("This password is among the first that anybody tries; choose a short sentence.")
    return None


@lru_cache(maxsize=4)
def _nobodys(hasher: PasswordHasher) -> str:
    return hasher.hash("nobody has this password")


PASSWORDS = Passwords(PasswordHasher())
