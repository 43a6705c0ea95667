"""The configuration of the evidence store itself: collected like everything else, judged, sealed, and judged again by the verifier."""

from dataclasses import replace

import pytest

from infra.local import faults
from infra.local.storage_shape import put_evidence_account
from shared.collect.endpoints import ENDPOINTS
from shared.collect.plan import is_storage_id
from shared.deliver.verify.bundle import verify_bundle
from shared.deliver.verify.store import verify_store
from shared.errors import Misuse
from shared.judge.checks.collection import Collection
from shared.judge.checks.store import STORE_KINDS, store_configuration
from shared.judge.collected import collection_of
from shared.judge.engine import judge_sweep
from shared.judge.profile import DEFAULT
from shared.model import Answer, Evidence
from shared.seal import note
from shared.service.bundle import bundle
from shared.service.doctor import doctor
from tests.fixtures.estate import estate
from tests.test_crash import small

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


def judged(store, source="storage account", profile=DEFAULT):
    found = judge_sweep(Collection(7, "2026-11-22T18:00:00.000000Z", storage_source=source, store=store), profile)
    return next(judgement for control, judgement in found if control == "store-configuration")


def answers(account=None, container=None, policy=None, **failures):
    """Evidence as it should be, but for what is said."""
    bodies = {
        "storageAccount": {"allowSharedKeyAccess": False, "allowBlobPublicAccess": False, "supportsHttpsTrafficOnly": True, **(account or {})},
        "blobService": {},
        "evidenceContainer": {"publicAccess": "None", **(container or {})},
        "evidenceImmutability": {"immutabilityPeriodSinceCreationInDays": 400, "state": "Locked", **(policy or {})},
    }
    found = {}
    for number, (kind, properties) in enumerate(bodies.items()):
        properties = {name: value for name, value in properties.items() if value != "absent"}
        failure = failures.get(kind)
        found[kind, "/x"] = Answer(kind, "/x", 10 + number, () if failure else ({"properties": properties},), failure, None if failure else 200)
    return Evidence("/x", found)


@pytest.mark.parametrize(("changed", "status", "words"), [
    ({}, "satisfied", "locked policy"),
    ({"policy": {"state": "locked"}}, "satisfied", "locked policy"),
    ({"policy": {"state": "Unlocked"}}, "not-satisfied", "not locked"),
    ({"policy": {"state": "Unlocked", "immutabilityPeriodSinceCreationInDays": 0}}, "not-satisfied", "no retention policy"),
    ({"policy": {"state": "absent"}}, "not-satisfied", "no retention policy"),
    ({"policy": {"state": "Frozen"}}, "unknown", "not known"),
    ({"policy": {"state": 7}}, "unknown", "a string is due"),
    ({"account": {"allowSharedKeyAccess": True}}, "not-satisfied", "shared keys"),
    ({"account": {"allowSharedKeyAccess": "absent"}}, "not-satisfied", "shared keys"),
    ({"account": {"allowSharedKeyAccess": "false"}}, "unknown", "true or false"),
    ({"account": {"supportsHttpsTrafficOnly": False}}, "not-satisfied", "without TLS"),
    ({"account": {"allowBlobPublicAccess": "absent"}}, "satisfied", "no anonymous readers"),
    ({"account": {"allowBlobPublicAccess": True}, "container": {"publicAccess": "Blob"}}, "not-satisfied", "open to anybody"),
    ({"container": {"publicAccess": "Blob"}}, "satisfied", ""),
    ({"account": {"allowSharedKeyAccess": True}, "policy": {"state": "Unlocked"}}, "not-satisfied", "not locked; the account takes shared keys"),
    ({"evidenceImmutability": "forbidden"}, "unknown", "may not read it"),
    ({"storageAccount": "not-found"}, "unknown", "no such thing"),
    ({"blobService": "forbidden"}, "satisfied", ""),
])  # fmt: skip
def test_what_is_not_as_it_should_be_is_named(changed, status, words):
    found = judged(answers(**changed))
    assert found.status == status, found.reason
    assert words in found.reason
    if status in ("satisfied", "not-satisfied"):
        assert {10, 11, 12, 13} <= {point.record for point in found.points}


