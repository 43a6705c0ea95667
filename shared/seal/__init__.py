"""Seal: append records to a Merkle log on write-once storage, and sign its checkpoints."""
