"""Wiring: settings, addresses, workers, embedded servers. No rules of the product."""
