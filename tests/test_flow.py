"""The whole job as it runs on Azure: timer, queue, units, seal, a bundle over HTTP, a link, the command `verify`; and events on their way in.

The runtime is the real one, blobs and queues are those of the emulator, behind a layer that keeps evidence under a locked policy, gives
the identity the right to add and no other, and hands out user-delegation keys. The clock is the machine's.
"""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.local.authorship import Actor
from infra.local.clock import real_time
from infra.local.resource_events import resource_events
from shared import layout
from shared.service.steps.change import WINDOW
from tests.fixtures import told
from tests.fixtures.app import arrived, deployed, event, principal, small
from tests.test_blobs import with_token

pytestmark = [pytest.mark.needs("functions"), pytest.mark.needs("azurite")]

COMMAND = Path(sys.executable).with_name("aoai-evidence")
AUDITOR, OPERATOR = principal("Evidence.Reader"), principal("Evidence.Operator")


@pytest.fixture
def app(tmp_path, azurite, worm):
    with deployed(tmp_path, azurite, world=lambda _: small(real_time), blob=worm.endpoint, real_clock=True) as made:
        from functions import process

        worm.policy, worm.add_only = "locked", True
        process.app().store.service = with_token(worm)  # keys for links are given to tokens alone
        yield made


def test_from_the_timer_to_a_bundle_that_verifies(app, worm, tmp_path):
    app.host.timer("sweep")
    app.host.pump(layout.COLLECT_QUEUE)
    app.host.timer("seal")
    app.host.timer("watch")

    status, headers, asked = app.http("request_bundle", "POST", "/api/bundles", headers=OPERATOR, body=b'{"framework":"soc2"}')
    assert (status, headers["Location"]) == (202, f"/api/bundles/{asked['id']}")
    where = {"headers": AUDITOR, "params": {"id": headers["Location"].rpartition("/")[2]}}
    assert app.http("bundle", "GET", headers["Location"], **where)[2]["state"] == "queued"
    app.host.pump(layout.BUNDLE_QUEUE)
    _, _, built = app.http("bundle", "GET", headers["Location"], **where)
    assert built["state"] == "built"

    file = tmp_path / "bundle.zip"
    status, headers, _ = app.http("portal", "GET", "/api/portal/", headers=AUDITOR, params={"page": f"bundles/{asked['id']}/file"})
    assert (status, urlsplit(headers["Location"]).path) == (303, urlsplit(built["link"]).path), "the portal leads there"
    with urllib.request.urlopen(headers["Location"]) as answer:  # nobody is logged in here
        file.write_bytes(answer.read())
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{asked["id"]}.zip"'
    assert file.stat().st_size == built["bytes"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(built["link"]).query).items()}
    assert (query["sp"], query["sr"]) == ("r", "b")
    assert timedelta(0) < datetime.fromisoformat(query["se"]) - datetime.now(UTC) <= timedelta(minutes=15)
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(built["link"].replace(asked["id"], asked["id"][:-1] + "x"))

    key = tmp_path / "auditor.vkey"
    key.write_text(app.estate.vkey)
    done = subprocess.run([COMMAND, "--json", "verify", file, "--key", key], capture_output=True, text=True, cwd=tmp_path)
    verdict = json.loads(done.stdout)
    assert (done.returncode, verdict["intact"], verdict["gaps"], verdict["problems"]) == (0, True, [], []), done.stdout
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert subprocess.run([COMMAND, "verify", file, "--key", key], capture_output=True, cwd=tmp_path).returncode == 1

    assert app.host.failures == []
    assert app.estate.azure.violations == [], "whoever collects only looks"
    assert all(app.host.poison(queue) == [] for queue in layout.QUEUES)
    assert sorted(app.store.list(layout.STATE + "open/")) == sorted(app.store.list(layout.ALERTS)) == sorted(app.store.list(layout.PLAN_HEADERS)) == []
    assert app.sound().exit_code == 0


