"""Keys, envelopes, membership and tickets: all that signs, seals, verifies and opens.

The only user of PyNaCl and of the operating system's keyring. Relay and replicas check with the
same code here. Does no network and knows no storage; of files, only the device's own key. May
import only ``errors``, ``ids`` and ``limits``.
"""
