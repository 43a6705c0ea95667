"""Evidence in the words of others: OSCAL, OCSF, in-toto, and the criteria of frameworks. Pure; ids are UUIDv5, the same for the same content."""
