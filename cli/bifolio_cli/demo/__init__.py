"""``bifolio demo`` in parts: two computers and a relay on one machine, and the story they play.

=============== ==================================================================================
``story``       what happens, act by act
``script``      what is typed
``order``       groups, tags and a PDF, put in order
``reading``     what both computers show, and what must hold of it
``summary``     the end: figures and checks
``narration``   how it is told
``outcome``     what was measured and checked
``stage``       what the story needs, made and cleared away
``computers``   the real command, run in each computer's home
``processes``   no child process outlives the story
``paper``       a PDF to attach
=============== ==================================================================================

The folder ``libraries`` holds two real bibliographies. Knows the command line's JSON and nothing of
the engine.
"""
