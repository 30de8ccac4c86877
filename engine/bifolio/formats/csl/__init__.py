"""CSL-JSON: what citation processors read.

============= ==============================================================
``items``     items to values and back
``splitting`` a JSON text cut into what may be CSL items, each with its line
``dates``     dates as programs write them to CSL's own form
============= ==============================================================
"""
