"""A second reader of the log, written from the specifications of C2SP alone (signed-note, tlog-checkpoint, tlog-tiles, tlog-proof; RFC 6962).

It shares no code with ours, and asks the `openssl` command about signatures: a store that it reads and agrees with is one that any other
reader of such logs can read.
"""

import base64
import hashlib
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest

from shared.deliver.bundle.build import build
from shared.seal.log import open_log
from shared.seal.store import DirectoryStore
from tests.fixtures.records import P256, SIGNER, START, small_log

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="the openssl command is not here")


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def mth(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, as it is written there, over leaf (or subtree) hashes."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha(b"\x01", mth(hashes[:k]), mth(hashes[k:]))


def element(n: int) -> str:
    """tlog-tiles: three digits an element, all but the last with an x."""
    return "/".join(f"x{part}" for part in [f"{n // 1000**i % 1000:03d}" for i in range(3, 0, -1) if n >= 1000**i]) + ("/" if n >= 1000 else "") + f"{n % 1000:03d}"


def read_checkpoint(data: bytes) -> tuple[bytes, str, int, bytes, list[tuple[str, bytes, bytes]]]:
    """signed-note and tlog-checkpoint: signed text, origin, size, root, signatures."""
    text, _, tail = data.rpartition(b"\n\n")
    text += b"\n"
    origin, size, root = text.decode().splitlines()[:3]
    signatures = []
    for line in tail.decode().splitlines():
        dash, name, blob = line.split(" ")
        assert dash == "—"
        raw = base64.b64decode(blob)
        signatures.append((name, raw[:4], raw[4:]))
    return text, origin, int(size), base64.b64decode(root), signatures


def openssl_verifies(vkey: str, text: bytes, key_id: bytes, signature: bytes, folder: Path) -> bool:
    """Whether a signature is good, by the vkey (name+id+base64 of type and key) and the openssl command."""
    _, hex_id, encoded = vkey.split("+", 2)
    blob = base64.b64decode(encoded)
    assert hex_id == key_id.hex()
    spki = blob[1:] if blob[0] == 2 else bytes.fromhex("302a300506032b6570032100") + blob[1:]
    (folder / "key.der").write_bytes(spki)
    (folder / "text").write_bytes(text)
    (folder / "signature").write_bytes(signature)
    key = ["-pubin", "-inkey", folder / "key.der", "-keyform", "DER"]
    if blob[0] == 1:
        command = ["pkeyutl", "-verify", *key, "-rawin", "-in", folder / "text", "-sigfile", folder / "signature"]
    else:
        pem = subprocess.run([OPENSSL, "pkey", "-pubin", "-inform", "DER", "-in", folder / "key.der"], capture_output=True, check=True).stdout
        (folder / "key.pem").write_bytes(pem)
        command = ["dgst", "-sha256", "-verify", folder / "key.pem", "-signature", folder / "signature", folder / "text"]
    return subprocess.run([OPENSSL, *command], capture_output=True, check=False).returncode == 0


class Reader:
    """A log in a folder, by its paths and nothing else."""

    def __init__(self, log: Path, size: int) -> None:
        self.log, self.size = log, size

    def tile(self, level: int, n: int) -> list[bytes]:
        width = min(256, self.size // 256**level - n * 256)
        data = (self.log / f"tile/{level}/{element(n)}{'' if width == 256 else f'.p/{width}'}").read_bytes()
        assert len(data) == 32 * width
        return [data[i : i + 32] for i in range(0, len(data), 32)]

    def entries(self) -> list[bytes]:
        found = []
        for n in range((self.size + 255) // 256):
            width = min(256, self.size - n * 256)
            data = (self.log / f"tile/entries/{element(n)}{'' if width == 256 else f'.p/{width}'}").read_bytes()
            count = 0
            while data:
                length = int.from_bytes(data[:2], "big")
                found.append(data[2 : 2 + length])
                data = data[2 + length :]
                count += 1
            assert count == width
        return found

    def check_tiles(self, leaves: list[bytes]) -> None:
        """Every tile holds what its definition says, computed from the leaves."""
        level = 0
        while self.size // 256**level:
            for n in range((self.size // 256**level + 255) // 256):
                for i, value in enumerate(self.tile(level, n)):
                    start = (n * 256 + i) * 256**level
                    assert value == mth(leaves[start : start + 256**level])
            level += 1


@pytest.fixture(scope="module", params=["ed25519", "ecdsa-p256"])
def sealed(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("log")
    signer = SIGNER if request.param == "ed25519" else P256
    store = DirectoryStore(root)
    small_log(store, sweeps=3, signer=signer)
    return root, store, str(signer.key)


def test_the_second_reader_agrees_with_every_checkpoint(sealed):
    root, store, _ = sealed
    reader = Reader(root / "evidence/log", open_log(store).size)
    entries = reader.entries()
    leaves = [sha(b"\x00", entry) for entry in entries]
    reader.check_tiles(leaves)
    checkpoints = sorted((root / "evidence/log/checkpoint").iterdir())
    assert len(checkpoints) == len(list((root / "evidence/log/commit").iterdir()))
    for path in checkpoints:
        _, origin, size, hash_, _ = read_checkpoint(path.read_bytes())
        assert (origin, size) == ("example.org/evidence", int(path.name))
        assert mth(leaves[:size]) == hash_
    assert entries == [line for _, line in open_log(store).lines(0, reader.size)]


@needs_openssl
def test_openssl_verifies_the_signatures(sealed, tmp_path):
    root, _, vkey = sealed
    for path in sorted((root / "evidence/log/checkpoint").iterdir())[-3:]:
        text, _, _, _, [(name, key_id, signature)] = read_checkpoint(path.read_bytes())
        assert name == vkey.split("+")[0]
        assert openssl_verifies(vkey, text, key_id, signature, tmp_path)
        assert not openssl_verifies(vkey, text + b"x", key_id, signature, tmp_path)


@needs_openssl
def test_the_published_examples_of_c2sp(tmp_path):
    example = (
        "This is an example message.\n\n— example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    ).encode()
    text, _, tail = example.rpartition(b"\n\n")
    raw = base64.b64decode(tail.decode().split(" ")[2])
    vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    assert openssl_verifies(vkey, text + b"\n", raw[:4], raw[4:], tmp_path)
    checkpoint = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    _, origin, size, root, [(name, _, signature)] = read_checkpoint(checkpoint.encode())
    assert (origin, size, len(root), name, len(signature)) == ("example.com/behind-the-sofa", 20852163, 32, origin, 64)
    assert element(1234067) == "x001/x234/067"


def test_the_offline_proofs_of_a_bundle_lead_to_its_checkpoint(sealed, tmp_path):
    _, store, _ = sealed
    build(store, tmp_path / "b.zip", period=(START, START + timedelta(days=1)))
    with ZipFile(tmp_path / "b.zip") as bundle:
        entries = Reader(Path(store.root) / "evidence/log", open_log(store).size).entries()
        proofs = [name for name in bundle.namelist() if name.endswith(".tlog-proof")]
        assert len(proofs) == 3
        for name in proofs:
            head, _, checkpoint = bundle.read(name).partition(b"\n\n")
            magic, index_line, *hashes = head.decode().splitlines()
            assert magic == "c2sp.org/tlog-proof@v1"
            index = int(index_line.removeprefix("index "))
            _, _, size, root, _ = read_checkpoint(checkpoint)
            assert climbed(sha(b"\x00", entries[index]), index, size, [base64.b64decode(h) for h in hashes]) == root


def climbed(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 6962 section 2.1.1: the root that an audit path leads to, by its recursive definition."""
    if size == 1:
        assert not path
        return leaf
    k = 1
    while k * 2 < size:
        k *= 2
    if index < k:
        return sha(b"\x01", climbed(leaf, index, k, path[:-1]), path[-1])
    return sha(b"\x01", path[-1], climbed(leaf, index - k, size - k, path[:-1]))
