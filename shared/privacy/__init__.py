"""Personal data and secrets: what they are (`fields`, `patterns`), how bodies are rid of them before sealing (`redact`, with `spans` and
`recheck`), and how the personal ones stay disclosable until they are erased (`disclosures`)."""
