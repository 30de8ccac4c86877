"""What starts automatic sync at login and keeps it running.

=============== ==================================================================================
``service``     what every kind of service is asked for, and the command that each of them runs
``selection``   which kind this computer has
``systemd``     a unit of the user's own systemd
``launchd``     a launch agent of macOS
``process``     a plain process, where there is neither
=============== ==================================================================================

Each kind says what it would write as text, which can be read without the system it is for, and
carries it out through the system's own command.
"""
