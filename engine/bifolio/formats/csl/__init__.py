"""CSL-JSON: what citation processors read.

============= ==================================================================
``items``     items to values and back
``answers``   shapes that CSL does not have: Crossref's answers, lists for texts
``splitting`` a JSON text cut into what may be CSL items, each with its line
``dates``     dates as programs write them to CSL's own form
============= ==================================================================
"""
