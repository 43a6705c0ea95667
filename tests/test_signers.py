"""What signs for the settings: which place is one, which version of a key, and that nothing is asked of what is surely no vault."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from shared.collect.clouds import vault_address
from shared.errors import Misuse
from shared.seal import note
from shared.seal.key_list import KeyList
from shared.seal.signing import create_key_file, new_private_key
from shared.seal.store import DirectoryStore
from shared.service.signers import FIRST, SECOND, first_place, place, second_place, signers, signers_at
from shared.settings import Settings

ORIGIN = "example.org/log"
VERSION = "0123456789abcdef0123456789abcdef"


def pem_of(algorithm):
    private = new_private_key(algorithm)
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def local(vault, **more):
    return Settings(store="x", cloud="loopback", signing_key=f"{vault.endpoint}/keys/evidence", **more)


# -- places --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cloud", "url"),
    [
        ("public", "https://contoso.vault.azure.net/keys/evidence-log"),
        ("public", f"https://contoso.vault.azure.net/keys/evidence-log/{VERSION}"),
        ("public", "https://CONTOSO.vault.azure.net:443/keys/Evidence/"),
        ("public", "https://contoso.managedhsm.azure.net/keys/evidence"),
        ("usgov", "https://contoso.vault.usgovcloudapi.net/keys/evidence"),
        ("china", "https://contoso.vault.azure.cn/keys/evidence"),
        ("loopback", "http://127.0.0.1:8443/keys/evidence"),
    ],
)
def test_what_is_surely_a_key_in_a_vault_of_the_cloud(cloud, url):
    found = place(url, Settings(store="x", cloud=cloud), FIRST)
    assert found.vault is not None
    assert vault_address(str(found), cloud) == found.vault
    assert found.of_any_version.vault.version is None


ELSEWHERE = [
    "https://contoso.vault.azure.net.evil.example/keys/k", "https://evil.example/keys/k", "https://contoso.vault.azure.net@evil.example/keys/k",
    "https://evil.example\\.vault.azure.net/keys/k", "https://contoso.vault.azure.net:8443/keys/k", "http://contoso.vault.azure.net/keys/k",
    "https://contoso.vault.azure.net/keys/k?x=1", "https://contoso.vault.azure.net/keys/k#x", "https://contoso.vault.azure.net/keys/k/../x",
    "https://contoso.vault.azure.net/keys/k/short", "https://contoso.vault.azure.net/keys", "https://contoso.vault.azure.net/secrets/k",
    "https://contoso.vault.azure.net/keys/k/" + VERSION + "/sign", "https://contoso.vault.azure.cn/keys/k", "https://a.b.vault.azure.net/keys/k",
    "https://vault.azure.net/keys/k", "https://contoso.vault.azure.net/keys/k\n", "https://contoso%2evault.azure.net/keys/k", "https:/contoso/keys/k",
    "http://127.0.0.1:1/keys/k", "HTTPS://evil.example/keys/k", "https://c\u00f6ntoso.vault.azure.net/keys/k", "https://[::1]/keys/k",
]  # fmt: skip


@pytest.mark.parametrize("url", ELSEWHERE)
def test_what_is_not_surely_one_is_refused_with_the_shape_that_is_expected(url):
    with pytest.raises(Misuse, match=r"EVIDENCE_SIGNING_KEY is .*it is https://VAULT\.vault\.azure\.net/keys/NAME"):
        place(url, Settings(store="x"), FIRST)


@pytest.mark.parametrize("url", ["http://127.0.0.2:1/keys/k", "http://localhost:1/keys/k", "https://127.0.0.1:1/keys/k", "https://contoso.vault.azure.net/keys/k"])
def test_on_loopback_a_vault_is_the_stand_in_alone(url):
    with pytest.raises(Misuse, match="it is http://127.0.0.1:PORT/keys/NAME"):
        place(url, Settings(store="x", cloud="loopback"), FIRST)


NAMES = st.from_regex(r"[A-Za-z0-9-]{1,9}", fullmatch=True) | st.text(max_size=20)
REST = st.sampled_from(["", ":443", "/", f"/{VERSION}"]) | st.text(max_size=20)


@given(st.sampled_from(["public", "usgov", "china"]), NAMES, REST, REST)
def test_whatever_else_stands_in_an_address_its_host_is_the_vaults(cloud, before, between, after):
    """Either nothing is asked of it, or every reader of URLs takes the same host for its own."""
    from urllib.parse import urlsplit

    from shared.collect.clouds import CLOUDS

    for domain in CLOUDS[cloud].vault_domains:
        for url in (f"https://{before}.{domain}{between}/keys/k{after}", f"https://{before}/{between}.{domain}/keys/{after}"):
            found = vault_address(url, cloud)
            if found is not None:
                assert urlsplit(found.vault).hostname.endswith(f".{domain}")
                assert urlsplit(str(found)).hostname == urlsplit(url).hostname
                assert urlsplit(url).port in (None, 443)


def test_a_path_is_a_file_and_nothing_set_is_beside_the_store(tmp_path):
    store = DirectoryStore(tmp_path / "store")
    assert first_place(Settings(store=str(tmp_path / "store")), store).file == tmp_path / "store.key.pem"
    assert first_place(Settings(store="x", signing_key="./mine.pem"), store).file.name == "mine.pem"
    assert second_place(Settings(store="x")) is None
    with pytest.raises(Misuse, match="nothing lies beside a storage account"):
        first_place(Settings(store="https://x.blob.core.windows.net"), object())


def test_the_second_key_is_a_secret_not_a_key():
    settings = Settings(store="x", second_signing_key="https://contoso.vault.azure.net/secrets/second")
    assert second_place(settings).vault.sort == "secrets"
    with pytest.raises(Misuse, match="EVIDENCE_SECOND_SIGNING_KEY is .*/secrets/NAME"):
        second_place(Settings(store="x", second_signing_key="https://contoso.vault.azure.net/keys/second"))


# -- versions ------------------------------------------------------------------------------------------------------------


def test_without_a_list_the_current_version_signs_and_with_one_the_version_that_it_names(local_vault, tmp_path):
    store, settings = DirectoryStore(tmp_path), local(local_vault)
    local_vault.add_key("evidence")
    [first], _ = signers(settings, store, ORIGIN)
    old = KeyList((first.key,), {str(first.key): first.identifier})
    local_vault.add_key("evidence")
    [second], _ = signers(settings, store, ORIGIN)
    assert first.key != second.key
    local_vault.requests.clear()
    [found], _ = signers(settings, store, ORIGIN, [old])
    assert found == first
    assert local_vault.requests == [], "a list that names the version needs no question"
    new = KeyList((second.key,), {str(second.key): second.identifier}, old.keys)
    found, _ = signers(settings, store, ORIGIN, [old, new])
    assert found == [first, second], "while a change is under way, both are at hand"


def test_a_version_that_is_named_is_the_only_one(local_vault, tmp_path):
    version = local_vault.add_key("evidence")
    settings = Settings(store="x", cloud="loopback", signing_key=f"{local_vault.endpoint}/keys/evidence/{version}")
    local_vault.add_key("evidence")
    [found] = signers_at(first_place(settings, DirectoryStore(tmp_path)), settings, ORIGIN)
    assert found.identifier.endswith(version)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/keys/evidence/" + VERSION, "http://127.0.0.1:1/keys/evidence/" + VERSION, "", "x"])
def test_a_list_does_not_say_where_to_ask(local_vault, tmp_path, elsewhere):
    """What is sealed names a version of the key that the setting names, or it is passed over."""
    local_vault.add_key("evidence")
    settings, store = local(local_vault), DirectoryStore(tmp_path)
    [real], _ = signers(settings, store, ORIGIN)
    [found], _ = signers(settings, store, ORIGIN, [KeyList((real.key,), {str(real.key): elsewhere})])
    assert found == real


def test_the_second_key_in_the_version_that_the_list_names_read_once(local_vault, tmp_path):
    local_vault.add_key("evidence")
    local_vault.add_secret("second", pem_of("ed25519"))
    settings, store = local(local_vault, second_signing_key=f"{local_vault.endpoint}/secrets/second"), DirectoryStore(tmp_path)
    _, [old] = signers(settings, store, ORIGIN)
    listed = [KeyList((old.key,), {str(old.key): old.identifier})]
    local_vault.add_secret("second", pem_of("ed25519"))
    assert signers(settings, store, ORIGIN)[1][0].key != old.key
    for _ in range(3):
        assert signers(settings, store, ORIGIN, listed)[1][0].key == old.key
    asked = [path for _, path, token in local_vault.requests if path == "/" + old.identifier.split("/", 3)[3] and token]
    assert len(asked) == 1, "a version of a secret never changes"


@pytest.mark.parametrize(
    ("text", "words"),
    [("ecdsa-p256", "is not an Ed25519 key"), ("x", "is not an unencrypted private key in PEM")],
    ids=["ecdsa", "no key"],
)
def test_what_cannot_be_the_second_key(local_vault, tmp_path, text, words):
    pem = pem_of(text) if text == "ecdsa-p256" else text
    local_vault.add_secret("second", pem)
    file = tmp_path / "second.pem"
    file.write_text(pem)
    for where in (f"{local_vault.endpoint}/secrets/second", str(file)):
        settings = Settings(store="x", cloud="loopback", second_signing_key=where)
        with pytest.raises(Misuse, match=words):
            signers_at(second_place(settings), settings, ORIGIN)


def test_a_file_that_is_not_there_names_its_setting(tmp_path):
    for setting, words in ((FIRST, "set EVIDENCE_SIGNING_KEY"), (SECOND, "set EVIDENCE_SECOND_SIGNING_KEY")):
        with pytest.raises(Misuse, match=words):
            signers_at(place(str(tmp_path / "no.pem"), Settings(store="x"), setting), Settings(store="x"), ORIGIN)


def test_a_key_file_of_another_curve_is_no_key(tmp_path):
    file = tmp_path / "p384.pem"
    create_key_file(file, ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(Misuse, match="neither an Ed25519 nor an ECDSA P-256 key"):
        signers_at(place(str(file), Settings(store="x"), FIRST), Settings(store="x"), ORIGIN)
    create_key_file(tmp_path / "good.pem", new_private_key("ecdsa-p256"))
    [found] = signers_at(place(str(tmp_path / "good.pem"), Settings(store="x"), FIRST), Settings(store="x"), ORIGIN)
    assert found.key.algorithm == note.ECDSA
