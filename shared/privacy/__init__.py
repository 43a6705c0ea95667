"""Personal data and secrets: what they are (`fields`, `patterns`), taken out of bodies before sealing (`redact`), kept erasable (`disclosures`)."""
