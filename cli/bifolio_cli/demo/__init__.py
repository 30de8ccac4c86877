"""``bifolio demo`` in parts: two computers and a relay on one machine, and the story they play.

``stage`` makes and clears away what the story needs, ``processes`` lets no child outlive it,
``computers`` runs the real command in each home, ``story`` is what happens, ``script`` what is
typed, ``reading`` what both then show, ``narration`` how it is told, ``summary`` its end and
``outcome`` what was measured and checked. ``libraries`` holds two real bibliographies. Knows the
command line's JSON and nothing of the engine.
"""
