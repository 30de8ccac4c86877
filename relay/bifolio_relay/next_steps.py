"""What to do next, in the words of the command ``bifolio-relay``.

The relay's parts say what can be done as a code; its options are named here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

from bifolio.errors import Next, NextStep

#: The words of each step that concerns a relay's own start and data.
WORDS: Mapping[Next, str] = {
    Next.UPGRADE: "Upgrade Bifolio on this computer: python3 -m pip install --upgrade bifolio",
    Next.CHOOSE_PORT: "Choose another port with --port N; --port 0 picks a free one.",
    Next.CHOOSE_ADDRESS: "Choose an address of this computer with --host and a port above 1023 "
    "with --port.",
    Next.CHOOSE_RELAY_FOLDER: "Name another folder with --data DIR.",
    Next.STOP_OTHER_RELAY: "Stop the other relay, name another folder with --data DIR, or start "
    "both with --shared.",
    Next.CHECK_RELAY_DISK: "Check the disk's free space and health. What the relay lost, the "
    "replicas send again.",
    Next.MOVE_RELAY_DATA: "Move it away and start the relay again: the replicas fill an empty "
    "relay by themselves.",
    Next.GIVE_RELAY_HOST: "Give an address with --host, for example --host 127.0.0.1.",
    Next.LIST_RELAY_LIBRARIES: "List the relay's libraries with 'bifolio relay libraries', with "
    "the --data DIR that the relay was started with.",
    Next.LIST_RELAY_TOKENS: "List the relay's tokens with 'bifolio relay token list', with the "
    "--data DIR that the relay was started with.",
    Next.GIVE_SIZE: "Give a number of bytes, or one with K, M, G or T, for example --quota 20G.",
}


def word(step: NextStep | None) -> str:
    """The sentence for a next step; empty where there is none."""
    if step is None:
        return ""
    return WORDS.get(step.code) or str(step)
