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
``importing``        deterministic first updates, and newer versions of an imported source
``importing_groups`` the same for groups of other programs' libraries
``view``             what is shown: values, conflicts, trash
``canonical``        the record's canonical JSON and its share of the state hash
``update_values``    the bytes of an update: numbers, strings, plain values
``update_structure`` what an update holds, read before pycrdt sees it
``update_rules``     whether an update can be merged: complete, each part in a place for it
``piece_order``      the order of a text's pieces, as every replica puts them
``record``           one pycrdt document
==================== ========================================================================
"""
