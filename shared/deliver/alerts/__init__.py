"""Alerts: what is worth telling (`decide`), and how a receiver is told (`webhook`)."""
