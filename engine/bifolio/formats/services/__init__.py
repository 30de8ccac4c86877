"""Formats of search services and other programs that are read and never written.

Each gives records of tags as the others do: what the file called a thing, and its text. One table
a format says which field a tag means (``rules``); what depends on other tags is in the format's own
module. PubMed's XML has what its nbib has, so its records are nbib's.

==================== ===========================================================================
``rules``            a record traced by a format's table: tag by tag to fields
``lines``            files of tagged lines cut into records: Web of Science, Ovid, RefWorks
``wos``              Web of Science's tags
``ovid``             Ovid's tags, and its one line for journal, volume, pages and date
``refworks``         RefWorks' tags
``elements``         files of XML cut into records; the package's only user of lxml
``pubmed_xml``       PubMed's articles and books as records of nbib
``mods``             MODS, the XML of library catalogues
``columns``          tables with a line of column names: Scopus and PubMed
``cff``              CITATION.cff; the only user of yaml
==================== ===========================================================================
"""
