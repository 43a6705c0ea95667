"""What is sent to strangers: once, to where it was said and nowhere else, and never waited for long."""

from datetime import UTC, datetime

import pytest

from infra.local.endpoints_tls import server_context, throw_away_certificate
from shared.seal import post
from shared.seal.attestor import Owed
from shared.seal.post import Post, is_public
from tests.fixtures.local_http import Served


def echo(method, path, headers, body):
    return 200, {}, f"{method} {path} {headers.get('Content-Type')} {headers.get('Expect')} ".encode() + body


def test_it_is_one_post_with_the_body_that_was_given():
    with Served(echo) as server:
        answer = Post(proxies=False)(f"{server.url}/a?b=c", b"\x00\xffbody" * 1000, {"Content-Type": "x/y"})
        assert (answer.status, answer.body) == (200, b"POST /a?b=c x/y None " + b"\x00\xffbody" * 1000)
        assert len(server.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(status):
    with Served(lambda *_: (status, {"Location": "http://127.0.0.1:1/"}, b"")) as server:
        answer = Post(proxies=False)(server.url, b"", {})
        assert answer.status == status
        assert "not followed" in str(answer.refused("x"))
        assert len(server.asked) == 1


@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("", None), ("9" * 40, 999999999.0)])
def test_how_long_it_asks_to_be_left_alone(said, seconds):
    with Served(lambda *_: (503, {"Retry-After": said}, b"")) as server:
        assert Post(proxies=False)(server.url, b"", {}).retry_after == seconds


def test_an_answer_without_end_is_cut_off():
    with Served(lambda *_: (200, {}, bytes(post.MAX_ANSWER + 1))) as server, pytest.raises(Owed, match="larger than"):
        Post(proxies=False)(server.url, b"", {})


def test_an_answer_that_trickles_is_not_waited_for(monkeypatch):
    import socket
    import threading
    import time

    monkeypatch.setattr(post, "SECONDS", 0.4)
    listener = socket.create_server(("127.0.0.1", 0))

    def trickle():
        connection, _ = listener.accept()
        with connection:
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100:
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    return
                time.sleep(0.05)

    thread = threading.Thread(target=trickle)
    thread.start()
    begun = time.monotonic()
    with pytest.raises(Owed, match="no answer within"):
        Post(proxies=False)(f"http://127.0.0.1:{listener.getsockname()[1]}", b"", {})
    assert time.monotonic() - begun < 3
    thread.join()
    listener.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:a00:1::",
        "2001:db8::1", "", "localhost", "168.63.129.16", "::ffff:168.63.129.16", "64:ff9b::a83f:8110", "::127.0.0.1", "::ffff:0:10.0.0.1", "::5efe:a00:1",
        "fec0::1", "64:ff9b:1::a00:1", "3fff::1", "5f00::1", "2001::f5ff:fffe",
    ],
)  # fmt: skip
def test_addresses_that_are_not_on_the_internet(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "20.60.1.2", "2603:1030::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_that_are(address):
    assert is_public(address)


def test_a_certificate_that_nobody_vouches_for_or_of_another_name_is_not_spoken_to(tmp_path):
    certificate, key = throw_away_certificate(days=2, now=datetime.now(UTC))
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(certificate)
    with Served(echo) as server:
        server._server.socket = server_context(certificate, key, "TLSv1.3", "TLSv1.3").wrap_socket(server._server.socket, server_side=True)
        with pytest.raises(Owed, match="its certificate is not trusted"):
            Post(proxies=False)(f"https://127.0.0.1:{server.port}/", b"secret", {})
        with pytest.raises(Owed, match="its certificate is not trusted"):
            Post(ca_file=str(authorities), proxies=False)(f"https://[::ffff:127.0.0.1]:{server.port}/", b"secret", {})
        assert server.asked == []
        assert Post(ca_file=str(authorities), proxies=False)(f"https://127.0.0.1:{server.port}/", b"x", {}).status == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f000001", "2130706433", "127.1"])
def test_what_is_for_the_internet_is_not_sent_to_this_machine_under_any_name(host):
    """A name is looked at when the connection is made: it may resolve to anything."""
    with Served(echo) as server:
        with pytest.raises(Owed, match="not on the internet|no connection|cannot be resolved"):
            Post(proxies=False, public=True)(f"http://{host}:{server.port}/", b"secret", {})
        assert server.asked == []
