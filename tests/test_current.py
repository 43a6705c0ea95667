"""Which sweep answers for now."""

from shared.service.current import collected_since, last_sweep


def summary(sweep, closed_record, missing=()):
    return {"sweep": sweep, "closed_record": closed_record, "missing": list(missing)}


SLOT, LATER = summary("20261101T000000Z", 10), summary("20261101T060000Z", 50)
EVENT = summary("20261101T010000Z-event-0123456789abcdef", 20)
AGAIN = summary("20261101T020000Z-event-0123456789abcdef", 30)
OTHER = summary("20261101T020000Z-event-fedcba9876543210", 40)
FAILED = summary("20261101T030000Z-event-0123456789abcdef", 45, ["account-0123456789abcdef"])


def test_an_event_does_not_make_a_sweep_the_last_one():
    assert last_sweep([SLOT, EVENT, OTHER]) == SLOT
    assert last_sweep([SLOT, EVENT, LATER]) == LATER
    assert last_sweep([EVENT]) == EVENT, "better than nothing"
    assert last_sweep([]) is None


def test_of_an_account_the_newest_collection_counts_that_brought_anything():
    assert collected_since([SLOT, EVENT, AGAIN, OTHER]) == {"account-0123456789abcdef": AGAIN, "account-fedcba9876543210": OTHER}
    assert collected_since([SLOT, EVENT, AGAIN, FAILED]) == {"account-0123456789abcdef": AGAIN}
    assert collected_since([SLOT, EVENT, LATER]) == {}
    assert collected_since([]) == {}
