"""Random histories: what people and Azure do in some accounts over days, out of a seed, so that what was concluded can be held against the truth.

    history = History(seed=7)
    while …:
        history.pass_hours(6)                  # things happen meanwhile, each at its moment
        sweep(history.world); …                # look at the world by any means
    history.world.truth.deletions("file")

The same seed makes the same history. Everything that reconciliation must bear with is in it: deletions by token and by key, refused ones, objects
that nobody sees (made and deleted between two looks), expiry, automatic deletions, jobs that end by themselves, logging switched on, off and to the
wrong category, rows lost on the way, accounts deleted, restored, purged and made anew under their name, data planes that cannot be reached, deployments
made anew, deletions that were promised and did not happen, and witnesses whose clocks differ.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from infra.local.authorship import Actor, Caller
from infra.local.clock import Clock
from infra.local.ids import account_name, guid
from infra.local.world import World

START = datetime(2026, 5, 4, tzinfo=UTC)
PEOPLE = (Actor("annika.holm@brightwater.example"), Actor("marcus.bell@brightwater.example"), Actor(guid("pipeline"), "Application"))

OUTAGES = ({"dead": True}, {"lacks": ("files/read",)}, {"lacks": ("*",)}, {"keys_only": True}, {"v1": False}, {"dated": False})


class History:
    """A world with a past that grows. `clock` is the world's; `sweeps_may_fail` lets data planes be out of reach at times."""

    def __init__(self, seed: int, *, accounts: int = 2, start: datetime = START, sweeps_may_fail: bool = True) -> None:
        self.random = random.Random(seed)
        self.clock = Clock(start)
        self.world = World(self.clock)
        self.subscription = guid("history", seed)
        self.workspace = (
            f"/subscriptions/{self.subscription}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/history"
        )
        self._names = [f"account-{number}" for number in range(accounts)]
        self._sweeps_may_fail = sweeps_may_fail
        self._begin()

    def pass_hours(self, hours: float, *, busy: float = 1.5) -> None:
        """Let time pass (or some minutes more), and `busy` things an hour happen meanwhile, at random moments."""
        now = self.clock()
        moments = sorted(self.random.uniform(0, hours * 3600) for _ in range(round(hours * busy)))
        for seconds in moments:
            self._reach(now + timedelta(seconds=seconds))
            self.world.actor = self.random.choice(PEOPLE)
            self.random.choices(self._deeds, self._weights)[0]()
        self._reach(now + timedelta(hours=hours))

    def _reach(self, moment: datetime) -> None:
        self.clock.jump_to(max(self.clock(), moment))
        self.world.pass_time()

    @property
    def _deeds(self) -> list[Callable[[], None]]:
        return [deed for deed, _ in self._all]

    @property
    def _weights(self) -> list[int]:
        return [weight for _, weight in self._all]

    def _begin(self) -> None:
        world, chance = self.world, self.random
        world.add_subscription(self.subscription, "history")
        world.automatic_deletions = True
        world.logs_automatic_deletions = chance.random() < 0.5
        world.logs.twice = chance.random() < 0.7
        world.logs.properties_as = chance.choice(("text", "object"))
        world.logs.skew = timedelta(seconds=chance.choice((0, 0, -200, 45, 240)))
        world.activity.skew = timedelta(seconds=chance.choice((0, 0, -90, 150)))
        world.data.calls = chance.choice(("v1", "dated"))
        world.data.keeps_deleted = chance.random() < 0.2
        common, rare = 12, 2
        self._all: list[tuple[Callable[[], None], int]] = [
            (self._upload, 3 * common),
            (self._delete_file, 2 * common),
            (self._pass_by, common),
            (self._train, common),
            (self._delete_job, common // 2),
            (self._run_batch, common // 2),
            (self._keep_vectors, common // 2),
            (self._use_tools, common // 3),
            (self._deploy, common // 2),
            (self._undeploy, common // 3),
            (self._fail, common // 3),
            (self._read_keys, rare),
            (self._switch_logging, rare),
            (self._lose_rows, rare),
            (self._move_account, rare),
            (self._act_elsewhere, common // 3),
            *([(self._break_or_mend, rare)] if self._sweeps_may_fail else []),
        ]
        for name in self._names:
            account = world.create_account(self.subscription, "rg-history", name)
            if chance.random() < 0.8:
                world.put_diagnostic_setting(account, "logs", ["allLogs"], workspace=self.workspace)

    def _account(self) -> str | None:
        held = self.world.accounts()
        return self.random.choice(held) if held else None

    def _one(self, collection: str) -> tuple[str, str] | None:
        """Some account and some object in it."""
        account = self._account()
        if account is None:
            return None
        bodies = [self.world.data.body(account, collection, one) for one in self.world.data.ids(account, collection)]
        held = [str(body["id"]) for body in bodies if body.get("status") != "deleted"]
        return (account, self.random.choice(held)) if held else None

    def _caller(self) -> Caller:
        return Caller(self.world.actor, keyed=self.random.random() < 0.25)

    def _upload(self) -> None:
        if account := self._account():
            lasts = timedelta(hours=self.random.randint(1, 48)) if self.random.random() < 0.3 else None
            purpose = self.random.choice(("fine-tune", "batch", "assistants"))
            self.world.data.upload_file(account, purpose=purpose, expires_after=lasts, caller=self._caller())

    def _delete_file(self) -> None:
        if found := self._one("files"):
            self.world.data.delete_file(*found, caller=self._caller())

    def _pass_by(self) -> None:
        """A file that is there for minutes: hardly any inventory sees it."""
        if account := self._account():
            file = self.world.data.upload_file(account, caller=self._caller())
            self._reach(self.clock() + timedelta(seconds=self.random.randint(5, 600)))
            if account in self.world.resources:
                self.world.data.delete_file(account, file, caller=self._caller())

    def _train(self) -> None:
        if found := self._one("files"):
            account, file = found
            job = self.world.data.start_job(account, file, minutes=self.random.randint(10, 400), caller=self._caller())
            if self.random.random() < 0.2:
                self.world.data.finish_job(account, job, safe=False)

    def _delete_job(self) -> None:
        if found := self._one("finetuningjobs"):
            self.world.data.delete_job(*found, caller=self._caller())
        elif found := self._one("finetunedmodels"):
            self.world.data.delete_model(*found, caller=self._caller())

    def _run_batch(self) -> None:
        if found := self._one("files"):
            account, file = found
            batch = self.world.data.start_batch(account, file, caller=self._caller())
            if self.random.random() < 0.7:
                self.world.data.finish_batch(account, batch, expires_after=timedelta(hours=12) if self.random.random() < 0.5 else None)
            else:
                self.world.data.cancel_batch(account, batch, caller=self._caller())

    def _keep_vectors(self) -> None:
        found = self._one("vectorstores")
        if found and self.random.random() < 0.5:
            self.world.data.delete_store(*found, caller=self._caller())
        elif file := self._one("files"):
            days = self.random.choice((None, None, 1, 3))
            self.world.data.create_store(file[0], files=file[1:], days=days, caller=self._caller())

    def _use_tools(self) -> None:
        if account := self._account():
            self.world.data.create_container(account, caller=self._caller())
            self.world.data.create_assistant(account, caller=self._caller())
        if (found := self._one("assistants")) and self.random.random() < 0.5:
            self.world.data.delete_assistant(*found, caller=self._caller())

    def _deploy(self) -> None:
        if account := self._account():
            name, sku = f"deployment-{self.random.randint(0, 5)}", self.random.choice(("Standard", "GlobalStandard", "DeveloperTier"))
            models = self.world.data.ids(account, "finetunedmodels")
            model = self.random.choice(models) if models and self.random.random() < 0.5 else "gpt-4o"
            if f"{account}/deployments/{name}" in self.world.resources:
                self.world.delete_deployment(account, name)
                self._reach(self.clock() + timedelta(seconds=self.random.randint(1, 300)))
            if account in self.world.resources:
                self.world.put_deployment(account, name, model=model, sku=sku)

    def _undeploy(self) -> None:
        account = self._account()
        held = self.world.children(account, "deployments") if account else []
        if account and held:
            name = str(self.random.choice(held)["name"])
            match self.random.randint(0, 5):
                case 0:
                    self.world.attempt("delete", f"{account}/deployments/{name}")
                case 1:
                    self.world.promise_deletion(f"{account}/deployments/{name}")
                case 2:
                    self.world.use(account, name)
                case _:
                    self.world.delete_deployment(account, name)

    def _fail(self) -> None:
        """Deletions that did not come to anything, and calls that leave nothing behind."""
        if account := self._account():
            operation = self.random.choice(("files.delete", "jobs.delete", "stores.delete", "threads.delete", "responses.delete", "chat"))
            status = 200 if operation in ("threads.delete", "responses.delete", "chat") else self.random.choice((404, 403, 429, 500))
            self.world.data.call(account, operation, status=status, caller=self._caller())

    def _read_keys(self) -> None:
        if account := self._account():
            self.world.list_keys(account)

    def _switch_logging(self) -> None:
        if account := self._account():
            setting = f"{account}/providers/Microsoft.Insights/diagnosticSettings/logs"
            if setting in self.world.resources and self.random.random() < 0.5:
                self.world.delete(setting)
            else:
                logs = self.random.choice((["allLogs"], ["RequestResponse", "Audit"], ["audit"], ["-RequestResponse", "Trace"]))
                self.world.put_diagnostic_setting(account, "logs", logs, workspace=self.workspace, dedicated=self.random.random() < 0.2)

    def _lose_rows(self) -> None:
        if account := self._account():
            self.world.logs.lose(account, lost=self.random.random() < 0.5)

    def _act_elsewhere(self) -> None:
        """What is none of our business, or not quite: other resources, rights above the accounts, policies that find fault."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/rg-other/providers"
        other = self.random.choice((f"{group}/Microsoft.Storage/storageAccounts/files", f"{group}/Microsoft.KeyVault/vaults/keys"))
        with self.world.lock:
            record = self.world.activity.record
            record(self.clock(), self.random.choice(("write", "delete")), other, self.world.actor)
            record(self.clock(), "write", f"{other}/providers/microsoft.insights/diagnosticSettings/all", self.world.actor)
            if account := self._account():
                self.world.activity.record_policy(self.clock(), account, self.world.actor)
        self.world.put_role_assignment(f"/subscriptions/{self.subscription}", "Reader", guid("group", self.random.random()))

    def _break_or_mend(self) -> None:
        if account := self._account():
            if self.random.random() < 0.5:
                self.world.data.admit(account)
            else:
                self.world.data.refuse(account, **self.random.choice(OUTAGES))

    def _move_account(self) -> None:
        """An account goes, comes back, goes for good, or is made anew under its name."""
        gone = [str(body["id"]) for body in self.world.deleted_accounts(self.subscription)]
        there = {account_name(account).name for account in self.world.accounts()}
        if gone and self.random.random() < 0.7:
            name = gone[0].rpartition("/")[2]
            account = f"/subscriptions/{self.subscription}/resourceGroups/rg-history/providers/Microsoft.CognitiveServices/accounts/{name}"
            (self.world.restore_account if self.random.random() < 0.6 else self.world.purge_account)(account)
        elif missing := [name for name in self._names if name not in there and not gone]:
            self.world.create_account(self.subscription, "rg-history", missing[0])
        elif len(there) > 1 and (chosen := self._account()):
            self.world.delete_account(chosen)
