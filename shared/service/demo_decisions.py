"""The part of the demo that people play: a state is approved, a document is filed, an alert comes, and somebody answers for a finding until a day."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.canonical import Json
from shared.deliver.whole_file import whole_file
from shared.service import baseline, exhibit, queries, standing, waiver
from shared.service.collect import collect
from shared.service.drifted import drifted
from shared.service.sweep import SweepResult
from shared.settings import Settings

if TYPE_CHECKING:
    from infra.local.receiver import Receiver
    from shared.service.demo import Say, Site

HEAD, SECRET = "Head of Platform", "a secret of the demo, and of nothing else"
LETTER = "letter-of-approval.txt"
EXPOSED = "public-network-access"
"""The control that is waived."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of it."""

    alerts: int
    repeated: int
    """Alerts that came although nothing had changed."""
    waived: int
    drifted: int


def approved(site: "Site", say: "Say") -> None:
    """Somebody looks at the quiet days, and says that all is as it should be; and files what the provider wrote to him."""
    sealed = baseline.approve(site.settings, None, owner=HEAD, reason="reviewed by the change board", now=site.clock)
    letter = site.folder / LETTER
    with whole_file(letter) as file:
        file.write(b"Modified abuse monitoring is approved for the subscription. (A letter of the demo: nobody wrote it.)\n")
    since, until = (f"{site.clock() + timedelta(days=days):%Y-%m-%d}" for days in (-30, 300))
    asked = exhibit.Asked(letter, issuer="Example provider", covers=f"{since}..", expires=until, keep=True)
    filed = exhibit.add(site.settings, "approval-letter", asked, owner=HEAD, reason="answer to our application", now=site.clock)
    say(f"   the state is approved as a baseline (record {sealed.record}), and the provider's letter is filed as an exhibit (record {filed.record})")


def alerted(site: "Site", receiver: "Receiver", say: "Say") -> SweepResult:
    """The sweep that finds what somebody did, and tells a receiver of it."""
    done = collect(_told(site, receiver), by="schedule", now=site.clock)
    worst = next(one for one in receiver.taken if EXPOSED in one["controls"])
    say(f"   {len(receiver.taken)} alerts came to {receiver.url}, each signed and once; one of them, key {worst['key'][:12]}…, records {worst['records']}:")
    for mean in worst["means"]:
        say(f"      [{mean['severity']}] {mean['text']}")
    say(f"      who: {worst['who']['text']}")
    say(f"      it {worst['baseline']['text']}")
    return done


def answered(site: "Site", receiver: "Receiver", resource: str, say: "Say") -> Decided:
    """The finding is waived until a day; the next sweep alerts nobody, and the finding is still what the evidence says."""
    came, until = len(receiver.taken), f"{site.clock() + timedelta(days=30):%Y-%m-%d}"
    sealed = waiver.add(site.settings, EXPOSED, resource, until=until, owner=HEAD, reason="a supplier needs it until the private link is there", now=site.clock)
    say(f"   {EXPOSED} is waived there until {until}, by whom and why sealed in record {sealed.record}")
    site.clock.advance(hours=6)
    collect(_told(site, receiver), by="schedule", now=site.clock)
    read = queries.reading(site.settings)
    waived = standing.status(read, site.clock)["waived"].get(EXPOSED, 0)
    states: list[Json] = [one for one in drifted(read, queries.Filter()) if one["state"] in ("drifted", "new", "gone")]
    say(f"   the next sweep: {len(receiver.taken) - came} alerts; the finding is not satisfied, and waived; {len(states)} resources are not as approved")
    return Decided(came, len(receiver.taken) - came, waived, len(states))


def _told(site: "Site", receiver: "Receiver") -> Settings:
    return replace(site.settings, alert_webhooks=(receiver.url,), alert_secret=SECRET)
