"""The files of references: what is attached, where each content is, and its way to the relay.

====================== =============================================================================
``attachments``        files attached, removed, found by name, and the state of each
``opened_copies``  copies that other programs work on, and what they wrote there
``file_texts``         the texts of files: read once for each content, kept by its hash
``text_worker``        the process that reads the text of one PDF
``transfer_store``     a replica's files as a sync session sees them
``garbage_collection`` contents that no reference names any more, dropped after a while
====================== =============================================================================
"""
