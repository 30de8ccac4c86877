"""What starts automatic sync at login and keeps it running: systemd, launchd, or a plain process.

Each kind says what it would write as text, which can be read without the system it is for, and
carries it out through the system's own command.
"""
