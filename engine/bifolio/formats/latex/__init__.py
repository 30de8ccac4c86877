"""LaTeX text to Unicode and back: what a reader sees, and what TeX can print.

============ ====================================================
``text``     both ways, for the values of BibTeX
``reading``  the reader of LaTeX text
``measures`` numbers with units, and formulas of chemistry
``symbols``  what commands print: the only user of ``pylatexenc``
============ ====================================================
"""
