"""One module for each verb: it reads its arguments, makes one call and prints what came of it.

==============  ===================================================================
``add``         one new reference, typed in
``annotation``  the annotations of files: listed, added, edited, removed
``attach``      a library to a relay, a computer to a library
``autosync``    attached libraries in sync from a background process
``backup``      one portable file with the library and its attached files
``bench``       what the merge of a library costs on this computer
``bundle``      the library by files, without a relay
``cite``        references as a citation style writes them
``compact``     a library made as small as it can be
``conflicts``   every field with more than one live value
``copy``        references into another library
``delete``      references into the trash
``demo``        the main job on one machine, told while it happens, and checked
``detach``      a library off its relay
``doctor``      whether the library and what it needs on this computer are in order
``draft``       edits that may not be sent, and accepting another's
``duplicates``  references that are likely one work
``edit``        change fields of one reference
``export``      references as a file for other programs
``file``        files attached to references, listed, opened, exported, taken off
``group``       groups made, named, moved, filled and listed
``history``     what happened to one reference
``import_``     references from the files and libraries of other programs
``init``        a new library on this computer
``invite``      another ticket
``invites``     the tickets that were made, and closing one
``key``         how citation keys are made, pinned and told apart
``device``      this computer's key and name, and new keys
``leave``       stop being a member of a library
``libraries``   the libraries of this computer
``list_``       all references, those of a group, or the trash
``log``         what was changed, by this computer's commands and by others
``mcp``         the library for assistants
``member``      roles, names and removal of members
``members``     who may read and write
``merge``       several references of one work made one
``note``        the notes of a reference: listed, added, edited, removed
``recovery``    a code against the loss of all computers
``relay``       run a relay on this computer, its libraries and its tokens
``resolve``     take one value of a conflict, or another one
``restore``     references out of the trash
``revert``      a reference, or a field of it, as it was at an earlier time
``search``      the references that a query finds
``serve``       the library for other programs of this computer
``show``        one reference in full
``status``      what this replica holds and what it waits for
``sync``        send and receive changes, once or as they come
``tag``         the tags of all references
``trash``       what was deleted, and removing it for good
``undo``        what a command, a change or a device did, taken back
==============  ===================================================================
"""
