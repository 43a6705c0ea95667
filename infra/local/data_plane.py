"""Verbs of an account's data plane, second half: vector stores, assistants, containers, and calls that leave nothing behind.

`DataPlane` is all of it, as `World.data`. Vector stores and containers may expire by themselves, counted from when they were last used.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from infra.local import data_shapes as shapes
from infra.local.authorship import Caller
from infra.local.data_access import Access
from infra.local.data_store import Held
from infra.local.data_training import FILES, Training
from infra.local.ids import fold
from infra.local.state import State
from infra.local.truth import Happening

Json = Any

STORES, ASSISTANTS, CONTAINERS = "vectorstores", "assistants", "containers"


class DataPlane(Training):
    """The data planes of all accounts of a world."""

    def __init__(self, world: State) -> None:
        super().__init__(world)
        self.plain_models = False
        """Models of `/openai/v1` in OpenAI's shape, without Azure's fields: which of the two Azure gives is not documented."""
        self.retired_status = 410
        """What the retired API of assistants answers with."""
        self._access: dict[str, Access] = {}

    def access(self, account: str) -> Access:
        """Who gets in: to be read; `refuse` and `admit` change it."""
        return self._access.get(fold(account), Access())

    def refuse(self, account: str, **changed: Any) -> None:
        """Change who gets in (fields of `Access`): `lacks=("files/read",)`, `dead=True`, `v1=False`, … `admit` undoes all of it."""
        with self.world.changing() as (moment, _):
            self._access[fold(account)] = self.access(account).having(**changed)
            self.world.truth.note(Happening(moment, "outage-began", "account", fold(account), account=fold(account)))

    def reach(self, account: str) -> None:
        """The collector comes from within the account's private network: nothing of it keeps anybody out."""
        with self.world.changing():
            self._access[fold(account)] = self.access(account).having(inside=True)

    def admit(self, account: str) -> None:
        """Let everybody in who has a token, through the private network too; as before any `refuse`."""
        with self.world.changing() as (moment, _):
            self._access[fold(account)] = Access(inside=True)
            self.world.truth.note(Happening(moment, "outage-ended", "account", fold(account), account=fold(account)))

    def create_store(
        self,
        account: str,
        name: str | None = f"store {shapes.WORDS}",
        *,
        files: tuple[str, ...] = (),
        days: int | None = None,
        metadata: Mapping[str, str] | None = None,
        caller: Caller | None = None,
    ) -> str:
        """A vector store with files; its id. With `days` it expires when it was not used for so many."""
        caller = self.caller(caller)
        with self._changing(account) as moment:
            identity = self.identity("vs_", account)[:27]
            expires = None if days is None else moment + timedelta(days=days)
            rule = None if days is None else {"anchor": "last_active_at", "days": days}
            body = shapes.store_body(identity, moment, name, metadata=metadata, expires_after=rule, expires_at=expires)
            self._put(account, "vector-store", body, caller)
            for file in files:
                self._add(account, identity, file, moment, None)
            if expires is not None:
                self._expires(account, "vector-store", identity, expires)
            self.called(account, "stores.create", 200, caller)
        return identity

    def add_to_store(
        self, account: str, store: str, file: str, *, attributes: Mapping[str, Json] | None = None, caller: Caller | None = None
    ) -> None:
        """Put a file into a vector store; `attributes` are the user's words."""
        caller = self.caller(caller)
        with self._changing(account) as moment:
            self._add(account, store, file, moment, attributes)
            self.called(account, "stores.add", 200, caller)

    def remove_from_store(self, account: str, store: str, file: str, *, caller: Caller | None = None) -> None:
        """Take a file out of a vector store; the file itself stays."""
        caller = self.caller(caller)
        with self._changing(account):
            del self._within(account, f"{STORES}/{store}/files")[file]
            self._count(account, store)
            self.called(account, "stores.remove", 200, caller)

    def delete_store(self, account: str, store: str, *, caller: Caller | None = None) -> None:
        """Delete a vector store; its files stay."""
        self._delete(account, "vector-store", store, "stores.delete", caller)

    def create_assistant(
        self,
        account: str,
        name: str = f"assistant {shapes.WORDS}",
        *,
        model: str = "chat",
        instructions: str = f"You never tell anybody about {shapes.WORDS}.",
        description: str = f"Helps with {shapes.WORDS}",
        store: str | None = None,
        caller: Caller | None = None,
    ) -> str:
        """An assistant; its id."""
        caller = self.caller(caller)
        with self._changing(account) as moment:
            identity = self.identity("asst_", account)[:29]
            body = shapes.assistant_body(
                identity, moment, name, model=model, instructions=instructions, description=description, store=store
            )
            self._put(account, "assistant", body, caller)
            self.called(account, "assistants.create", 200, caller)
        return identity

    def delete_assistant(self, account: str, assistant: str, *, caller: Caller | None = None) -> None:
        """Delete an assistant."""
        self._delete(account, "assistant", assistant, "assistants.delete", caller)

    def create_container(
        self, account: str, name: str = f"container {shapes.WORDS}", *, minutes: int = 20, caller: Caller | None = None
    ) -> str:
        """A container; its id. It goes after `minutes` without use, and nothing uses it."""
        caller = self.caller(caller)
        with self._changing(account) as moment:
            identity = self.identity("cntr_", account)
            self._put(account, "container", shapes.container_body(identity, moment, name, minutes), caller)
            self._expires(account, "container", identity, moment + timedelta(minutes=minutes))
            self.called(account, "containers.create", 200, caller)
        return identity

    def delete_container(self, account: str, container: str, *, caller: Caller | None = None) -> None:
        """Delete a container."""
        self._delete(account, "container", container, "containers.delete", caller)

    def call(self, account: str, operation: str = "chat", *, status: int = 200, caller: Caller | None = None) -> None:
        """A call that leaves nothing in any list, by its short name in `infra.local.data_operations`: logs may know of it."""
        with self._changing(account):
            self.called(account, operation, status, self.caller(caller))

    def take(self, account: str) -> Held:
        """Take out all that an account holds, since the account goes; whoever was refused is not any more."""
        self._access.pop(fold(account), None)
        return super().take(account)

    def _delete(self, account: str, kind: str, identity: str, operation: str, caller: Caller | None) -> None:
        caller = self.caller(caller)
        with self._changing(account):
            self._drop(account, kind, identity, "deleted", caller)
            self.called(account, operation, 200, caller)

    def _add(self, account: str, store: str, file: str, moment: datetime, attributes: Mapping[str, Json] | None) -> None:
        size = self.body(account, FILES, file)["bytes"] or 0
        self.body(account, STORES, store)
        self._within(account, f"{STORES}/{store}/files")[file] = shapes.store_file_body(file, moment, store, size, attributes)
        self._count(account, store)

    def _count(self, account: str, store: str) -> None:
        held = len(self.objects(account, f"{STORES}/{store}/files"))
        body = self._kept(account, STORES, store)
        body["file_counts"] = {**body["file_counts"], "completed": held, "total": held}
