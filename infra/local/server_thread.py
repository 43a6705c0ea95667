"""An asyncio server with a thread and a loop of its own: what the stand-in and its TLS endpoints run in."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future


class ServerThread:
    """Runs what `listen` makes until it is stopped; `leave` is called in the thread before the loop closes. Can be started again."""

    def __init__(
        self, name: str, listen: Callable[[], Coroutine[None, None, asyncio.Server]], leave: Callable[[], None] = lambda: None
    ) -> None:
        self._name = name
        self._listen = listen
        self._leave = leave
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; returns when connections are accepted. Raises what `listen` raises."""
        loop = self._loop = asyncio.new_event_loop()
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(loop, ready), name=self._name, daemon=True)
        self._thread.start()
        ready.result()

    def stop(self) -> None:
        """Close the server and end the thread. Does nothing if it does not run."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop = self._thread = None

    def _run(self, loop: asyncio.AbstractEventLoop, ready: Future[None]) -> None:
        try:
            server = loop.run_until_complete(self._listen())
        except OSError as error:
            loop.close()
            ready.set_exception(error)
            return
        # Told from within the loop: a stop that came before it ran would be lost, or end what is not to end.
        loop.call_soon(ready.set_result, None)
        try:
            loop.run_forever()
        finally:
            server.close()
            self._leave()
            loop.run_until_complete(_cancel(asyncio.all_tasks(loop)))
            loop.close()


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # lets transports close their sockets
