"""References on their way out: files in the field's formats, and formatted citations.

================ ===================================================================================
``export``       references with their sources, written in one of the formats
``live_export``  an export kept current: only what changed is composed again
``unaltered``    references that are just what this device imported
``group_lists``  the groups of an export as JabRef lists them
``copied_files`` the files of exported references, copied into a folder
``cited_keys``   what a paper cites, by what LaTeX wrote
``cite``         references of a library as a citation style writes them
``citations``    CSL-JSON items and a style in, text or HTML out; the only user of citeproc
================ ===================================================================================
"""