def test_an_event_in_either_schema_is_a_record_and_its_account_is_collected_within_moments(tmp_path, azurite):
    with deployed(tmp_path, azurite, in_folder=True) as app:
        app.sweep()
        one, two = (app.world.account(f"small-{name}") for name in ("one", "two"))
        app.world.set_property(one, "/properties/publicNetworkAccess", "Disabled")
        app.world.put_deployment(two, "late", sku="GlobalStandard")
        app.clock.advance(seconds=69.5)  # half a second before the end of a window: somebody must wait for it here
        app.host.send(layout.CHANGE_QUEUE, event(one, 1))
        app.host.send(layout.CHANGE_QUEUE, event(f"{two}/deployments/late", 2, cloud=True, operation="Microsoft.CognitiveServices/accounts/deployments/write"))
        started = app.clock()
        app.host.pump(layout.CHANGE_QUEUE)
        assert app.host.waiting(layout.COLLECT_QUEUE) == [], "not before the window is over: an event that comes now must be answered too"
        arrived(app, layout.COLLECT_QUEUE, 2)
        app.host.pump(layout.COLLECT_QUEUE)
        app.clock.advance(seconds=1)
        app.settle()

        events = [record["event"] | {"about": record["resource"]} for _, record in app.estate.records("event") if record["kind"] == "resource"]
        assert sorted((e["id"], e["about"]) for e in events) == [("e-1", one.lower()), ("e-2", two.lower())]
        plans = [record for _, record in app.estate.records("sweep-planned")][1:]
        assert sorted((plan["cause"]["ref"], *plan["scope"]["resources"]) for plan in plans) == [("e-1", one.lower()), ("e-2", two.lower())]
        assert all((datetime.fromisoformat(plan["at"]) - started).total_seconds() < 10 for plan in plans)
        _, _, changed = app.http("changes", "GET", "/api/changes")
        assert {(item["kind"], item["resource"].rpartition("/")[2]) for item in changed["items"]} == {("account", "small-one"), ("deployments", "late")}
        evidence = b"".join(app.store.get(path) for path in app.store.list(layout.EVIDENCE))
        assert b"ada@example.org" not in evidence and b"203.0.113.7" not in evidence
        app.sound()


def test_from_the_event_to_the_alert_in_less_than_a_minute(tmp_path, azurite):
    """By the clock of the stand-in, each timer and queue as late as it can be: what remains is for Azure to answer in."""
    host = json.loads((Path(__file__).parents[1] / "host.json").read_text())["extensions"]["queues"]
    poll = timedelta(seconds=int(host["maxPollingInterval"].rpartition(":")[2]))
    with told.Told(told.slack) as people, deployed(tmp_path, azurite, in_folder=True) as app:
        app.sweep()
        (tmp_path / "receivers.toml").write_text(f'[receiver.people]\nkind = "slack"\naddress = "{people.url}/x"\nseverity = "info"\n')
        from functions import process

        process.app().settings = replace(process.app().settings, alert_receivers=str(tmp_path / "receivers.toml"))
        process.app().__dict__.pop("receivers", None)  # as another process has them
        account = app.world.account("small-one")
        app.world.set_property(account, "/properties/publicNetworkAccess", "Disabled")
        began = app.clock()
        app.host.send(layout.CHANGE_QUEUE, event(account))
        app.host.timer("seal")  # half a second too early: the next run is the one that finds it
        app.clock.advance(seconds=poll.total_seconds())
        app.host.pump(layout.CHANGE_QUEUE)
        arrived(app, layout.COLLECT_QUEUE)
        app.clock.advance(seconds=WINDOW)
        app.clock.advance(seconds=poll.total_seconds())
        app.host.pump(layout.COLLECT_QUEUE)
        app.clock.advance(seconds=30)
        assert people.taken == []
        app.host.timer("seal")
        assert len(people.taken) == 1 and "small-one" in told.text_of(people.taken[0])
        assert app.clock() - began < timedelta(seconds=50)
        for name in ("seal", "watch", "seal"):
            app.host.timer(name)
        assert len(people.taken) == 1 and app.host.failures == []
        app.sound()


def test_a_deployment_of_one_night_has_its_people_before_any_sweep(tmp_path, azurite):
    """Added at night, deleted before the next sweep: event, collection, record, with the runtime and the queues."""
    with deployed(tmp_path, azurite, in_folder=True) as app:
        app.sweep()
        account = app.world.account("small-one")
        closed = len(app.closings())
        people = (Actor("eve@example.org"), Actor("mal@example.org"))
        for number, (actor, act) in enumerate(zip(people, (lambda: app.world.put_deployment(account, "night", sku="GlobalStandard"),
                                                           lambda: app.world.delete_deployment(account, "night")), strict=True)):  # fmt: skip
            since = app.clock.advance(hours=1)
            app.world.actor = actor
            act()
            for message in resource_events(app.world, since):
                app.host.send(layout.CHANGE_QUEUE, json.dumps(message).encode())
            app.host.pump(layout.CHANGE_QUEUE)
            arrived(app, layout.COLLECT_QUEUE, 1)
            app.clock.advance(seconds=11)
            app.host.pump(layout.COLLECT_QUEUE)
            app.settle()
            assert len(app.closings()) == closed + number + 1
        _, _, changed = app.http("changes", "GET", "/api/changes")
        told = [(item["resource"].rpartition("/")[2], item["attribution"]["change"]["op"], item["attribution"]["by"], item["attribution"]["outcome"])
                for item in changed["items"]]  # fmt: skip
        assert sorted(told) == [("night", "added", people[0].object_id, "succeeded"), ("night", "removed", people[1].object_id, "succeeded")]
        assert app.estate.azure.violations == [] and app.host.failures == []
        app.sound()
