"""A person is erased: what opens the commitments is gone, that it was erased is sealed, and every proof still verifies."""

import json

import pytest

from shared import layout
from shared.deliver.verify.store import verify_store
from shared.errors import Misuse
from shared.privacy.disclosures import Disclosures
from shared.seal.note import parse_vkey
from shared.service.compose import random_bytes
from shared.service.erase import erase
from tests.fixtures.estate import estate


@pytest.fixture
def site(tmp_path):
    with estate(tmp_path) as made:
        made.collect()
        yield made


def people(site):
    """The personal values that can be opened, by commitment."""
    opened = {}
    disclosures = Disclosures(site.store, random_bytes)
    for path in site.store.list(layout.BODIES):
        for committed in commitments(json.loads(site.store.get(path))):
            found = disclosures.disclose(committed)
            if found:
                opened[committed] = found["value"]
    return opened


def commitments(value):
    if isinstance(value, dict):
        if set(value) == {"committed"}:
            yield value["committed"]
        for inner in value.values():
            yield from commitments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from commitments(inner)


def test_one_person_reads_as_one_pseudonym_and_is_erased_whole(site):
    before = people(site)
    mails = {value for value in before.values() if isinstance(value, str) and "@" in value}
    assert mails
    subject = sorted(mails)[0]
    erased = erase(site.settings, subject.upper(), reason="request 17", now=site.clock)
    after = people(site)
    assert set(before) - set(after) == set(erased) & set(before)
    assert not any(subject in json.dumps(value) for value in after.values())
    for path in site.store.list(layout.PERSONAL):
        if path != "personal/key":
            assert subject.encode() not in site.store.get(path).lower()
    sealed = [record for _, record in site.records("erasure")]
    assert [record["commitments"] for record in sealed] == [sorted(erased)]
    assert subject not in json.dumps(sealed)
    assert verify_store(site.store, [parse_vkey(site.vkey)]).intact


def test_what_is_collected_after_an_erasure_opens_under_another_pseudonym(site):
    before = people(site)
    subject = next(value for value in before.values() if isinstance(value, str) and "@" in value)
    erased = set(erase(site.settings, subject, now=site.clock))
    site.clock.advance(hours=6)
    site.collect()
    again = {commitment for commitment, value in people(site).items() if value == subject}
    assert again and not again & erased
    assert verify_store(site.store, [parse_vkey(site.vkey)]).intact


def test_nothing_to_erase_is_said(site):
    with pytest.raises(Misuse, match="nothing that names"):
        erase(site.settings, "nobody@example.org", now=site.clock)
    with pytest.raises(Misuse, match="empty"):
        erase(site.settings, " ", now=site.clock)


def test_mode_keep_keeps_and_cannot_erase(tmp_path):
    from dataclasses import replace

    from shared.service.collect import collect
    from shared.service.init import init

    with estate(tmp_path) as site:
        settings = replace(site.settings, store=str(tmp_path / "kept"), personal_data="keep")
        init(settings, now=site.clock)
        collect(settings, now=site.clock)
        from shared.seal.store import DirectoryStore

        store = DirectoryStore(tmp_path / "kept")
        bodies = b"".join(store.get(path) for path in store.list(layout.BODIES))
        assert b"createdBy" in bodies and b'"committed"' not in bodies and b"@" in bodies
        assert b"withheld" in bodies
        with pytest.raises(Misuse, match="keep"):
            erase(settings, "x@y.example", now=site.clock)