def test_a_directory_has_no_configuration_and_an_account_that_is_not_named_is_unknown():
    assert judged(None, "directory").status == judged(None, None).status == "not-applicable"
    unnamed = judged(None)
    assert unnamed.status == "unknown" and "EVIDENCE_STORE_ID" in unnamed.reason


def test_the_questions_are_rows_of_the_table():
    assert tuple(endpoint.kind for endpoint in ENDPOINTS if endpoint.scope == "store") == STORE_KINDS
    assert store_configuration and collection_of


@pytest.mark.parametrize("text", ["", "evidence01", "/subscriptions/x/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/UPPER-1",
                                  "/subscriptions/x/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a1b2/extra",
                                  "/subscriptions/x/resourceGroups/r?g/providers/Microsoft.Storage/storageAccounts/a1b2"])  # fmt: skip
def test_what_is_no_storage_account_is_refused_before_anything_is_asked(tmp_path, text):
    assert not is_storage_id(text)
    if text:
        with estate(tmp_path, small) as site:
            with pytest.raises(Misuse, match="EVIDENCE_STORE_ID"):
                site.collect(settings={"store_id": text})
            assert site.azure.requests == []


@pytest.fixture
def site(tmp_path):
    with estate(tmp_path, small) as made:
        made.settings = replace(made.settings, store_id=put_evidence_account(made.azure.world, SUBSCRIPTION))
        yield made


def test_it_is_collected_while_planning_and_nobody_is_named(site, tmp_path):
    assert not site.collect().missing
    found = [(index, r) for index, r in site.records("observation", "failure") if r["kind"] in STORE_KINDS]
    assert [r["kind"] for _, r in found] == list(STORE_KINDS)
    assert all(r["unit"] == "plan" and r["type"] == "observation" and r["resource"] == site.settings.store_id.lower() for _, r in found)
    body = site.store.get(f"evidence/body/sha256/{found[3][1]['pages'][0]['sha256'][:2]}/{found[3][1]['pages'][0]['sha256']}")
    assert b'"Locked"' in body and b"keeper@example.com" not in body and b'"upn":{"committed"' in body
    keys = [note.parse_vkey(site.vkey)]
    assert verify_store(site.store, keys).intact
    for options in ({}, {"resources": ["alpha"]}):
        out = tmp_path / "b.zip"
        bundle(site.reading(), None, out, **options)
        assert verify_bundle(out, keys).intact
    site.reading()


def test_what_cannot_be_read_is_a_failure_of_the_sweep(site):
    site.azure.faults.add("immutabilityPolicies", faults.forbidden())
    done = site.collect()
    assert "evidenceImmutability" in {failure["kind"] for failure in done.failures}
    rights = [check.found for check in doctor(site.settings, site.clock) if check.mark == "failed"]
    assert any("immutabilityPolicies/read" in found for found in rights)
    assert verify_store(site.store, [note.parse_vkey(site.vkey)]).intact


@pytest.mark.needs("azurite")
def test_in_an_account_both_controls_speak_and_the_verifier_says_the_same(azurite, worm, tmp_path):
    azurite.fresh()
    worm.policy, worm.days = "locked", 400
    with estate(tmp_path, small, account=worm.endpoint) as site:
        unnamed = collected(site)
        assert unnamed["store-worm"] == "satisfied" and unnamed["store-configuration"] == "unknown"
        store_id = put_evidence_account(site.azure.world, SUBSCRIPTION)
        site.settings = replace(site.settings, store_id=store_id)
        assert set(collected(site).values()) == {"satisfied"}
        put_evidence_account(site.azure.world, SUBSCRIPTION, state="Unlocked", allowSharedKeyAccess=True)
        worm.policy = "unlocked"
        assert set(collected(site).values()) == {"not-satisfied"}
        assert verify_store(site.store, [note.parse_vkey(site.vkey)]).intact


def collected(site):
    """Collect, and give the last status of the two controls about the store."""
    site.collect()
    return {r["control"]: r["status"] for _, r in site.records("finding") if r["control"] in ("store-worm", "store-configuration")}
