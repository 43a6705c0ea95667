"""Entry points of the function app: they parse the trigger, call `shared.service`, set outputs. Nothing else."""

CONNECTION = "EvidenceQueues"
"""The setting, or group of settings, that says where the queues are."""
