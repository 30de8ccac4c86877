"""What a reference is: plain values, and for each field the rule by which it merges.

Knows nothing of documents, storage or formats. May import only ``errors``, ``ids``, ``limits``.

================= ==================================================================================
``fields``        the table of fields, and the rule by which each merges
``reference``     a reference as plain values, and what an import brings of one
``library_facts`` what a whole library says of a record next to the record itself
``notes``         how notes and annotations are named, and all of a reference's as objects
``values``        values from what a user writes, and as text
``edits``         what a user asks to be done to the fields of one reference
``names``         names of people and bodies, with CSL's parts
``people``        the people of one line of text, however it parts them
``dates``         dates: EDTF as typed, CSL's object as stored
``attachments``   which file belongs to a reference
``file_names``    the names under which such files are written to a disk
``romanising``    texts of any script in ASCII; the only user of anyascii
``citation_keys`` how a citation key is made, and how two of one name are told apart
``key_patterns``  the patterns of citation keys, and what they make
``state_parts``   a record's state in parts: a base, and the updates since
``canonical``     canonical JSON: one text for one value
``folding``       texts as a search compares them
``terms``         what a search finds of a reference that is no word of its texts
``sorting``       in which order references are listed
``similarity``    how alike two references are, and why
``candidate_pairs`` which references are compared at all
``colours``       the names of colours
================= ==================================================================================
"""
