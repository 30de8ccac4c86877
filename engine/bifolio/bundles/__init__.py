"""Bundles: a library by files instead of a relay, through the same receiving code.

What a bundle holds is in ``wire.bundle_parts``; docs/bundles.md is the page. Whoever made the file,
it is believed as far as a relay's log is: envelopes are judged and merged by ``replication``, and
records of the membership log by its rules.

============ =====================================================================================
``file``     the file of a bundle: written whole or not at all, and checked whole before it is used
``heads``    how far a replica has each chain, and what another one lacks by that
``contents`` the contents of attached files, in sealed pieces
``members``  the membership log of a bundle and this replica's become one
``exporting`` one bundle out of a replica
``importing`` bundles into a replica: one file, or all of a folder in any order
``joining``  a ticket that is used with a bundle, and one that is made for it
============ =====================================================================================
"""
