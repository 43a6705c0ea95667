"""The checks, one for each control, in explicit tables: `content-logging-off` is judged by `content_logging_off`.

A check reads (`shared.judge.case`, `shared.judge.reading`) and returns judgements, or raises `Unclear`. It is a pure function of
the answers that its control names as evidence, of what is expected, and of packaged tables.
"""

from collections.abc import Callable, Mapping
from typing import Final

from shared.judge.case import Case
from shared.judge.checks import (
    access,
    agreement,
    collection,
    deletions,
    encryption,
    endpoint,
    filters,
    inventories,
    logging,
    logs,
    models,
    monitoring,
    network,
    processing,
    storage,
    store,
    tuning,
)
from shared.judge.checks.collection import Collection
from shared.judge.checks.exhibits import EXHIBIT_CHECKS
from shared.judge.checks.unobservable import UNOBSERVABLE, unobservable
from shared.judge.checks.waivers import WAIVERS_CURRENT, waivers_current
from shared.judge.expectation import Expectation
from shared.model import Evidence, Judgement

AccountCheck = Callable[[Case], list[Judgement]]
SubscriptionCheck = Callable[[Evidence, Expectation], list[Judgement]]
SweepCheck = Callable[[Collection, Expectation], list[Judgement]]

ACCOUNT_CHECKS: Final[Mapping[str, AccountCheck]] = {
    "content-logging-off": monitoring.content_logging_off,
    "abuse-penalty-absent": monitoring.abuse_penalty_absent,
    "monitoring-copy-off": monitoring.monitoring_copy_off,
    "defender-for-ai": monitoring.defender_for_ai,
    "geography-allowed": processing.geography_allowed,
    "eea-location": processing.eea_location,
    "processing-scope-allowed": processing.processing_scope_allowed,
    "data-zone": processing.data_zone,
    "batch-scope": processing.batch_scope,
    "spillover-scope": processing.spillover_scope,
    "deploymentless-inference": processing.deploymentless_inference,
    "encryption-key-source": encryption.encryption_key_source,
    "encryption-key-version": encryption.encryption_key_version,
    "encryption-coverage": encryption.encryption_coverage,
    "encryption-scopes": encryption.encryption_scopes,
    "endpoint-host": endpoint.endpoint_host,
    "tls-minimum": endpoint.tls_minimum,
    "tls-certificate": endpoint.tls_certificate,
    "public-network-access": network.public_network_access,
    "private-endpoints": network.private_endpoints,
    "network-perimeter": network.network_perimeter,
    "outbound-restricted": network.outbound_restricted,
    "local-auth-disabled": access.local_auth_disabled,
    "role-assignments": access.role_assignments,
    "content-filter-blocking": filters.content_filter_blocking,
    "content-filter-thresholds": filters.content_filter_thresholds,
    "content-filter-mode": filters.content_filter_mode,
    "prompt-shields": filters.prompt_shields,
    "protected-material": filters.protected_material,
    "blocklists-present": storage.blocklists_present,
    "data-plane-logging": logging.data_plane_logging,
    "stored-completions-off": storage.stored_completions_off,
    "agent-storage": storage.agent_storage,
    "linked-resources": storage.linked_resources,
    "model-inventory": models.model_inventory,
    "preview-models": models.preview_models,
    "preview-connections": storage.preview_connections,
    "fine-tuned-source": models.fine_tuned_source,
    "fine-tuned-weights": models.fine_tuned_weights,
    "files-inventory": inventories.files_inventory,
    "vector-stores-inventory": inventories.vector_stores_inventory,
    "assistants-inventory": inventories.assistants_inventory,
    "fine-tuned-models-inventory": inventories.fine_tuned_models_inventory,
    "batches-inventory": inventories.batches_inventory,
    "fine-tuning-lineage": tuning.fine_tuning_lineage,
    "safety-evaluation-verdicts": tuning.safety_evaluation_verdicts,
    "deletions-reconciled": deletions.deletions_reconciled,
    "resource-logs-continuous": logs.resource_logs_continuous,
    "stored-completions-in-logs": logs.stored_completions_in_logs,
    "preview-api-versions": logs.preview_api_versions,
    **{control: unobservable(control) for control in UNOBSERVABLE},
}
"""Controls of an account and of its deployments."""

SUBSCRIPTION_CHECKS: Final[Mapping[str, SubscriptionCheck]] = {
    "content-logging-agrees": agreement.content_logging_agrees,
    "deleted-accounts-purged": agreement.deleted_accounts_purged,
    "activity-log-exported": logging.activity_log_exported,
    "activity-log-continuous": logs.activity_log_continuous,
    "account-deletions-reconciled": deletions.account_deletions_reconciled,
    "key-listings": logs.key_listings,
}

SWEEP_CHECKS: Final[Mapping[str, SweepCheck]] = {
    "collection-complete": collection.collection_complete,
    "collection-scope": collection.collection_scope,
    "schedule-kept": collection.schedule_kept,
    "store-worm": collection.store_worm,
    "store-configuration": store.store_configuration,
    "log-continuity": collection.log_continuity,
    "clock": collection.clock,
    WAIVERS_CURRENT: waivers_current,
    **EXHIBIT_CHECKS,
}
