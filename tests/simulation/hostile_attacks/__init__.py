"""What a hostile relay may try, one attack each; ``ATTACKS`` names them all.

Each is made for a world of its own. Where the relay's host helps as a member, it signs what it
likes.

``cases``    how an attack is entered, and what several of them use
``logs``     on what the relay keeps
``answers``  by what it answers
``helped``   with the help of a member
"""

from tests.simulation.hostile_attacks import answers, helped, logs
from tests.simulation.hostile_attacks.cases import ATTACKS

__all__ = ["ATTACKS", "answers", "helped", "logs"]
