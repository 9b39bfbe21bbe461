from __future__ import annotations

import pytest
from huijia.storage.vault import Unreadable, Vault, generate_keys

CONTEXT = "huijia_person:7:number"
CARD = "410105194910010028"


def test_what_was_encrypted_is_read_again_in_its_own_context_only() -> None:
    vault = Vault(generate_keys())
    sealed = vault.encrypt(CONTEXT, CARD.encode())
    assert vault.decrypt(CONTEXT, sealed) == CARD.encode()
    assert CARD.encode() not in sealed
    with pytest.raises(Unreadable, match="moved from another row or field"):
        vault.decrypt("huijia_person:8:number", sealed)


def test_the_same_text_never_looks_the_same_twice() -> None:
    vault = Vault(generate_keys())
    assert vault.encrypt(CONTEXT, b"x") != vault.encrypt(CONTEXT, b"x")


def test_a_new_key_encrypts_and_the_old_one_still_reads() -> None:
    first = generate_keys()
    sealed = Vault(first).encrypt(CONTEXT, b"x")
    both = Vault(generate_keys(first))
    assert both.newest == 2
    assert both.decrypt(CONTEXT, sealed) == b"x"
    assert both.encrypt(CONTEXT, b"x")[:2] == b"\x00\x02"
    with pytest.raises(Unreadable, match="key version 2"):
        Vault(first).decrypt(CONTEXT, both.encrypt(CONTEXT, b"x"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),  # one bit of the tag
        lambda sealed: sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:],  # one bit of the text
        lambda sealed: b"\x00\x02" + sealed[2:],  # passed off as another key's
        lambda sealed: sealed[:10],  # cut
        lambda _sealed: b"",  # nothing
    ],
)
def test_a_damaged_ciphertext_is_refused(spoil) -> None:
    vault = Vault(generate_keys(generate_keys()))
    sealed = Vault({1: vault._keys[1]}).encrypt(CONTEXT, b"a text of some length")
    with pytest.raises(Unreadable):
        vault.decrypt(CONTEXT, spoil(sealed))


def test_hashes_are_the_same_for_one_purpose_and_unrelated_for_another() -> None:
    first = generate_keys()
    vault = Vault(first)
    assert vault.keyed_hash("person", CARD) == vault.keyed_hash("person", CARD)
    assert vault.keyed_hash("person", CARD) != vault.keyed_hash("card", CARD)
    assert vault.keyed_hash("person", CARD) != Vault(generate_keys()).keyed_hash("person", CARD)
    rotated = Vault(generate_keys(first))
    assert rotated.keyed_hashes("person", CARD)[1] == vault.keyed_hash("person", CARD)


@pytest.mark.parametrize(
    "keys",
    [
        {},  # none at all
        {1: b"short"},
        {1: bytes(32)},  # zeros
        {1: b"password" * 4},  # long enough, and eight different bytes
        {0: bytes(range(32))},  # no such version
        {1: bytes(range(33))},  # too long: some of it would not count
    ],
)
def test_weak_keys_are_refused_at_once(keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="generate_keys" if keys.keys() != {0} else "number the keys"):
        Vault(keys)


def test_a_vault_does_not_show_its_keys() -> None:
    keys = generate_keys()
    assert keys[1].hex() not in repr(Vault(keys))
    assert repr(Vault(keys)) == "Vault(versions=[1])"
