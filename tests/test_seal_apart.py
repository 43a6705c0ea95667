"""The timer `seal` seals, has others vouch, and tells receivers: each goes on, whatever became of the other two, and the run fails where one did."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from shared import alarms, layout
from tests.fixtures.app import Answering, running, tiny
from tests.fixtures.authority import Authority
from tests.fixtures.estate import estate
from tests.fixtures.host import worker
from tests.fixtures.steps import Queues
from tests.test_outbox import SECRET, Hooked

pytestmark = [pytest.mark.needs("functions"), pytest.mark.needs("openssl")]


@pytest.fixture
def made(tmp_path, local_vault):
    """An app whose key is in a vault, which two people hear of, and whose sweep is collected and not sealed."""
    local_vault.add_key("evidence")
    key = f"{local_vault.endpoint}/keys/evidence"
    with estate(tmp_path, tiny, start=datetime.now(UTC) - timedelta(days=10), signing_key=key) as site, Authority(tmp_path / "authority") as authority:
        app, queues, hook = Answering(site, Queues(), ""), Queues(), Hooked(site.clock)
        app.vault, app.authority, app.hook = local_vault, authority, hook
        told = {"EVIDENCE_TSA_URL": authority.url, "EVIDENCE_ALERT_WEBHOOKS": f"{hook.server.url}/hook", "EVIDENCE_ALERT_SECRET": SECRET}

        @contextmanager
        def having(**settings):
            with running({**app.environment, "EVIDENCE_SIGNING_KEY": key, **told, **settings}, site.clock, queues):
                yield

        app.having = having
        try:
            with having():
                assert worker().timer("sweep")[0]
                assert all(worker().queue("collect_unit", message)[0] for message in queues.take(layout.COLLECT_QUEUE))
            yield app
        finally:
            hook.server.stop()


def stamped(app):
    return [path for path in app.estate.store.list(layout.CHECKPOINTS) if path.endswith(".tsr")]


def test_receivers_hear_that_nothing_is_sealed_while_nothing_can_be_sealed(made):
    made.vault.permissions = frozenset({"keys/get"})
    with made.having():
        assert worker().timer("watch")[0]
        made.estate.clock.advance(minutes=20)
        assert worker().timer("watch")[0]
        worked, _, _, error, _ = worker().timer("seal")
        assert not worked and "not allowed to sign" in error, "the run fails all the same"
        assert alarms.BATCH_UNSEALED in [alert.get("alarm") for alert in made.hook.taken]
        assert stamped(made), "what was sealed before is vouched for"


def test_a_witness_that_cannot_be_keeps_nobody_from_sealing_or_from_hearing_of_it(made):
    made.vault.permissions = frozenset({"keys/get"})
    with made.having():
        assert worker().timer("watch")[0]
        made.estate.clock.advance(minutes=20)
        assert worker().timer("watch")[0]
    made.vault.permissions = frozenset({"keys/get", "keys/sign"})
    with made.having(EVIDENCE_WITNESSES="witness.example+00000000+AAAAAAAAAAAAAAAAAAAAAAAA http://127.0.0.1:9"):
        worked, _, _, error, _ = worker().timer("seal")
        assert not worked and "EVIDENCE_WITNESSES" in error
        assert made.hook.taken
    assert [closed["missing"] for _, closed in made.estate.records("sweep-closed")] == [[]]


def test_receivers_that_cannot_be_keep_nobody_from_sealing_or_from_vouching(made):
    with made.having(EVIDENCE_ALERT_RECEIVERS="not-there.toml"):
        worked, _, _, error, _ = worker().timer("seal")
        assert not worked and "not-there.toml" in error
        assert stamped(made)
    assert [closed["missing"] for _, closed in made.estate.records("sweep-closed")] == [[]]
