"""Secrets at rest: encrypted, or found again by a keyed hash. The keys live outside the database."""

from __future__ import annotations

from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from huijia.errors import Fault

KEY_BYTES = 32
_NONCE_BYTES, _TAG_BYTES = 12, 16
_DISTINCT_MIN = 16  # 32 random bytes hold about 30 distinct ones; fewer than 16 never happens


class Unreadable(Fault):
    """A ciphertext that does not open here: moved, damaged, or made under a key that is not at hand."""


def generate_keys(known: dict[int, bytes] | None = None) -> dict[int, bytes]:
    """`known` keys with a new, newest one. Keep the old ones as long as anything was encrypted with them."""
    known = known or {}
    return {**known, max(known, default=0) + 1: token_bytes(KEY_BYTES)}


class Vault:
    """Encrypts with the newest key and opens what any of its keys made.

    A context, `table:row:field`, says where a ciphertext belongs (the key version is added here). The same
    bytes in another row or field do not open. Raises ValueError for keys that are short or weak.
    """

    def __init__(self, keys: dict[int, bytes]) -> None:
        for version, key in keys.items():
            _check(version, key)
        if not keys:
            raise ValueError(
                "A vault needs a key; make one with `generate_keys()` and keep it with a backup."
            )
        self._keys = dict(keys)
        self._ciphers = {version: AESGCM(_derive(key, "encrypt")) for version, key in keys.items()}
        self.newest = max(keys)

    def __repr__(self) -> str:
        return f"Vault(versions={sorted(self._keys)})"

    def encrypt(self, context: str, plain: bytes) -> bytes:
        """Key version, nonce and ciphertext in one."""
        nonce = token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self.newest].encrypt(nonce, plain, _bound(context, self.newest))
        return self.newest.to_bytes(2) + nonce + sealed

    def decrypt(self, context: str, sealed: bytes) -> bytes:
        """What `encrypt` was given, for the same context. Raises Unreadable otherwise."""
        version, nonce, body = int.from_bytes(sealed[:2]), sealed[2:14], sealed[14:]
        if version not in self._ciphers or len(body) < _TAG_BYTES:
            raise Unreadable(
                f"{context} is damaged, or of key version {version}, and there are {sorted(self._keys)}. "
                "Put a missing key back from where it was kept, or restore the value from a backup."
            )
        try:
            return self._ciphers[version].decrypt(nonce, body, _bound(context, version))
        except InvalidTag:
            raise Unreadable(
                f"{context} does not open: it was changed, or moved from another row or field. "
                "Restore this value from a backup."
            ) from None

    def keyed_hash(self, purpose: str, text: str, version: int | None = None) -> bytes:
        """32 bytes to look `text` up by, under the newest key or that of `version`.

        Another purpose gives unrelated bytes. Not for what can be guessed by someone who may ask.
        """
        code = hmac.HMAC(_derive(self._keys[version or self.newest], f"hash:{purpose}"), hashes.SHA256())
        code.update(text.encode())
        return code.finalize()

    def keyed_hashes(self, purpose: str, text: str) -> list[bytes]:
        """The hash under every key, newest first: look-ups use all while rows of an older key remain."""
        return [self.keyed_hash(purpose, text, version) for version in sorted(self._keys, reverse=True)]


def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=f"huijia:{purpose}".encode()).derive(key)


def _bound(context: str, version: int) -> bytes:
    return f"{context}:{version}".encode()


def _check(version: int, key: bytes) -> None:
    if not 0 < version < 65536:
        raise ValueError(f"Key version {version} is not between 1 and 65535; number the keys 1, 2, 3 …")
    if len(key) != KEY_BYTES or len(set(key)) < _DISTINCT_MIN:
        raise ValueError(
            f"Key version {version} is not {KEY_BYTES} random bytes; make one with `generate_keys()`."
        )
