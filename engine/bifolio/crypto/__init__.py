"""Keys, envelopes, membership and tickets: all that signs, seals, verifies and opens.

The only user of PyNaCl and of the operating system's keyring. Relay and replicas check with the
same code here. Does no network and knows no storage; of files, only the device's own key. May
import only ``errors``, ``ids`` and ``limits``.

================= ==================================================================================
``encoding``      the one byte form of everything that is signed
``keys``          a device's keys: signing, sealing, and where the secret halves are kept
``keyring_store`` the operating system's keyring, never blocking
``key_condition`` the state of this device's key, looked at without a change
``key_rotation``  a device's next keys, until they take the place of the ones so far
``envelope``      a change sealed and signed for the log
``membership``    the signed log of who may read and write a library
``passphrases``   secrets sealed under a passphrase
``ticket``        one string that lets another computer attach
``ticket_search`` the ticket in whatever somebody pasted
``recovery``      codes on paper against the loss of all computers
``relay_token``   one string that allows new libraries on a relay
``blob``          the contents of files, sealed in chunks
``statement``     how far a replica is, and what it found of a snapshot, signed
``snapshot``      the state of a whole library, sealed in chunks under a signed header
================= ==================================================================================
"""
