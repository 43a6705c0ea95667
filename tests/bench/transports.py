"""What one GET costs a client in processor time, by way of asking: the figures of docs/adr/0003. Microseconds per request, user and system.

    python tests/bench/transports.py [requests]        prints a table; 3,000 requests for each figure unless told

The server is asyncio in a process of its own, on loopback, without TLS; it answers every request with one account of about 3.6 KB.
"""

import asyncio
import http.client
import json
import multiprocessing
import sys
import threading
import time
from functools import partial

GROUP = "/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/rg"
TARGET = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/chat?api-version=2025-09-01"
HEADERS = {"Authorization": "Bearer local", "Accept": "application/json"}
THREADS = (1, 16)


def account():
    """An answer of the usual size; a typed model has to find its fields in it."""
    rules = [{"key": f"rule.{n}", "renewalPeriod": 1, "count": 30, "matchPatterns": [{"path": "openai/*", "method": "*"}]} for n in range(27)]
    capabilities = [*({"name": f"Capability{n}"} for n in range(12)), {"name": "ContentLogging", "value": "false"}]
    properties = {"endpoint": "https://chat.openai.azure.com/", "capabilities": capabilities, "callRateLimit": {"rules": rules}}
    return {"id": TARGET.partition("?")[0], "name": "chat", "kind": "OpenAI", "location": "swedencentral", "properties": properties}


def serve(pipe):
    body = json.dumps(account()).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nx-ms-request-id: 1\r\n\r\n%b" % (len(body), body)

    async def talk(reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main():
        server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=100)
        pipe.send((server.sockets[0].getsockname()[1], len(body)))
        await server.serve_forever()

    asyncio.run(main())


def clients(base):
    """(name, makes a function that asks once and gives what came): one such function for each thread."""
    import pycurl
    import requests
    import urllib3
    from azure.core.pipeline import Pipeline
    from azure.core.pipeline.policies import ContentDecodePolicy, HeadersPolicy
    from azure.core.pipeline.transport import RequestsTransport
    from azure.core.rest import HttpRequest
    from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

    from shared.collect.transport import CurlTransport

    def plain():
        connection = http.client.HTTPConnection(base.removeprefix("http://"))
        return lambda: (connection.request("GET", TARGET, headers=HEADERS), connection.getresponse().read())[1]

    def curl():
        handle = pycurl.Curl()
        handle.setopt(pycurl.URL, base + TARGET)
        handle.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in HEADERS.items()])
        return handle.perform_rb

    def pipeline(transport):
        kept = Pipeline(transport, [HeadersPolicy(HEADERS)])
        return lambda: kept.run(HttpRequest("GET", base + TARGET)).http_response.body()

    def typed():
        policies, subscription = [HeadersPolicy(HEADERS), ContentDecodePolicy()], GROUP.split("/")[2]
        client = CognitiveServicesManagementClient(object(), subscription, base_url=base, policies=policies)
        return lambda: client.accounts.get("rg", "chat")

    pool = urllib3.PoolManager(maxsize=max(THREADS))
    yield "http.client", plain
    yield "urllib3", lambda: lambda: pool.request("GET", base + TARGET, headers=HEADERS).data
    yield "requests", lambda: partial(lambda kept: kept.get(base + TARGET, headers=HEADERS).content, requests.Session())
    yield "azure-core pipeline over requests", lambda: pipeline(RequestsTransport())
    yield "azure-mgmt-cognitiveservices, typed get", typed
    yield "pycurl", curl
    yield "azure-core pipeline over our transport", lambda: pipeline(CurlTransport(timeouts=(10.0, 20.0), proxies=False))


def cost(make, threads, count):
    """Microseconds of this process for each request."""
    ready = threading.Barrier(threads + 1)

    def work():
        ask = make()
        for _ in range(20):  # connections are open then, imports done
            assert ask()
        ready.wait()
        for _ in range(count // threads):
            ask()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    [worker.start() for worker in workers]
    ready.wait()
    start = time.process_time()
    [worker.join() for worker in workers]
    return (time.process_time() - start) / (count // threads * threads) * 1e6


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    ours, theirs = multiprocessing.Pipe()
    multiprocessing.Process(target=serve, args=(theirs,), daemon=True).start()
    port, size = ours.recv()
    print(f"{count} requests, answers of {size} bytes; CPU µs per request\n{'':<42}{'1 thread':>10}{'16 threads':>12}")
    for name, make in clients(f"http://127.0.0.1:{port}"):
        print(f"{name:<42}" + "".join(f"{cost(make, threads, count):>{width}.0f}" for threads, width in zip(THREADS, (10, 12), strict=True)))
