"""Records as CRDT documents: shared types on one side, plain values on the other (DESIGN §4).

``record`` is the only module of Bifolio that imports pycrdt. The others are pure: they read the
entries of a record's map and plan writes; ``record`` carries a plan out in one transaction.

==================== ========================================================================
``entries``          a record's flat keys, parsed: registers, texts, unknown keys
``plan``             writes to be made together: put, remove, new text, edit of a text
``registers``        scalar fields that keep every concurrent value
``texts``            long texts, merged by character, replaced without losing unseen edits
``creators``         lists of names, merged by element
``positions``        positions in an ordered list, between which there is always another one
``sets``             observed-remove sets
``conflicts``        a field with more than one live value, as it is listed
``field_kinds``      what each kind of field does: read, set, clear, settle, compare, undo
``groups``           groups, and the tree that all of them make
``deletion``         the trash: a deletion knows what it saw
``editing``          a user's edits as plans
``merged_references`` references merged into another one
``undoing``          what some changes did, taken back as new edits
``comparing``        what one change did, as readers see it
``content_names``    updates that are named by what they hold, not by who made them
``new_update``       the update of a new record, written without pycrdt
``importing``        one update for each version of an imported record, the same everywhere
``importing_groups`` the same for groups of other programs' libraries
``rejoining``        an import into a record that a joining library brought
``snapshots``        what a joining library offers of a record, and how the two become one
``snapshot_states``  the states in a snapshot of the library: checked, and compared
``view``             what is shown: values, conflicts, trash
``canonical``        the record's canonical JSON and its share of the state hash
``update_values``    the bytes of an update: numbers, strings, plain values
``update_structure`` what an update holds, read before pycrdt sees it
``update_rules``     whether an update can be merged: complete, each part in a place for it
``update_identity``  whether all names in an update are its author's, or its content's
``piece_order``      the order of a text's pieces, as every replica puts them
``core``             what is live of a large record, to which edits are made
``record``           one pycrdt document
==================== ========================================================================
"""
