"""The commands: each parses nothing but its own options, calls a use-case, and prints. Heavy imports happen inside, where they are used."""
