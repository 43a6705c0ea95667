"""An address on loopback for each account: a port of its own, so that host and port name an account, as its host does in Azure.

    properties.endpoint = http://127.0.0.1:41234/       (or https, with one throw-away certificate for all)

Accounts that were given an endpoint keep it. An account that is deleted keeps its port, which then resets every connection, and has it again
when it is restored.
"""

import asyncio
import socket
import ssl
from functools import partial

from infra.local.account_shape import default_endpoint
from infra.local.connection import Connection, Service
from infra.local.ids import account_name, fold
from infra.local.world import World


class DataPorts:
    """The listeners of all accounts of a world, in the loop of the server."""

    def __init__(self, world: World, service: Service, tls: ssl.SSLContext | None) -> None:
        self._world = world
        self._service = service
        self._tls = tls
        self._urls: dict[str, str] = {}
        self._waiting: list[tuple[str, socket.socket]] = []
        self._servers: list[asyncio.Server] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self) -> None:
        """Take a port for each account, and let it name that; from now on for each new account too. Connections wait until `serve`."""
        with self._world.changing():
            for account in self._world.accounts():
                if self._is_ours(account):
                    self._world.resources.kept(account)["properties"]["endpoint"] = self._take(account)
            self._world.address = self._take

    async def serve(self) -> None:
        """Answer the connections of all ports taken so far, and of those taken from now on."""
        with self._world.lock:  # whoever takes a port holds it: none is missed
            self._loop = asyncio.get_running_loop()
            waiting, self._waiting = self._waiting, []
        for account, listener in waiting:
            await self._listen(account, listener)

    def close(self) -> None:
        """Close the ports; in the loop. New accounts get Azure's addresses again, accounts that had a port keep its address."""
        self._world.address = lambda account: None
        for server in self._servers:
            server.close()
        self._servers, self._loop = [], None

    def _is_ours(self, account: str) -> bool:
        body = self._world.resources.body(account)
        shown = str(body["properties"].get("endpoint"))
        return shown in (default_endpoint(str(body["kind"]), account_name(account).name), self._urls.get(fold(account)))

    def _take(self, account: str) -> str:
        if self._loop is not None and fold(account) in self._urls:
            return self._urls[fold(account)]
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        if self._loop is None:
            self._waiting.append((account, listener))
        else:
            asyncio.run_coroutine_threadsafe(self._listen(account, listener), self._loop)
        scheme = "http" if self._tls is None else "https"
        url = self._urls[fold(account)] = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/"
        return url

    async def _listen(self, account: str, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(partial(Connection, self._service, account), sock=listener, ssl=self._tls))
