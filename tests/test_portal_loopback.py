"""The portal on loopback: who gets in, what is taken from whom, and the command that starts and ends it."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from shared.service.portal.bundles import MOST_WAITING
from shared.service.portal.desk import Asked
from shared.service.steps.bundle import WAITING
from tests.test_architecture import ROOT
from tests.test_portal import Page, desk_of, get, served, site

__all__ = ["site"]


@pytest.fixture(scope="module")
def address(site):
    with served(site) as made:
        yield made


def ask(address, path="", *, method="GET", headers=None, body=None, skip_host=False):
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.putrequest(method, path if path.startswith("/") else parts.path + path, skip_host=skip_host)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def test_it_listens_on_loopback_alone_and_its_address_cannot_be_guessed(site, address):
    assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/[0-9a-f]{32}/", address)
    with served(site) as other:
        assert urlsplit(other).path != urlsplit(address).path
        assert ask(other, urlsplit(address).path)[0] == 404
    for path in ("/", "/portal.css", "/" + "0" * 32 + "/", urlsplit(address).path[:-1], "//", "/../" + urlsplit(address).path[1:]):
        status, _, body = ask(address, path)
        assert (status, b"Evidence portal" in body) == (404, False), path


@pytest.mark.parametrize("host", [
    "evil.example", "127.0.0.1.evil.example:{port}", "localhost.evil.example", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", "", "127.0.0.1:{port} x",
])  # fmt: skip
def test_a_name_that_is_made_to_lead_here_opens_nothing(address, host):
    status, _, body = ask(address, skip_host=True, headers={"Host": host.format(port=urlsplit(address).port)})
    assert (status, b"Evidence portal" in body) == (403, False)


def test_hosts_that_are_this_machine_and_none_or_two(address):
    port = urlsplit(address).port
    assert ask(address, skip_host=True, headers={"Host": f"LOCALHOST:{port}"})[0] == 200
    assert ask(address, skip_host=True)[0] == 403
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(f"GET {urlsplit(address).path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\n\r\n".encode())
        assert raw.recv(12) == b"HTTP/1.1 403"


def test_other_verbs_and_sizes(address):
    for method, status in (("PUT", 501), ("DELETE", 501), ("TRACE", 501), ("OPTIONS", 501)):
        assert ask(address, method=method)[0] == status
    head, headers, body = ask(address, method="HEAD")
    assert (head, body) == (200, b"") and int(headers["Content-Length"]) > 1000
    for length in (None, "x", "-1", "99999999", "9" * 30):
        assert ask(address, "bundles", method="POST", headers={"Content-Length": length} if length else {})[0] == 413
    long = b"from=" + b"9" * 60_000
    assert ask(address, "bundles", method="POST", headers={"Content-Length": str(len(long))}, body=long)[0] == 400
    assert ask(address, "?" + "&".join(f"a{n}=1" for n in range(50)))[0] == 400


def test_a_form_from_another_site_is_not_taken(address):
    host = f"http://127.0.0.1:{urlsplit(address).port}"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "none"}):
        assert ask(address, "bundles", method="POST", headers={**headers, "Content-Length": "0"}, body=b"")[0] == 403, headers
    status, headers, _ = ask(address, "bundles", method="POST", headers={"Origin": host, "Content-Length": "29"}, body=b"from=2031-01-01&to=2031-02-01")
    assert status == 303 and headers["Location"].startswith(urlsplit(address).path + "bundles/")


# -- the command ------------------------------------------------------------------------------------------------------------------


def command(*arguments):
    return subprocess.Popen([sys.executable, "-m", "shared", *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_command_prints_its_address_and_ends_in_good_order(site):
    process = command("portal", "--store", site.settings.store)
    try:
        address = process.stdout.readline().strip()
        assert ask(address)[0] == 200
        taken = command("portal", "--store", site.settings.store, "--port", str(urlsplit(address).port))
        _, err = taken.communicate(timeout=60)
        assert taken.returncode == 2 and err.count("\n") == 1 and "choose another with --port" in err
        assert ask(address, "bundles", method="POST", headers={"Content-Length": "0"}, body=b"")[0] == 303
        process.send_signal(signal.SIGINT)  # while a bundle is being built
        _, err = process.communicate(timeout=60)
        assert (process.returncode, "Traceback" in err) == (0, False), err
    finally:
        process.kill()


def test_a_limited_view_says_so_where_it_is_started(site):
    account = site.azure.world.accounts()[0]
    process = command("portal", "--store", site.settings.store, "--resource", account, "--to", "2026-11-01", "--expires", "2100-01-01")
    try:
        address = process.stdout.readline().strip()
        assert "Limited view. It shows /subscriptions/" in process.stderr.readline()
        status, _, body = ask(address, "resources")
        assert status == 200 and b"Limited view." in body and b"small-one" in body and b"small-two" not in body
        assert ask(address, "bundles", method="POST", headers={"Content-Length": "0"}, body=b"")[0] == 403
    finally:
        process.kill()
        process.communicate()
    for wrong in (("--resource", "small-one"), ("--expires", "soon"), ("--from", "2026-11-02", "--to", "2026-11-01")):
        process = command("portal", "--store", site.settings.store, *wrong)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 2 and err.startswith("aoai-evidence: ") and err.count("\n") == 1, wrong


def test_no_more_bundles_wait_than_a_disk_is_to_hold(site, tmp_path):
    desk = desk_of(site, folder=tmp_path)
    with desk.bundles._building:
        for _ in range(MOST_WAITING):
            assert desk.answer(Asked("POST", "bundles")).status == 303
        reply = desk.answer(Asked("POST", "bundles", body=b"disclose=ada%40example.org"))
        assert reply.status == 400 and "wait until one is" in Page(reply).words and b"ada@example.org" in reply.body
        assert Page(get(desk, "bundles")).words.count(": queued") == MOST_WAITING
    while any(state in WAITING for _, state in desk.bundles.listed()):
        time.sleep(0.01)
    assert {state for _, state in desk.bundles.listed()} == {"built"}


def test_no_store_is_said_at_once(tmp_path):
    process = command("portal", "--store", str(tmp_path / "none"), "--json")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2 and json.loads(out)["exit_code"] == 2
