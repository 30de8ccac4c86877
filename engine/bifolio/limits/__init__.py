"""Every bound, each with its reason. Sizes are in bytes, times in seconds.

Read as ``limits.NAME``. May not import anything else of Bifolio.

============ ====================================================================
``protocol`` what two computers exchange: envelopes, messages, keys and tickets
``files``    attached files, backups, and files that are imported
``library``  a library on this computer
``serve``    a library served to other programs of this computer
``relay``    a relay, which strangers can reach
``growth``   statements and snapshots, which keep a library of many years small
============ ====================================================================
"""

from __future__ import annotations

from bifolio.limits.files import *
from bifolio.limits.growth import *
from bifolio.limits.library import *
from bifolio.limits.protocol import *
from bifolio.limits.relay import *
from bifolio.limits.serve import *
