"""Entry points of the function app: they parse the trigger, call `shared.service`, set outputs. Nothing else."""
