"""Encryption at rest: whose key, pinned or rotating, and what a customer's key does not cover.

`encryption` is absent where nobody set it, which the provider documents as its own keys (AES-256); explicit settings name
`Microsoft.CognitiveServices` or `Microsoft.KeyVault`.
"""

from typing import Literal, NamedTuple

from shared.judge.case import Case
from shared.judge.expectation import ANY
from shared.judge.reading import Node, count, names, shown
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, unknown, verdict
from shared.model import Judgement, Point

Owner = Literal["customer", "microsoft"]
_OWNERS: dict[str, Owner] = {"microsoft.keyvault": "customer", "microsoft.cognitiveservices": "microsoft"}


class Key(NamedTuple):
    """Whose key encrypts, and where that is said."""

    owner: Owner
    point: Point
    vault: Node | None = None
    """`keyVaultProperties`, for a customer's key."""

    @property
    def fact(self) -> str:
        """For the beginning of a sentence."""
        if self.vault is None:
            return "Data at rest is encrypted with the provider's keys"
        name, vault = self.vault.text("keyName"), self.vault.text("keyVaultUri")
        return f"Data at rest is encrypted with the customer's key {shown(name)} in {shown(vault)}"


def _key(holder: Node, encryption: Node) -> Key:
    """The key that an `encryption` object, or the properties of an encryption scope, name."""
    source = encryption.needed_text("keySource")
    owner = _OWNERS.get(source.casefold())
    if owner is None:
        raise Unclear(f"The key source {shown(source)} is not known.", encryption.point("keySource"))
    if owner == "microsoft":
        return Key(owner, encryption.point("keySource"))
    vault = encryption.needed_child("keyVaultProperties")
    vault.needed_text("keyName")
    vault.needed_text("keyVaultUri")
    return Key(owner, holder.point() if encryption is holder else encryption.point(), vault)


def _account_key(case: Case) -> Key:
    encryption = case.properties.child("encryption")
    return Key("microsoft", case.properties.point()) if encryption is None else _key(case.properties, encryption)


def encryption_key_source(case: Case) -> list[Judgement]:
    """Data at rest is encrypted with the key that the profile expects; any known key where it expects none."""
    key = _account_key(case)
    default = ", as the provider documents where nothing is set" if not case.properties.has("encryption") else ""
    wanted = case.expect.word("encryption.key_source")
    because = f"{case.expect.because('encryption.key_source')}: {'either' if wanted == ANY else wanted}"
    return [verdict(case.id, wanted in (ANY, key.owner), f"{key.fact}{default} ({because}).", key.point)]


def encryption_key_version(case: Case) -> list[Judgement]:
    """The version of a customer's key is pinned, or follows its rotation, as the profile expects."""
    key = _account_key(case)
    if key.vault is None:
        return [not_applicable(case.id, f"{key.fact}, which have no version to pin.", key.point)]
    version = key.vault.text("keyVersion")
    state = "pinned" if version else "rotating"
    fact = f"The customer key's version is pinned to {shown(version)}" if version else "No key version is set, so the newest one is used"
    wanted = case.expect.word("encryption.key_version")
    point = key.vault.point("keyVersion") if version is not None else key.vault.point()
    if wanted == ANY:
        return [not_applicable(case.id, f"{fact}; the profile expects nothing here.", point)]
    return [verdict(case.id, state == wanted, f"{fact} ({case.expect.because('encryption.key_version')}: {wanted}).", point)]


def encryption_coverage(case: Case) -> list[Judgement]:
    """What a customer's key does not cover. The provider's documentation of August 2026 names the exceptions."""
    key = _account_key(case)
    if key.vault is None:
        return [not_applicable(case.id, f"{key.fact}, which cover everything stored.", key.point)]
    uncovered = ["assistants", "fine-tuned models already deployed when the key is withdrawn"]
    if case.is_foundry:
        uncovered += ["hosted agents", "agents on storage of the provider's"]
    reason = f"The customer's key does not cover {names(uncovered)}; whether these are used is not shown by what is collected."
    return [unknown(case.id, reason, key.point)]


def encryption_scopes(case: Case) -> list[Judgement]:
    """Scopes within the account that have a key of their own keep to what is expected of the account."""
    scopes = case.items("encryptionScopes")
    if not scopes:
        return [not_applicable(case.id, "The account has no encryption scopes of its own.", case.list_point("encryptionScopes"))]
    keys = [(_name(scope), _scope_key(scope)) for scope in scopes]
    points = [key.point for _, key in keys]
    wanted = case.expect.word("encryption.key_source")
    fact = f"The account has {count(len(keys), 'encryption scope')} with keys of {names(key.owner for _, key in keys)}"
    if wanted == ANY:
        return [not_applicable(case.id, f"{fact}; the profile expects nothing here.", *points)]
    because = case.expect.because("encryption.key_source")
    wrong = [name for name, key in keys if key.owner != wanted]
    if wrong:
        return [not_satisfied(case.id, f"{fact}: {names(map(shown, wrong))} differ ({because}: {wanted}).", *points)]
    return [verdict(case.id, True, f"{fact} ({because}: {wanted}).", *points)]


def _name(scope: Node) -> str:
    return scope.needed_text("name")


def _scope_key(scope: Node) -> Key:
    properties = scope.needed_child("properties")
    return _key(properties, properties)
