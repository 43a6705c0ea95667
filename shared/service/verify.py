"""The use-case `verify`: a bundle or a whole store, against the key that the auditor was given by another way."""

import os
from collections.abc import Sequence
from pathlib import Path

from shared.deliver.verify.attested import Trusted
from shared.deliver.verify.verdict import Progress, Verdict
from shared.errors import Misuse, VerificationError
from shared.seal import cosignature, note, timestamp
from shared.service.inputs import read_input
from shared.service.stores import store_of
from shared.settings import Settings


def verify(
    file: Path | None, store: Settings | None, keys: Sequence[str], checkpoint: Path | None, progress: Progress, *,
    tsa_roots: Sequence[Path] = (), witnesses: Sequence[str] = (),
) -> Verdict:  # fmt: skip
    """Verify `file`, or the store that `store` names.

    `keys`: verifier keys, or files that hold one a line. `checkpoint`: a file with a checkpoint that the auditor holds. `tsa_roots`: PEM files of
    the roots of timestamp authorities; `witnesses`: keys of witnesses, or files that hold one a line.

    Raises:
        Misuse: a file cannot be read, or no key was given.
        VerificationError: nothing can be said: not a bundle, not a log, signed by none of the keys.
    """
    try:
        log_keys = [note.parse_vkey(line) for key in keys for line in _key_lines(key)]
    except VerificationError as error:
        raise Misuse(f"--key: {error}; give the line that `init` printed, or a file with it") from None
    if not log_keys:
        raise Misuse("--key is missing: the verifier key that you had from the keeper of the log, by another way than the evidence")
    held = read_input(checkpoint, "the checkpoint") if checkpoint else None
    trusted = _trusted(tsa_roots, witnesses)
    if file is None:
        from shared.deliver.verify.store import verify_store

        return verify_store(store_of(store or Settings(store="")), log_keys, held=held, trusted=trusted, progress=progress)
    from shared.deliver.verify.bundle import verify_bundle

    if not os.path.isfile(file):
        what = f"{file} is a folder: name a bundle, or verify a store with --store {file}" if os.path.isdir(file) else f"there is no file {file}"
        raise Misuse(what)
    return verify_bundle(file, log_keys, held=held, trusted=trusted, progress=progress)


def _trusted(tsa_roots: Sequence[Path], witnesses: Sequence[str]) -> Trusted:
    """Whom the auditor trusts besides.

    Raises:
        Misuse: a file cannot be read, or what is given is no certificate, or no witness's key.
    """
    roots = []
    for path in tsa_roots:
        try:
            roots += timestamp.read_roots(read_input(path, "the root certificates"))
        except VerificationError as error:
            raise Misuse(f"--tsa-roots {path}: {error}") from None
    try:
        keys = [cosignature.parse_witness_key(line) for text in witnesses for line in _key_lines(text)]
    except VerificationError as error:
        raise Misuse(f"--witness: {error}") from None
    return Trusted(tuple(roots) if tsa_roots else None, tuple(keys) if witnesses else None)


def _key_lines(key: str) -> list[str]:
    if "+" in key and not os.path.isfile(key):  # a key may be longer than a name can be: `Path.is_file` raises then
        return [key]
    lines = [line.strip() for line in read_input(Path(key), "the verifier key").decode("utf-8", "replace").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
