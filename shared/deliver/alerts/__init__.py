"""Alerts: what is worth telling (`decide`), whom and when (`route`, `receivers`), and how each kind of receiver is told (`channel` and its neighbours)."""
