"""A library served to other programs of this computer, as Zotero's own interface serves one.

An extra (``bifolio[serve]``). docs/serve.md has its endpoints, docs/security.md who may ask what.

=================== ==============================================================================
``server``          the process: its port, its connections, its end
``beside_sync``     the same from the process of automatic sync, so that it is there after login
``application``     every endpoint, and the application that answers them
``reading``         the endpoints of reading
``writing``         the endpoints of writing
``other_writing``   the endpoints of writing saved searches and what files say
``changes``         what changed since a version, and waiting for it
``connecting``      the endpoints of Zotero's Connector, the browser button
``connector``       what it saves: sessions, items, files
``citing``          the endpoints of Better BibTeX
``better_bibtex``   what editors and pandoc filters ask of it
``endpoints``       what every endpoint is made of
``running``         whether a library is served now, and where
``gate``            who may ask at all, and how much: hosts, browsers, sizes, times
``connections``     the open connections, how many there may be, and closing one
``libraries``       the libraries that are served, a thread for each
``served_library``  one library as its endpoints see it: names, windows, collections
``parameters``      what a request asks for
``answers``         answers with their headers, and what stands in the way
``item_lists``      lists of items: which, in what order, which page
``note_objects``    notes and annotations as Zotero's objects
``note_writes``     notes and annotations made, changed and taken away
``item_objects``    references, their notes and their files as Zotero's objects
``item_texts``      items in other formats: BibTeX, RIS, CSL-JSON, formatted citations
``found_lists``     what searches found, for their next pages, and the orders to show it in
``made_objects``    objects that were made before, kept as long as nothing of them is different
``item_checks``     the form that each part of an item must have that a program sends
``item_writes``     items made, changed and deleted
``collection_writes`` collections made, changed and deleted, and tags taken away
``search_writes``   saved searches made, changed and deleted: conditions as queries
``uploads``         files on their way into a library, in three steps
``permissions``     which programs may write, and their keys
``item_files``      attached files and their texts
``collections``     groups as collections, smart groups as searches
``tags``            the tags of all items, or of some
``schema_pages``    item types, fields and roles
``assistant``       a library for assistants, by the Model Context Protocol: by itself, on stdin
=================== ==============================================================================
"""
