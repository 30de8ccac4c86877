"""The public API: ``Library``, and one module for each facet of it.

What a program or a front end asks of a library is asked here, and nothing of it is asked anywhere
else. A facet knows the parts below it; none of them knows a facet.

==================== ===============================================================================
``library``          the one class that programs and the command line use
``beginnings``       what a replica's file holds from its beginning
``reading``          reading what is whole of a damaged, full or read-only library
``references``       a new reference, out of what a user wrote
``value_edits``      references added and changed by programs that have whole values
``conflicts``        conflicts settled by number, by value, or with several texts kept
``notes``            notes and annotations: listed, added, edited, removed
``groups``           groups made, named, placed, filled and listed
``tags``             tags of many references at once: counted, added, removed, renamed
``citation_keys``    citation keys made, pinned, and those that several references have
``trash``            what is in the trash, emptying it, restoring from it
``duplicates``       references that are likely one work, and pairs that are not
``merge_duplicates`` several references of one work made one
``copy_references``  copies in another library, which remember their origin
``device``           this device: where its home is by default, and its keys
``sharing``          attach, join, invite and sync, as coroutines
``known_libraries``  which libraries a home knows
``all_libraries``    all of them at a glance, and in sync
``tickets``          tickets found in what somebody pasted
``own_device`` this computer's key, the libraries that know it, and new keys
``drafts``           edits that may not be sent: as a file for an owner, who accepts it
``networked``        what a library does with its relay, plain and as coroutines
``members``          who may read and write: listed, invited, renamed, removed
``files``            the files attached to references: add, list, fetch, export, open
``openable``         which attached files another program is started on
``backups``          backups: made, listed, verified, restored
``bundles``          a library by files: exported, imported, invited to
``compaction``       a library made as small as it can be
``status``           what a replica says of itself: status, state hash, rebuilt index
``received``         what came from others and was not merged, in sentences
``windows``          orders, windows and versions, for who shows a part at a time
``change_feed``      what changes in a library that stays open, whoever writes
``short_names``      eight characters for each thing, as Zotero's programs name them
``whole_writes``     writes of programs, each whole or not at all, and none of them twice
``counting``         numbers with their nouns
==================== ===============================================================================
"""
