"""EndNote: its XML, its libraries, and the rules that all of its formats share with RIS.

=========== =========================================================================
``library`` whole libraries: the rows of a database to references
``groups``  the groups, group sets and tags of a library
``files``   the files that an XML export names
``xml``     the records of an XML file to values and back
``records`` XML cut into records and written back: the only user of ``lxml`` here
``pieces``  damaged XML: its records cut out of the text, and mended
``rules``   types, names, dates and serial numbers, as RIS, XML and ``enw`` have them
``text``    text of the XML: runs of style, and rich text
``columns`` the tables of a library: columns and type numbers
=========== =========================================================================
"""
