"""Searches: the query language, and what it finds in a library. docs/search.md is its page.

============== =====================================================================================
``query``      from what a user types to a tree of what is meant
``operators``  the operators of the language: one table for parser, messages and page
``filters``    queries that a program makes, where no user typed the language
``search``     from the tree to one expression of the index, and from it to references
``group_tree`` the tree of groups as it is shown, and from a name to a group
============== =====================================================================================
"""
