"""One computer's copy of a library: documents, storage and crypto put together, without I/O
of the network.

A layer of its own between ``client`` and the four below it (docs/architecture.md): what it does
needs ``document``, ``storage``, ``crypto`` and ``wire`` at once, and both the facade and the
simulator need it without a socket.

==============  ===========================================================================
``replica``     the opened replica: keys, time, incarnation, one commit of edits
``workspace``   the documents of one transaction, saved once at its end
``projection``  from a record to the columns that lists read
``roster``      the membership log and the content keys
``outbox``      own changes sealed into chains; what a fork does to them
``inbox``       received envelopes: checked, ordered causally, merged
``filing``      files attached to references, found by name, and where each is
``importer``    files into records: matching, updating, counting
``groups``      groups made, named, placed, filled and listed
``grouping``    the tree of the groups, and what a user calls one
``tags``        tags of many references at once
``joining``     a library that becomes part of another one
==============  ===========================================================================
"""
