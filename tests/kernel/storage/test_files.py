from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from huijia.errors import Forbidden, NotFound
from huijia.i18n import speaking
from huijia.identity.actor import Actor
from huijia.storage.base import KernelBase, new_id
from huijia.storage.files import File, FileTooLarge, FileUnsuitable, keep_file, read_file
from huijia.storage.work import Storage, WorkSession

JPEG, PNG, WEBP = b"\xff\xd8\xff\xe0 a photo", b"\x89PNG\r\n\x1a\n a photo", b"RIFF\x10\x00\x00\x00WEBPVP8 "
HERE, ELSEWHERE = new_id(), new_id()
WANG = Actor("staff", new_id(), "wang", frozenset({"rooms.see"}))


@pytest.fixture
def storage(engine_url: str, clock) -> Iterator[Storage]:
    storage = Storage(engine_url, clock=clock)
    KernelBase.metadata.create_all(storage.engine, tables=[File.__table__])
    yield storage
    storage.close()


def keep(session: WorkSession, body: bytes = JPEG, **other):
    return keep_file(
        session, **{"body": body, "name": "x.jpg", "permission": "", "now": session.now, **other}
    )


def test_a_photo_comes_back_as_it_was_kept(storage: Storage, both_engines: str) -> None:
    with storage.writing(centre_id=HERE, actor=WANG) as session:
        file_id = keep(session, name="礼堂.jpg", media_type="image/jpeg")
    with storage.reading(centre_id=HERE, actor=WANG) as session:
        file = read_file(session, file_id)
    assert (file.body, file.media_type, file.name, file.size) == (JPEG, "image/jpeg", "礼堂.jpg", len(JPEG))
    assert (file.sha256, file.created_by) == (hashlib.sha256(JPEG).hexdigest(), str(WANG.id))


@pytest.mark.parametrize(
    ("body", "said", "kept_as"),
    [
        (JPEG, "", "image/jpeg"),
        (JPEG, "image/jpg", "image/jpeg"),  # a common misspelling
        (PNG, "image/png", "image/png"),
        (WEBP, "IMAGE/WEBP; q=1", "image/webp"),
    ],
)
def test_the_kind_is_found_in_the_file_itself(storage: Storage, body: bytes, said: str, kept_as: str) -> None:
    with storage.writing(centre_id=HERE) as session:
        assert session.get(File, keep(session, body, media_type=said)).media_type == kept_as


@pytest.mark.parametrize(
    ("body", "said", "what_next"),
    [
        (b"", "image/png", "save it as one of these"),
        (b"<svg onload=alert(1)>", "image/svg+xml", "save it as one of these"),
        (b"GIF89a", "image/gif", "save it as one of these"),
        (b" " + JPEG, "image/jpeg", "save it as one of these"),  # the sign is not at the start
        (b"RIFF\x10\x00\x00\x00WAVE", "image/webp", "save it as one of these"),
        (PNG, "image/jpeg", "right ending"),
        (JPEG, "text/html", "right ending"),
    ],
)
def test_other_kinds_and_false_names_are_refused(
    storage: Storage, body: bytes, said: str, what_next: str
) -> None:
    with speaking("en"), storage.writing() as session, pytest.raises(FileUnsuitable, match=what_next):
        keep(session, body, media_type=said)


def test_five_megabytes_are_kept_and_one_byte_more_is_not(storage: Storage) -> None:
    with storage.writing() as session:
        keep(session, JPEG.ljust(5 * 1024 * 1024))
        with speaking("en"), pytest.raises(FileTooLarge, match="larger than 5 MB; send a smaller"):
            keep(session, JPEG.ljust(5 * 1024 * 1024 + 1))


@pytest.mark.parametrize(
    ("name", "kept_as"),
    [
        ('a"b\r\nSet-Cookie: x.jpg', "a b Set-Cookie: x.jpg"),
        ("../../etc/passwd", ".. .. etc passwd"),
        ("", "photo"),
        ("長" * 300, "長" * 200),
    ],
)
def test_a_name_is_made_harmless(storage: Storage, name: str, kept_as: str) -> None:
    with storage.writing() as session:
        assert session.get(File, keep(session, name=name)).name == kept_as


def test_another_centres_file_is_not_there(storage: Storage) -> None:
    with storage.writing(centre_id=ELSEWHERE) as session:
        file_id = keep(session)
    with storage.reading(centre_id=HERE) as session, pytest.raises(NotFound):
        read_file(session, file_id)
    with storage.reading() as session, pytest.raises(NotFound):
        read_file(session, file_id)


def test_a_file_of_the_installation_is_seen_everywhere(storage: Storage) -> None:
    with storage.writing() as session:
        file_id = keep(session)
    with storage.reading(centre_id=HERE) as session:
        assert read_file(session, file_id).body == JPEG


def test_a_guarded_file_needs_its_permission(storage: Storage) -> None:
    with storage.writing(centre_id=HERE) as session:
        guarded, shown = keep(session, permission="people.sensitive"), keep(session, permission="rooms.see")
    with storage.reading(centre_id=HERE, actor=WANG) as session:
        assert read_file(session, shown).body == JPEG
        with pytest.raises(Forbidden, match=r"people\.sensitive"):
            read_file(session, guarded)
    with storage.reading(centre_id=HERE) as session, pytest.raises(Forbidden):
        read_file(session, guarded)
